"""A Dovecot of our own on loopback, with Maildirs: the server that people come from."""
import os, pathlib, pwd, shutil, socket, subprocess

import lab

CONFIG = """base_dir = {dir}/run
state_dir = {dir}/state
instance_name = {name}
protocols = imap
listen = 127.0.0.1
log_path = {dir}/dovecot.log
auth_mechanisms = plain login
auth_master_user_separator = *
ssl = yes
ssl_cert = <{dir}/tls.crt
ssl_key = <{dir}/tls.key
mail_location = maildir:~/Maildir
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = username_format=%u {dir}/masters
  master = yes
  pass = yes
}}
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
  mailbox Gesendet {{
    special_use = \\Sent
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot:
    """users: names, each with the password "secret there"; the master is root, "of all"."""

    def __init__(self, folder, users):
        self.folder, self.users, self.base = folder, users, lab.free_base()
        self.owner = "nobody"

    def port(self, service):
        return self.base + lab.SERVICES[service]

    def maildir(self, user):
        return f"{self.folder}/mail/{user}/Maildir"

    def own(self, path):
        """Gives a tree to whom the mail belongs there."""
        for at, folders, files in os.walk(path):
            for name in [at] + [os.path.join(at, name) for name in files]:
                shutil.chown(name, self.owner, pwd.getpwnam(self.owner).pw_gid)

    def __enter__(self):
        d, who = self.folder, pwd.getpwnam(self.owner)
        os.chmod(d, 0o755)
        for user in self.users:
            os.makedirs(f"{d}/mail/{user}")
        self.own(d + "/mail")
        self.ca = d + "/tls.crt"
        pathlib.Path(d, "users").write_text("".join(
            f"{user}:{{PLAIN}}secret there:{who.pw_uid}:{who.pw_gid}::{d}/mail/{user}::\n"
            for user in self.users))
        pathlib.Path(d, "masters").write_text("root:{PLAIN}of all\n")
        lab.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                 "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                 d + "/tls.key", "-out", self.ca])
        pathlib.Path(d, "dovecot.conf").write_text(CONFIG.format(
            dir=d, name=os.path.basename(d), imap=self.port("imap"), imaps=self.port("imaps")))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", d + "/dovecot.conf"],
                                        preexec_fn=lab.ends_with_us())
        if not lab.wait_for(self.answers, 20):
            raise RuntimeError("Dovecot did not start; see " + d)
        return self

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port("imap")), 2) as probe:
                return b"OK" in probe.recv(200)
        except OSError:
            return False

    def __exit__(self, *what):
        self.process.terminate()
        self.process.wait(20)

    def imap(self, user):
        client = lab.imaplib.IMAP4("127.0.0.1", self.port("imap"))
        client.login(user, "secret there")
        return client
