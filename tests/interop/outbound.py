#!/usr/bin/python3
"""Mail that leads out, through a real name server (knot), to a second Postrider and to servers
that a script plays, with all the trouble they make.  RFC 5321 §5 and what extends it."""
import os, pathlib, re, json, shutil, signal, smtplib, ssl, tempfile, time

import internet, lab
from internet import Remote

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-outbound-"))
os.chmod(folder, 0o755)
PORT = lab.free_base() + 26  # of every mail server here, each at an address of its own
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
    other = internet.Served(folder / "second", "post.test", ADDRESS["post"], PORT, {
        "tls.certificate": CERTIFICATE, "tls.key": folder / "key.pem",
        "dns.server": f"127.0.0.1:{names.port}", "dns.trust-anchors": "none"})
    with other:
        other.people(carol="pass word")
        other.ctl("domain", "add", "postrider.test")
        other.ctl("account", "add", SENDER, "--password-stdin", input="secret word\n")
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
                         comes_to("good", before + 1), (reasons(server), other.text()[-900:]))
        log_of_ours = pathlib.Path(server.log).read_text()
        report.check("... never without", "secret word" not in log_of_ours and
                     len(re.findall(r"sent .*rcpt=bob@smarts?.test .*tls=\"TLSv1.3", log_of_ours)) == 2)
        send(server, "bob@untrusted.test")
        report.check("... and not to one whose certificate is for another name",
                     waits_with(server, "bob@untrusted.test", "4.7.5"), reasons(server))


lab.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=mx.post.test", "-addext", "subjectAltName=DNS:mx.post.test",
         "-keyout", folder / "key.pem", "-out", CERTIFICATE])
tls_of_tickets = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls_of_tickets.load_cert_chain(CERTIFICATE, folder / "key.pem")
names = internet.Names(folder, {"test": ZONE})
servers = [internet.Listener(name, address, PORT, tls_of_tickets if name == "tickets" else None)
           for name, address in ADDRESS.items()
           if name not in ("dead", "post")]
settings = {"mta.port": PORT, "queue.retry-first": "5 s", "mta.patience": 60,
            "mta.source": "127.0.0.99", "tls.trusted-roots": CERTIFICATE,
            "mta.logins": folder / "logins",
            "mta.routes": f"lmtp.test=lmtp:[{ADDRESS['lmtp']}]:{PORT} "
                          f"smart.test=submission:mx.post.test:{PORT + 1} "
                          f"smarts.test=submissions:[mx.post.test]:{PORT + 2} "
                          f"untrusted.test=submission:[{ADDRESS['post']}]:{PORT + 1}"}
(folder / "logins").write_text(f"mx.post.test {SENDER} secret word\n")
try:
    with names, lab.Server(args=["--dns", f"127.0.0.1:{names.port}",
                                 *[word for name, value in settings.items()
                                   for word in ("--set", f"{name}={value}")]]) as server:
        for part in (usual, nowhere, texts, tickets, tls, many, second, killed):
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
    if not os.environ.get("KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
report.close()
