"""Postfix + Dovecot on loopback with their defaults, for measuring beside ours.  Needs root;
installs Debian's packages if they are missing and keeps their services from starting."""
import os, pathlib, shutil, socket, subprocess, time

import lab

PACKAGES = ["postfix", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd"]
SERVICES = {"smtp": 25, "imap": 143, "imaps": 993, "pop3": 110, "lmtp": 24}

DOVECOT = """base_dir = {dir}/run
state_dir = {dir}/state
instance_name = bench
protocols = imap pop3 lmtp
listen = 127.0.0.1
log_path = {dir}/dovecot.log
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{dir}/tls.crt
ssl_key = <{dir}/tls.key
mail_location = sdbox:~/sdbox
first_valid_uid = 1
default_client_limit = 20000
mail_max_userip_connections = 5000
passdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/users
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  process_limit = 2000
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = 4000
}}
service anvil {{
  client_limit = 20000
}}
service auth {{
  client_limit = 20000
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""

POSTFIX = """compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
myhostname = mx.sdbox.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtpd_client_connection_count_limit = 500
virtual_mailbox_domains = sdbox.test
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
"""


def install():
    if shutil.which("dovecot") and shutil.which("postfix"):
        return
    guard = pathlib.Path("/usr/sbin/policy-rc.d")
    is_ours = not guard.exists()
    if is_ours:  # nothing may start on a public port
        guard.write_text("#!/bin/sh\nexit 101\n")
        guard.chmod(0o755)
    try:
        subprocess.run(["debconf-set-selections"], check=True, text=True,
                       input="postfix postfix/main_mailer_type select No configuration\n")
        subprocess.check_call(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES],
                              env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    finally:
        if is_ours:
            guard.unlink()


class Peer:
    def __init__(self, folder, users, env=None, postfix=""):
        """env: of all their processes, beside what they are given anyway; postfix: lines that
        are added to its settings."""
        self.folder, self.users, self.base = folder, users, lab.free_base()
        self.env, self.postfix = env or {}, postfix

    def port(self, service):
        return self.base + SERVICES[service]

    def start(self):
        install()
        if subprocess.run(["id", "vmail"], capture_output=True).returncode != 0:
            subprocess.check_call(["useradd", "-r", "-d", "/nonexistent", "-s",
                                   "/usr/sbin/nologin", "vmail"])
        d, words = self.folder, {"dir": self.folder, **{n: self.port(n) for n in SERVICES}}
        for name in ("conf", "data", "spool", "run", "state", "mail"):
            os.makedirs(f"{d}/{name}", exist_ok=True)
        os.chmod(d, 0o755)
        shutil.chown(d + "/data", "postfix")
        shutil.chown(d + "/mail", "vmail")
        uid = subprocess.check_output(["id", "-u", "vmail"], text=True).strip()
        gid = subprocess.check_output(["id", "-g", "vmail"], text=True).strip()
        with open(d + "/users", "w") as out:
            for i in range(1, self.users + 1):
                out.write(f"u{i:04}@sdbox.test:{{PLAIN}}pass:{uid}:{gid}::{d}/mail/u{i:04}::\n")
        names = " ".join(self.env)
        pathlib.Path(d + "/dovecot.conf").write_text(
            DOVECOT.format(**words) + f"import_environment = $import_environment {names}\n")
        pathlib.Path(d + "/conf/main.cf").write_text(
            POSTFIX.format(**words) + self.postfix +
            "import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG "
            f"TZ LANG=C {names}\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                        "-subj", "/CN=peer.test", "-keyout", d + "/tls.key", "-out",
                        d + "/tls.crt"], check=True, capture_output=True)
        self.write_master()
        env = dict(os.environ, **self.env)
        subprocess.check_call(["dovecot", "-c", d + "/dovecot.conf"], env=env)
        subprocess.run(["postfix", "-c", d + "/conf", "start"], check=True, capture_output=True,
                       env=env)
        if not lab.wait_for(lambda: self.answers("smtp") and self.answers("imap"), 20):
            raise RuntimeError("the peers did not start; see " + d)
        return self

    def write_master(self):
        """Their master.cf without chroots, with SMTP on our port only."""
        for proto in ("/etc/postfix/master.cf.proto", "/usr/share/postfix/master.cf.dist"):
            if os.path.exists(proto):
                break
        lines = []
        for line in open(proto):
            words = line.split()
            if line[:1].isalpha() and len(words) > 7:
                if words[:2] == ["smtp", "inet"]:
                    words[0] = f"127.0.0.1:{self.port('smtp')}"
                words[4] = "n"
                line = " ".join(words) + "\n"
            lines.append(line)
        pathlib.Path(self.folder + "/conf/master.cf").write_text("".join(lines))

    def answers(self, service):
        try:
            with socket.create_connection(("127.0.0.1", self.port(service)), 1) as s:
                return s.recv(1) != b""
        except OSError:
            return False

    def pids(self):
        return [int(pathlib.Path(self.folder + name).read_text())
                for name in ("/spool/pid/master.pid", "/run/master.pid")]

    def count(self):
        """Mails in the users' INBOX files."""
        count = 0
        for i in range(1, self.users + 1):
            try:
                names = os.listdir(f"{self.folder}/mail/u{i:04}/sdbox/mailboxes/INBOX/dbox-Mails")
            except OSError:
                continue
            count += sum(name.startswith("u.") for name in names)
        return count

    def stop(self):
        for pid in self.pids():
            os.kill(pid, 15)
        time.sleep(1)
        shutil.rmtree(self.folder, ignore_errors=True)
