"""Postfix + Dovecot on loopback with their defaults: another person's server, for mail to and fro,
and for measuring beside ours.  Needs root; installs Debian's packages if they are missing."""
import imaplib, os, pathlib, pwd, shutil, socket, subprocess, tempfile

import lab

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
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_client_connection_count_limit = 500
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
"""
ALONE = {"smtp_dns_support_level": "disabled"}


def compiled(path, *flags):
    """The path of that C file's program, or of what LD_PRELOAD takes."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"postrider-compiled-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    target = folder / path.stem
    subprocess.check_call(["cc", "-O2", "-D_GNU_SOURCE", "-pthread", str(path), "-o",
                           f"{target}.{os.getpid()}", *flags])
    os.rename(f"{target}.{os.getpid()}", target)  # somebody else may be using it
    return str(target)


class Peer:
    def __init__(self, folder, users, env=None, domain="sdbox.test", place=None, settings=ALONE,
                 also=(), services=""):
        """env: of all their processes, beside what they are given anyway; place: the address
        and port of SMTP; settings: of Postfix; also: other addresses that Dovecot has for the
        first user; services: more lines of master.cf."""
        self.folder, self.users, self.base = folder, users, lab.free_base()
        self.env, self.domain, self.settings = env or {}, domain, settings
        self.address, self.smtp_port = place or ("127.0.0.1", self.port("smtp"))
        self.processes, self.also, self.services = [], also, services

    def port(self, service):
        return self.base + SERVICES[service]

    def start(self):
        subprocess.check_call([lab.ROOT / "tools" / "deps", "test"])
        if subprocess.run(["id", "vmail"], capture_output=True).returncode != 0:
            subprocess.check_call(["useradd", "-r", "-d", "/nonexistent", "-s",
                                   "/usr/sbin/nologin", "vmail"])
        d, words = self.folder, {"dir": self.folder, "domain": self.domain,
                                "address": self.address, **{n: self.port(n) for n in SERVICES}}
        for name in ("conf", "data", "spool", "run", "state", "mail"):
            os.makedirs(f"{d}/{name}", exist_ok=True)
        os.chmod(d, 0o755)
        shutil.chown(d + "/data", "postfix")
        shutil.chown(d + "/mail", "vmail")
        who = pwd.getpwnam("vmail")
        people = [(f"u{i:04}@{self.domain}", i) for i in range(1, self.users + 1)]
        with open(d + "/users", "w") as out:
            for address, i in people + [(address, 1) for address in self.also]:
                out.write(f"{address}:{{PLAIN}}pass:{who.pw_uid}:{who.pw_gid}::"
                          f"{d}/mail/u{i:04}::\n")
        names = " ".join(self.env)
        pathlib.Path(d + "/dovecot.conf").write_text(
            DOVECOT.format(**words) + f"import_environment = $import_environment {names}\n")
        settings = {"myhostname": "mx." + self.domain, **self.settings,
                    "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C " + names}
        pathlib.Path(d + "/conf/main.cf").write_text(
            POSTFIX.format(**words) +
            "".join(f"{name} = {value}\n" for name, value in settings.items()))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                        "-subj", "/CN=peer.test", "-keyout", d + "/tls.key", "-out",
                        d + "/tls.crt"], check=True, capture_output=True)
        self.write_master()
        env = dict(os.environ, **self.env)
        env = dict(os.environ, **self.env)
        lab.run(["postfix", "-c", d + "/conf", "check"], env=env)
        # In the foreground, in sessions of their own, since they end what is in theirs.
        for words in (["dovecot", "-F", "-c", d + "/dovecot.conf"],
                      ["/usr/lib/postfix/sbin/master", "-c", d + "/conf", "-s"]):
            self.processes.append(subprocess.Popen(
                words, env=dict(env, MAIL_CONFIG=d + "/conf"), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
                preexec_fn=lab.ends_with_us()))
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
                    words[0] = f"{self.address}:{self.smtp_port}"
                words[4] = "n"
                line = " ".join(words) + "\n"
            lines.append(line)
        pathlib.Path(self.folder + "/conf/master.cf").write_text("".join(lines) +
                                                                  self.services)

    def answers(self, service):
        place = ("127.0.0.1", self.port(service))
        if service == "smtp":
            place = (self.address, self.smtp_port)
        try:
            with socket.create_connection(place, 1) as s:
                return s.recv(1) != b""
        except OSError:
            return False

    def pids(self):
        return [process.pid for process in self.processes]

    def text(self):
        """What Postfix has logged."""
        return pathlib.Path(self.folder + "/maillog").read_text()

    def imap(self, number):
        client = imaplib.IMAP4("127.0.0.1", self.port("imap"))
        client.login(f"u{number:04}@{self.domain}", "pass")
        return client

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
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *what):
        self.stop()
