#!/usr/bin/python3
"""Mail that leads out, through a real name server (knot), to a second Postrider and to servers
that a script plays, with all the trouble they make.  RFC 5321 §5 and what extends it."""
import os, pathlib, re, json, shutil, signal, smtplib, socketserver
import ssl, subprocess, tempfile, threading, time

import lab

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-outbound-"))
os.chmod(folder, 0o755)
PORT = lab.free_base() + 26  # of every mail server here, each at an address of its own
DNS_PORT = lab.free_base() + 27
SENDER = "alice@postrider.test"
CERTIFICATE = folder / "cert.pem"

HOSTS = """good dead greet drop busy some endless nofinal old seven lmtp nouser slow badtls tickets""".split()
ADDRESS = {name: f"127.0.0.{10 + i}" for i, name in enumerate(HOSTS)}
ADDRESS["post"] = "127.0.0.60"
ZONE = """$ORIGIN test.
$TTL 5
@ SOA ns hostmaster 1 3600 600 86400 5
@ NS ns
ns A 127.0.0.1
""" + "".join(f"{name} MX 10 mx.{name}\nmx.{name} A {address}\n" for name, address in ADDRESS.items()) + """
two MX 10 mx.dead
two MX 20 mx.good
alias CNAME good
implicit A 127.0.0.10
null MX 0 .
none TXT nothing
self MX 10 mail.postrider.test.
behind MX 10 mail.postrider.test.
behind MX 20 mx.good
before MX 5 mx.good
before MX 10 mail.postrider.test.
xn--bcher-kva MX 10 mx.good
smart MX 10 mx.good
smarts MX 10 mx.good
*.many MX 10 mx.good
"""


class Remote(socketserver.StreamRequestHandler):
    """One server, which keeps the mails it takes and behaves as its name says."""
    mails, connections, sources, lock = [], [], set(), threading.Lock()
    resumed = []  # of each TLS handshake with "tickets"

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())
        self.wfile.flush()

    def hello(self, word):
        if self.name == "endless":
            for _ in range(100000):
                self.say("250-and so on")
        if self.name == "old" and word == "EHLO":
            return self.say("502 never heard of it")
        offers = {"old": [], "seven": ["SIZE 5000000"]}.get(
            self.name, ["PIPELINING", "8BITMIME", "SIZE 5000000", "DSN", "SMTPUTF8"])
        if self.name == "tickets":
            offers += ["LIMITS RCPTMAX=2 MAILMAX=1"]
        if self.name == "badtls" or (self.name == "tickets" and self.connection is self.request):
            offers = ["STARTTLS", *offers]
        lines = [f"mx.{self.name}.test hello", *offers]
        self.say(*[f"250-{line}" for line in lines[:-1]], f"250 {lines[-1]}")

    def begin_tls(self):
        self.connection = self.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = (self.connection.makefile(mode) for mode in ("rb", "wb"))
        with self.lock:
            self.resumed.append(self.connection.session_reused)

    def rcpt(self, address):
        if self.name == "some" and address.startswith("bad"):
            return "550 5.1.1 No such user"
        if self.name == "some" and address.startswith("later"):
            return "451 4.2.1 Not now"
        if self.name == "tickets" and len(self.to) == 2:
            return "550 5.5.3 too many recipients"
        if self.name == "nouser":
            return "550 5.1.1 Nobody here"
        self.to.append(address)
        return "250 2.1.5 ok"

    def is_first(self):
        """Of all connections to this server."""
        return [c for c in self.connections if c == self.name].__len__() == 1

    def read_text(self):
        text = b""
        while not text.endswith(b"\r\n.\r\n") and text != b".\r\n":
            line = self.rfile.readline()
            if not line:
                return None
            text += line
            if self.name == "drop" and self.is_first():
                return None
        return text[:-3]

    def data(self):
        self.say("354 go on" if self.to else "554 5.5.1 nobody wants it")
        if not self.to:
            return True
        text = self.read_text()
        if text is None:
            return False
        if self.name == "nofinal" and self.is_first():
            with self.lock:
                self.mails.append((self.name, self.sender, self.to, text))
            return False
        if self.name == "slow":
            time.sleep(30)
        with self.lock:
            self.mails.append((self.name, self.sender, self.to, text))
        if self.name == "lmtp":
            self.say(*["250 2.0.0 kept" if not a.startswith("full") else "452 4.2.2 full"
                       for a in self.to])
        else:
            self.say("250 2.0.0 kept")
        return True

    def handle(self):
        self.name = next(n for n, a in ADDRESS.items() if a == self.server.server_address[0])
        with self.lock:
            self.connections.append(self.name)
        self.sender, self.to, count = None, [], 0
        if self.name == "greet":
            return self.say("421 4.3.2 not now") if self.is_first() else self.usual(count)
        with self.lock:
            self.sources.add(self.client_address[0])
        return self.usual(count)

    def usual(self, count):
        self.say(f"220 mx.{self.name}.test ESMTP")
        while line := self.rfile.readline().decode(errors="surrogateescape").rstrip("\r\n"):
            word = line.split(" ")[0].upper()
            if word in ("EHLO", "HELO", "LHLO"):
                self.hello(word)
            elif word == "MAIL":
                count += 1
                if self.name == "busy" and count > 1:
                    return self.say("421 4.7.0 enough for one connection")
                self.sender, self.to = line, []
                self.say("550 5.5.1 too many mails" if self.name == "tickets" and count > 1 else
                         "250 2.1.0 ok")
            elif word == "RCPT":
                self.say(self.rcpt(line.split("<")[1].split(">")[0]))
            elif word == "DATA":
                if not self.data():
                    return None
            elif word == "STARTTLS" and self.name == "tickets":
                self.say("220 go on")
                self.begin_tls()
            elif word == "STARTTLS":
                self.say("220 go on", "this is no TLS")
                return None
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")
        return None


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 100


def start_dns():
    (folder / "test.zone").write_text(ZONE)
    (folder / "db").mkdir()
    (folder / "knot.conf").write_text(f"""server:
    listen: 127.0.0.1@{DNS_PORT}
    rundir: {folder}
database:
    storage: {folder}/db
zone:
  - domain: test
    file: {folder}/test.zone
""")
    return subprocess.Popen(["knotd", "-c", folder / "knot.conf"], stdout=subprocess.DEVNULL,
                            stderr=open(folder / "knot.log", "w"), preexec_fn=lab.ends_with_us())


def message(text="hello\r\n", extra=""):
    return f"From: {SENDER}\r\nSubject: x\r\n{extra}\r\n{text}".encode()


def send(server, to, text=None, **how):
    with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=30) as client:
        client.login(SENDER, "pass")
        client.sendmail(SENDER, to if isinstance(to, list) else [to], text or message(), **how)


def arrived(name, **how):
    return [mail for mail in Remote.mails if mail[0] == name]


def reasons(server):
    """{recipient: reason of the last try}"""
    done = server.ctl("queue", "list", "--json")
    return {row["recipient"]: row["reason"] for row in json.loads(done.stdout)["queue"]}


def waits_with(server, rcpt, words, seconds=10):
    return lab.wait_for(lambda: words in reasons(server).get(rcpt, ""), seconds, 0.2)


def fails_with(server, rcpt, words, seconds=10):
    """For good, and its sender is told."""
    line = re.compile(rf"sending failed .*rcpt={re.escape(rcpt)} .*reply=\".*{re.escape(words)}")
    return lab.wait_for(lambda: line.search(pathlib.Path(server.log).read_text()) and
                        rcpt not in reasons(server), seconds, 0.2)


def reports(server):
    """What alice was told, as texts."""
    with server.imap("alice") as client:
        client.select("INBOX", readonly=True)
        found = client.search(None, "ALL")[1][0].split()
        return [client.fetch(number, "(BODY[])")[1][0][1].decode(errors="replace")
                for number in found]


def comes_to(name, count=1, seconds=15):
    return lab.wait_for(lambda: len(arrived(name)) >= count, seconds)


def usual(server):
    for domain, where in (("good.test", "good"), ("two.test", "good"), ("alias.test", "good"),
                          ("implicit.test", "good"), ("[127.0.0.10]", "good"),
                          ("xn--bcher-kva.test", "good"), ("before.test", "good"),
                          ("old.test", "old"), ("greet.test", "greet")):
        before = len(arrived(where))
        send(server, f"bob@{domain}", message(".dots\r\n..\r\n"))
        report.check(f"mail for {domain} arrives", comes_to(where, before + 1), reasons(server))
        if len(arrived(where)) > before:
            mail = arrived(where)[-1]
            report.check(f"... whole, with dots, for {domain}",
                         mail[3].endswith(b"\r\n\r\n..dots\r\n...\r\n") and
                         mail[2] == [f"bob@{domain}"] and b"Received: " in mail[3], mail)
    report.check("nothing waits any more", lab.wait_for(lambda: not reasons(server), 10),
                 reasons(server))

    report.check("mail comes from the address that was set", Remote.sources == {"127.0.0.99"},
                 Remote.sources)


def nowhere(server):
    cases = {"null.test": "5.1.10", "nx.test": "5.1.2", "none.test": "5.4.4",
             "self.test": "5.4.6", "behind.test": "5.4.6"}
    send(server, [f"bob@{domain}" for domain in cases])
    for domain, code in cases.items():
        report.check(f"{domain} is {code}", fails_with(server, f"bob@{domain}", code),
                     reasons(server))
    told = lambda: sorted(re.findall(r"Final-Recipient: rfc822; ?(\S+)", "".join(reports(server))))
    report.check("the sender is told of each, once",
                 lab.wait_for(lambda: told() == sorted(f"bob@{domain}" for domain in cases)), told())
    send(server, "reroute@dead.test")
    waits_with(server, "reroute@dead.test", "4.4.1")
    before = len(arrived("good"))
    server.ctl("queue", "reroute", f"{ADDRESS['good']}:{PORT}", "--domain", "dead.test", "--yes")
    server.ctl("queue", "retry", "--domain", "dead.test", "--yes")
    report.check("a person sends it another way", comes_to("good", before + 1), reasons(server))
    send(server, ["bob@dead.test"])
    report.check("who cannot be reached is tried again",
                 waits_with(server, "bob@dead.test", "4.4.1"), reasons(server))


def trouble(server):
    send(server, ["good@some.test", "bad1@some.test", "good2@some.test", "later@some.test"])
    report.check("of several recipients those get it who are taken",
                 comes_to("some") and
                 sorted(arrived("some")[0][2]) == ["good2@some.test", "good@some.test"],
                 arrived("some"))
    report.check("... the others have their replies",
                 fails_with(server, "bad1@some.test", "550 5.1.1 No such user (mx.some.test") and
                 waits_with(server, "later@some.test", "451 4.2.1 Not now"), reasons(server))
    send(server, "bob@nouser.test")
    report.check("a server that wants no recipient gets no text",
                 fails_with(server, "bob@nouser.test", "550 5.1.1") and not arrived("nouser"))
    send(server, "bob@drop.test")
    report.check("a connection lost in the text is tried again", comes_to("drop", 1, 25),
                 reasons(server))
    report.check("... and it came once", len(arrived("drop")) == 1)
    send(server, "bob@nofinal.test")
    report.check("a lost final reply: twice rather than never", comes_to("nofinal", 2, 25),
                 reasons(server))
    send(server, "bob@endless.test")
    report.check("a reply without end is cut off",
                 waits_with(server, "bob@endless.test", "no end"), reasons(server))
    for i in range(6):
        send(server, f"bob{i}@busy.test")
    report.check("421 in the middle costs a new connection only", comes_to("busy", 6, 15),
                 (len(arrived("busy")), reasons(server)))


def texts(server):
    eight = "Grüße\r\n" * 3
    head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" \
           "Content-Transfer-Encoding: 8bit\r\n"
    send(server, "bob@good.test", message(eight, head), mail_options=["BODY=8BITMIME"])
    send(server, "bob@seven.test", message(eight, head), mail_options=["BODY=8BITMIME"])
    report.check("8 bits go as they are where they are taken",
                 lab.wait_for(lambda: arrived("good") and eight.encode() in arrived("good")[-1][3])
                 and "BODY=8BITMIME" in arrived("good")[-1][1], arrived("good")[-1:])
    report.check("... and encoded where not",
                 comes_to("seven") and b"quoted-printable" in arrived("seven")[0][3] and
                 b"Gr=C3=BC=C3=9Fe" in arrived("seven")[0][3] and
                 arrived("seven")[0][3].isascii(), arrived("seven"))
    signed = message(eight, head + "DKIM-Signature: v=1; a=rsa-sha256; b=x\r\n")
    send(server, "signed@seven.test", signed, mail_options=["BODY=8BITMIME"])
    report.check("a signed one is not touched",
                 fails_with(server, "signed@seven.test", "5.6.3"), reasons(server))
    send(server, "long@good.test", message("x" * 3000 + "\r\n"))
    report.check("a long line is encoded",
                 lab.wait_for(lambda: arrived("good")[-1][2] == ["long@good.test"]) and
                 max(map(len, arrived("good")[-1][3].split(b"\r\n"))) <= 998)
    utf8 = message("x\r\n").replace(b"Subject: x", "Subject: Grüße".encode())
    options = ["SMTPUTF8", "BODY=8BITMIME"]
    send(server, "utf8@good.test", utf8, mail_options=options)
    send(server, "utf8@seven.test", utf8, mail_options=options)
    report.check("SMTPUTF8 is said where it is known",
                 lab.wait_for(lambda: arrived("good")[-1][2] == ["utf8@good.test"]) and
                 "SMTPUTF8" in arrived("good")[-1][1], arrived("good")[-1:])
    report.check("... and is 5.6.7 where not",
                 fails_with(server, "utf8@seven.test", "5.6.7"), reasons(server))
    big = message("0123456789\r\n" * 60000)
    send(server, "big@good.test", big)
    report.check("a big one arrives whole",
                 lab.wait_for(lambda: arrived("good")[-1][2] == ["big@good.test"], 20) and
                 arrived("good")[-1][3].endswith(big.split(b"\r\n\r\n", 1)[1]))
    huge = message("0123456789\r\n" * 500000)
    send(server, "huge@good.test", huge)
    report.check("one bigger than SIZE is 5.3.4", fails_with(server, "huge@good.test", "5.3.4"))


def tickets(server):
    """A server that wants two recipients a mail, and one mail a connection."""
    send(server, [f"bob{i}@tickets.test" for i in range(5)])
    report.check("as many recipients and mails as the server said",
                 comes_to("tickets", 3) and
                 sorted(len(mail[2]) for mail in arrived("tickets")) == [1, 2, 2] and
                 Remote.connections.count("tickets") >= 3, arrived("tickets"))
    report.check("... by TLS that is resumed, but for the two that came first",
                 Remote.resumed.count(False) <= 2 and Remote.resumed[-1], Remote.resumed)


def tls(server):
    send(server, "bob@badtls.test")
    report.check("where TLS fails it goes without: no worse than none", comes_to("badtls"),
                 reasons(server))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP_SSL("127.0.0.1", server.port("submissions"), context=context) as client:
        client.login(SENDER, "pass")
        for to in ("secret@badtls.test", "secret@good.test"):
            client.sendmail(SENDER, [to], message(), mail_options=["REQUIRETLS"])
    for to in ("secret@badtls.test", "secret@good.test"):
        report.check(f"REQUIRETLS: not to {to} without", fails_with(server, to, "5.7.10") and
                     not any(to in mail[2] for mail in Remote.mails), reasons(server))


def many(server):
    before = len(arrived("good"))
    for i in range(10):
        send(server, [f"u{i}@d{i % 5 * 20 + j}.many.test" for j in range(20)])
    send(server, [f"u{i}@good.test" for i in range(250)])
    rcpts = lambda: sum(len(mail[2]) for mail in arrived("good")[before:])
    report.check("450 recipients in 101 domains", lab.wait_for(lambda: rcpts() >= 450, 30), rcpts())
    report.check("... each once", rcpts() == 450)
    together = [len(mail[2]) for mail in arrived("good")[before:] if "good" in mail[2][0]]
    report.check("... at most 100 in a transaction", max(together) == 100, together)


def killed(server):
    """Killed in the middle, it goes on where it was."""
    send(server, "bob@slow.test")
    lab.wait_for(lambda: "slow" in Remote.connections)
    time.sleep(1)
    Remote.connections.clear()
    before = len(arrived("good"))
    for pid, role in server.children().items():
        if role == "mta":
            os.kill(pid, signal.SIGKILL)
    send(server, "after@good.test")
    report.check("another mta takes over", comes_to("good", before + 1, 10))
    report.check("... and what the killed one had under lease",
                 lab.wait_for(lambda: "slow" in Remote.connections, 10))
    for pid, role in server.children().items():
        if role == "storaged":
            os.kill(pid, signal.SIGKILL)
    report.check("... and settles what was under way while the store was gone",
                 comes_to("slow", 2, 60) and
                 lab.wait_for(lambda: "bob@slow.test" not in reasons(server), 20))
    time.sleep(3)
    report.check("... once", len(arrived("slow")) == 2, len(arrived("slow")))


def second(server):
    """A Postrider at the other end, with STARTTLS."""
    base = lab.free_base()
    conf = folder / "second.conf"
    services = "\n".join(f"{n} = 127.0.0.1:{base + p}" for n, p in lab.SERVICES.items()
                         if n not in ("smtp", "submission", "submissions"))
    conf.write_text(f"""[server]
data-directory = {folder}/second
hostname = mx.post.test
default-domain = post.test
[listen]
smtp = {ADDRESS['post']}:{PORT}
submission = {ADDRESS['post']}:{PORT + 1}
submissions = {ADDRESS['post']}:{PORT + 2}
{services}
[tls]
certificate = {CERTIFICATE}
key = {folder}/key.pem
[dns]
server = 127.0.0.1:{DNS_PORT}
trust-anchors = none
[mta]
port = {PORT}
""")
    log = folder / "second.log"
    other = subprocess.Popen([lab.BINARY, "serve", "-c", conf], stderr=open(log, "w"),
                             preexec_fn=lab.ends_with_us())
    try:
        report.check("a second server is there", lab.wait_for(lambda: " ready" in log.read_text(), 20))
        run = lambda *words, **how: subprocess.run([lab.BINARY, *words, "-c", conf], text=True,
                                                   capture_output=True, check=True, **how)
        run("domain", "add", "post.test")
        run("domain", "add", "postrider.test")
        run("account", "add", SENDER, "--password-stdin", input="secret word\n")
        run("account", "add", "carol@post.test", "--password-stdin", input="pass word\n")
        send(server, ["carol@post.test", "nobody@post.test"])
        text = lambda: pathlib.Path(server.log).read_text()
        report.check("mail arrives there, by TLS", lab.wait_for(lambda: re.search(
            r"sent .*rcpt=carol@post.test .*tls=\"TLSv1.3", text())), text()[-600:])
        report.check("... and is refused for who is not there",
                     fails_with(server, "nobody@post.test", "550 5.1.1"), reasons(server))
        for domain in ("smart.test", "smarts.test"):
            before = len(arrived("good"))
            send(server, f"bob@{domain}")
            report.check(f"by way of a relay that wants TLS and a password: {domain}",
                         comes_to("good", before + 1), (reasons(server), log.read_text()[-900:]))
        log_of_ours = pathlib.Path(server.log).read_text()
        report.check("... never without", "secret word" not in log_of_ours and
                     len(re.findall(r"sent .*rcpt=bob@smarts?.test .*tls=\"TLSv1.3", log_of_ours)) == 2)
        send(server, "bob@untrusted.test")
        report.check("... and not to one whose certificate is for another name",
                     waits_with(server, "bob@untrusted.test", "4.7.5"), reasons(server))
    finally:
        other.terminate()
        other.wait(20)


dns = start_dns()
servers = [Listener((address, PORT), Remote) for name, address in ADDRESS.items()
           if name not in ("dead", "post")]
for one in servers:
    threading.Thread(target=one.serve_forever, daemon=True).start()
settings = {"mta.port": PORT, "queue.retry-first": "5 s", "mta.patience": 60,
            "mta.source": "127.0.0.99", "tls.trusted-roots": CERTIFICATE,
            "mta.logins": folder / "logins",
            "mta.routes": f"lmtp.test=lmtp:[{ADDRESS['lmtp']}]:{PORT} "
                          f"smart.test=submission:mx.post.test:{PORT + 1} "
                          f"smarts.test=submissions:[mx.post.test]:{PORT + 2} "
                          f"untrusted.test=submission:[{ADDRESS['post']}]:{PORT + 1}"}
(folder / "logins").write_text(f"mx.post.test {SENDER} secret word\n")
lab.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=mx.post.test", "-addext", "subjectAltName=DNS:mx.post.test",
         "-keyout", folder / "key.pem", "-out", CERTIFICATE])
Remote.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
Remote.tls.load_cert_chain(CERTIFICATE, folder / "key.pem")
try:
    with lab.Server(args=["--dns", f"127.0.0.1:{DNS_PORT}",
                          *[word for name, value in settings.items()
                            for word in ("--set", f"{name}={value}")]]) as server:
        for part in (usual, nowhere, trouble, texts, tickets, tls, many, second, killed):
            with report.case(f"{part.__name__}: to the end"):
                part(server)
        send(server, ["bob@lmtp.test", "full@lmtp.test"])
        report.check("LMTP: each recipient has a reply of its own",
                     waits_with(server, "full@lmtp.test", "452 4.2.2") and
                     "bob@lmtp.test" not in reasons(server), reasons(server))
        log = pathlib.Path(server.log).read_text()
        report.check("nothing crashed but what was killed", log.count("process ended") == 2,
                     [line for line in log.splitlines() if "process ended" in line])
finally:
    dns.terminate()
    dns.wait()
    if not os.environ.get("KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
report.close()
