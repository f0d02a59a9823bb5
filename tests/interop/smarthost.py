#!/usr/bin/python3
"""Logging in at a smarthost that a script plays, by SCRAM-SHA-256: what it must never be told, and
what it must prove.  A Postrider as smarthost, with -PLUS, is in outbound.py."""
import base64, hashlib, hmac, os, pathlib, shutil, smtplib, socketserver, ssl, tempfile, threading

import lab

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-smarthost-"))
os.chmod(folder, 0o755)
SENDER, PASSWORD = "alice@postrider.test", "secret w\u00f6rd"
BEHAVIOURS = ("good", "impostor", "greedy", "replayed", "wrong", "older")


def mac(key, text):
    return hmac.digest(key, text, "sha256")


class Smarthost(socketserver.StreamRequestHandler):
    heard, mails, lock = {}, {}, threading.Lock()

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def hear(self):
        line = self.rfile.readline().decode().rstrip("\r\n")
        with self.lock:
            self.heard.setdefault(self.name, []).append(line)
        return line

    def log_in(self, first):
        """The server's side of RFC 5802, with what each behaviour gets wrong."""
        header, bare = first[:first.index("n=")], first[first.index("n="):]
        nonce = dict(item.split("=", 1) for item in bare.split(","))["r"]
        nonce = ("x" if self.name == "replayed" else "") + nonce + "server"
        count = 5000000 if self.name == "greedy" else 4096
        answer = f"r={nonce},s={base64.b64encode(b'salt of it').decode()},i={count}"
        self.say("334 " + base64.b64encode(answer.encode()).decode())
        final = base64.b64decode(self.hear() or "").decode()
        if not final:
            return False
        without, proof = final.rsplit(",p=", 1)
        message = ",".join((bare, answer, without)).encode()
        known = "another" if self.name == "wrong" else PASSWORD
        salted = hashlib.pbkdf2_hmac("sha256", known.encode(), b"salt of it", count)
        key = mac(salted, b"Client Key")
        expected = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), message)))
        binding = base64.b64encode(header.encode()).decode()
        if self.name == "impostor":
            salted = hashlib.pbkdf2_hmac("sha256", b"a guess", b"salt of it", count)
        elif base64.b64decode(proof) != expected or not without.startswith(f"c={binding},r={nonce}"):
            return False
        signature = mac(mac(salted, b"Server Key"), message)
        self.say("334 " + base64.b64encode(b"v=" + base64.b64encode(signature)).decode())
        return self.hear() == ""

    def auth(self, words):
        if words[1] == "SCRAM-SHA-256":
            return self.log_in(base64.b64decode(words[2]).decode())
        return words[1] == "PLAIN" and base64.b64decode(words[2]).decode() == f"\0{SENDER}\0{PASSWORD}"

    def handle(self):
        self.name = self.server.name
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.say("220 hello")
        while line := self.hear():
            words = line.split()
            if words[0] == "EHLO":
                self.say("250-smart.test\r\n250 AUTH PLAIN LOGIN" + (" SCRAM-SHA-256" if self.name != "older" else ""))
            elif words[0] == "AUTH":
                self.say("235 welcome" if self.auth(words) else "535 5.7.8 no")
            elif words[0] == "DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.mails[self.name] = True
                self.say("250 kept")
            else:
                self.say("221 bye" if words[0] == "QUIT" else "250 ok")


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, *_):
        pass


def reasons(server):
    return server.ctl("queue", "list").stdout


lab.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
         "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
servers = {name: Listener(("127.0.0.1", 0), Smarthost) for name in BEHAVIOURS}
for name, one in servers.items():
    one.name = name
    threading.Thread(target=one.serve_forever, daemon=True).start()
(folder / "logins").write_text(f"127.0.0.1 {SENDER} {PASSWORD}\n")
routes = " ".join(f"{name}.test=submissions:[127.0.0.1]:{one.server_address[1]}" for name, one in servers.items())
try:
    with lab.Server(args=["--set", f"mta.routes={routes}", "--set", f"mta.logins={folder}/logins",
                          "--set", f"tls.trusted-roots={folder}/cert.pem"]) as server:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP_SSL("127.0.0.1", server.port("submissions"), context=context) as client:
            client.login(SENDER, "pass")
            client.sendmail(SENDER, [f"bob@{name}.test" for name in BEHAVIOURS],
                            f"From: {SENDER}\r\nSubject: x\r\n\r\nhello\r\n")
        told = lambda name: "\n".join(Smarthost.heard.get(name, []))
        report.check("SCRAM-SHA-256 goes before PLAIN", lab.wait_for(lambda: "good" in Smarthost.mails, 20) and
                     "AUTH SCRAM-SHA-256 " in told("good") and "AUTH PLAIN" not in told("good"),
                     (told("good"), reasons(server)))
        report.check("it says that it could have been bound", base64.b64decode(
            told("good").split("AUTH SCRAM-SHA-256 ")[1].split("\n")[0]).startswith(b"y,,n=" + SENDER.encode()), told("good"))
        report.check("where there is none, PLAIN by verified TLS",
                     lab.wait_for(lambda: "older" in Smarthost.mails, 20) and "AUTH PLAIN" in told("older"), told("older"))
        for name, words in (("impostor", "does not know the password"), ("greedy", "more work"),
                            ("replayed", "cannot be understood"), ("wrong", "535 5.7.8 no")):
            report.check(f"{name}: the mail waits", lab.wait_for(lambda: words in reasons(server), 20) and
                         name not in Smarthost.mails, (reasons(server), told(name)))
            report.check(f"{name}: learns nothing", "AUTH PLAIN" not in told(name) and "MAIL" not in told(name), told(name))
finally:
    shutil.rmtree(folder, ignore_errors=True)
report.close()
