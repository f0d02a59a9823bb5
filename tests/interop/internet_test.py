#!/usr/bin/python3
"""Two Postriders and a Postfix write to each other, by MX records and TLS that is verified by DANE; and
one of them to servers that make all the trouble there is.  Each mail ends as delivered, deferred with
a reason, or returned to its sender; none is lost, and none sent twice but where RFC 5321 has it so."""
import email, email.policy, json, os, pathlib, re, shutil, smtplib, subprocess, tempfile, time

import internet, lab
from internet import SOA
from peer import Peer, compiled

report = lab.Report()
SERVERS = {"one.test": "127.0.0.71", "two.test": "127.0.0.72", "three.test": "127.0.0.73"}
REMOTES = """good never greet late minute drop busy some nouser endless badtls nofinal garbage right wrong
sts stsbad hidden""".split()
ADDRESS = {name: f"127.0.0.{80 + i}" for i, name in enumerate(REMOTES)}
ADDRESS |= {"dead": "127.0.0.79"}  # nobody is there
PORT = internet.free_port(*SERVERS.values(), *ADDRESS.values())
PASSWORD = "correct horse"
SENDER = "alice@one.test"


def zones(digest):
    """digest(host): of its key, as TLSA records have it."""
    record = lambda host, of: f"_{PORT}._tcp.{host}. TLSA 3 1 1 {of}\n"
    found = {domain: SOA + f"@ MX 10 mx\nmx A {address}\n" + record("mx." + domain, digest("mx." + domain))
             for domain, address in SERVERS.items()}
    found["far.test"] = SOA + "".join(f"{name} MX 10 mx.{name}\nmx.{name} A {address}\n"
                                      for name, address in ADDRESS.items()) + """
set MX 30 mx.good
set MX 20 mx.never
set MX 10 mx.dead
chain CNAME chain2
chain2 CNAME chain3
chain3 CNAME good
null MX 0 .
bare A """ + ADDRESS["good"] + "\n"
    found["safe.test"] = SOA + "".join(
        f"{name} MX 10 mx.{name}\nmx.{name} A {ADDRESS[name]}\n" +
        record(f"mx.{name}.safe.test", digest(f"mx.{of}.safe.test"))
        for name, of in (("right", "right"), ("wrong", "right"), ("garbage", "right")))
    # Signed hosts in a zone whose records below _tcp nobody has signed as its parent says.
    found["safe.test"] += (f"hidden MX 10 mx.hidden\nmx.hidden A {ADDRESS['hidden']}\n"
                           f"_tcp.mx.hidden NS ns\n_tcp.mx.hidden DS 1 13 2 {digest('mx.right.safe.test')}\n")
    found["_tcp.mx.hidden.safe.test"] = SOA + f"_{PORT} TLSA 3 1 1 {digest('mx.right.safe.test')}\n"
    found["bogus.test"] = SOA + f"@ MX 10 mx\nmx A {ADDRESS['good']}\n"
    for name in ("sts", "stsbad"):
        found[name + ".test"] = SOA + (f'@ MX 10 mx\nmx A {ADDRESS[name]}\nmta-sts A 127.0.0.1\n'
                                       '_mta-sts TXT "v=STSv1; id=1;"\n')
    return found


SIGNED = [*SERVERS, "safe.test", "_tcp.mx.hidden.safe.test", "bogus.test"]

# What becomes of mail: to whom, how often it arrives where, and the words of its deferral or return.
DELIVERED, DEFERRED, RETURNED = "delivered", "deferred", "returned"
CASES = [  # one mail each
    ("a usual server", {"a@good.far.test": (DELIVERED, "good")}),
    ("no MX, but an address", {"b@bare.far.test": (DELIVERED, "good")}),
    ("a chain of aliases", {"c@chain.far.test": (DELIVERED, "good")}),
    ("the best of its hosts is dead, the next never willing", {"d@set.far.test": (DELIVERED, "good")}),
    ("it takes no mail", {"e@null.far.test": (RETURNED, "5.1.10")}),
    ("it does not exist", {"f@nowhere.far.test": (RETURNED, "5.1.2")}),
    ("nobody is there", {"g@dead.far.test": (DEFERRED, "4.4.1")}),
    ("its names are signed wrongly", {"h@bogus.test": (DEFERRED, "4.4.3")}),
    ("its TLSA records are signed wrongly", {"i@hidden.safe.test": (DEFERRED, "4.7.5")}),
    ("its TLSA record is that of another key", {"j@wrong.safe.test": (DEFERRED, "4.7.5")}),
    ("its TLS is garbage, and it says that it has some", {"k@garbage.safe.test": (DEFERRED, "4.7.5")}),
    ("its TLS is garbage, and nobody promised any", {"l@badtls.far.test": (DELIVERED, "badtls")}),
    ("its TLSA record is right", {"m@right.safe.test": (DELIVERED, "right")}),
    ("its policy holds", {"n@sts.test": (DELIVERED, "sts")}),
    ("its policy does not hold", {"o@stsbad.test": (DEFERRED, "4.7.5")}),
    ("it greets with 421 for ever", {"p@never.far.test": (DEFERRED, "421 4.3.2 not now")}),
    ("it greets with 421 at first", {"q@greet.far.test": (DELIVERED, "greet")}),
    ("it replies late", {"r@late.far.test": (DELIVERED, "late")}),
    ("it replies after a minute, and we are impatient", {"s@minute.far.test": (DEFERRED, "4.4.2")}),
    ("it drops the connection in the text", {"t@drop.far.test": (DELIVERED, "drop")}),
    ("its reply has no end", {"u@endless.far.test": (DEFERRED, "no end")}),
    ("it wants no recipient", {"v@nouser.far.test": (RETURNED, "550 5.1.1 Nobody here")}),
    ("it wants some of the recipients", {
        "one@some.far.test": (DELIVERED, "some"), "bad@some.far.test": (RETURNED, "550 5.1.1 No such user"),
        "two@some.far.test": (DELIVERED, "some"), "later@some.far.test": (DEFERRED, "451 4.2.1 Not now")}),
    ("its final reply is lost", {"w@nofinal.far.test": (DELIVERED, "nofinal")}),
] + [(f"it says 421 after one mail, {i}", {f"x{i}@busy.far.test": (DELIVERED, "busy")}) for i in range(5)]
WANTED = {rcpt: what for _, rcpts in CASES for rcpt, what in rcpts.items()}
TWICE = {"w@nofinal.far.test"}  # RFC 5321 §4.5.4.1, §6.1: rather than never


def waiting(server):
    """{recipient: why it waits}"""
    return {row["recipient"]: row["reason"]
            for row in json.loads(server.ctl("queue", "list", "--json").stdout)["queue"]}


def inbox(client):
    client.select("INBOX", readonly=True)
    numbers = client.search(None, "ALL")[1][0].split()
    return [email.message_from_bytes(client.fetch(n, "(BODY.PEEK[])")[1][0][1],
                                     policy=email.policy.default) for n in numbers]


def returned(mails):
    """[(recipient, what its server said)] of all reports of failure."""
    found = []
    for mail in mails:
        if mail.get_content_type() == "multipart/report":
            found += [(str(block["Final-Recipient"]).split(";")[1].strip(), str(block))
                      for block in mail.get_payload()[1].get_payload()[1:]
                      if block["Action"] == "failed"]
    return found


def text(sender, to, subject):
    return f"From: {sender}\r\nTo: {', '.join(to)}\r\nSubject: {subject}\r\n\r\nhello\r\n"


# ---- to servers that make trouble ----------------------------------------------------------

def arrivals(rcpt):
    """The server that each copy came to."""
    return [mail[0] for mail in internet.Remote.mails if rcpt in mail[2]]


def is_as_wanted(rcpt, wanted, waits, reports):
    outcome, word = wanted
    copies, told = arrivals(rcpt), [said for to, said in reports if to == rcpt]
    if outcome == DELIVERED:
        return (copies == [word] * (2 if rcpt in TWICE else 1)) and rcpt not in waits and not told
    if outcome == DEFERRED:
        return not copies and word in waits.get(rcpt, "") and not told
    return not copies and rcpt not in waits and len(told) == 1 and word.split(" ")[-1] in told[0]


def send_all(server):
    for title, rcpts in CASES:
        server.submit("alice", PASSWORD, list(rcpts), text(SENDER, rcpts, title))


def troubles(server):
    """Mails were sent by send_all()."""
    wanted = WANTED
    look = lambda: (waiting(server), returned(inbox(server.imap("alice", PASSWORD))))
    lab.wait_for(lambda: all(is_as_wanted(rcpt, what, *seen) for seen in [look()]
                             for rcpt, what in wanted.items()), 40, 0.5)
    waits, reports = look()
    for title, rcpts in CASES:
        for rcpt, what in rcpts.items():
            report.check(f"{title}: {what[0]}" + (" (twice)" if rcpt in TWICE else ""),
                         is_as_wanted(rcpt, what, waits, reports),
                         (rcpt, what, arrivals(rcpt), waits.get(rcpt), [r for r in reports if r[0] == rcpt]))
    report.check("nothing else waits", set(waits) <= set(wanted), waits)
    log = server.text()
    for rcpt, how in (("m@right.safe.test", "DANE"), ("n@sts.test", "name")):
        report.check(f"the log tells that TLS was verified by {how}", re.search(
            rf"sent .*rcpt={re.escape(rcpt)} .*tls=\"TLSv1.3 [^\"]*, verified by {how}\"", log))


# ---- to each other --------------------------------------------------------------------------

class Ours:
    def __init__(self, server):
        self.server, self.user = server, f"alice@{server.domain}"

    def send(self, to, subject):
        self.server.submit("alice", PASSWORD, to, text(self.user, to, subject))

    def inbox(self):
        return inbox(self.server.imap("alice", PASSWORD))

    def has_verified(self, to):
        return re.search(rf"sent .*rcpt={re.escape(to)} .*tls=\"TLSv1.3 [^\"]*, verified by DANE\"",
                         self.server.text())


class Theirs:
    """Postfix, and Dovecot behind it."""

    def __init__(self, peer):
        self.peer, self.user = peer, f"u0001@{peer.domain}"

    def send(self, to, subject):
        with smtplib.SMTP(self.peer.address, self.peer.smtp_port, timeout=30) as client:
            client.sendmail(self.user, to, text(self.user, to, subject))

    def inbox(self):
        return inbox(self.peer.imap(1))

    def has_verified(self, to):
        host = re.escape("mx." + to.split("@")[1])
        log = self.peer.text()
        return (re.search(rf"Verified TLS connection established to {host}\[", log) and
                re.search(rf"to=<{re.escape(to)}>, relay={host}\[.*status=sent", log))


def each_other(sides):
    pairs = [(a, b) for a in sides for b in sides if a is not b]
    for a, b in pairs:
        a.send([b.user], f"from {a.user}")
        a.send(["nobody@" + b.user.split("@")[1]], f"to nobody, from {a.user}")

    def came(a, b):
        return [mail["Subject"] for mail in b.inbox()].count(f"from {a.user}")

    def told(a, b):
        lost = "nobody@" + b.user.split("@")[1]
        return [to for to, _ in returned(a.inbox())].count(lost)

    lab.wait_for(lambda: all(came(a, b) >= 1 and told(a, b) >= 1 for a, b in pairs), 30, 0.5)
    for a, b in pairs:
        report.check(f"from {a.user} to {b.user}: once", came(a, b) == 1, came(a, b))
        report.check("... and the log of who sent it says that TLS was verified", a.has_verified(b.user))
        report.check("... who writes to nobody there is told, once", told(a, b) == 1, told(a, b))


def by_lmtp(one, peer):
    """A route leads straight into Dovecot, where each recipient has a reply of its own."""
    rcpts = ["u0001@boxes.test", "nobody@boxes.test"]
    one.send(rcpts, "by LMTP")
    came = lambda: [mail["Subject"] for mail in Theirs(peer).inbox()].count("by LMTP")
    told = lambda: [to for to, _ in returned(one.inbox())].count(rcpts[1])
    lab.wait_for(lambda: came() >= 1 and told() >= 1, 15, 0.5)
    report.check("a route to Dovecot's LMTP: once", came() == 1, came())
    report.check("... and who is not there is told of, once", told() == 1, told())


# ---- all of it ------------------------------------------------------------------------------

def main(folder):
    certificates = internet.Certificates(folder)
    made = {f"mx.{domain}": certificates.make("mx." + domain) for domain in
            (*SERVERS, "right.safe.test", "wrong.safe.test", "sts.test", "stsbad.test")}
    # A policy wants names as well as signatures.
    made["mx.stsbad.test"] = certificates.make("elsewhere.test")
    digests = {host: certificates.digest(at) for host, at in made.items()}
    hosts = {"right": "mx.right.safe.test", "wrong": "mx.wrong.safe.test", "sts": "mx.sts.test",
             "stsbad": "mx.stsbad.test"}
    listeners = [internet.Listener(name, address, PORT, certificates.context(made[hosts[name]])
                                   if name in hosts else None)
                 for name, address in ADDRESS.items() if name != "dead"]
    policies = internet.Policies(certificates, {
        domain: (internet.ENFORCE, {}) for domain in ("sts.test", "stsbad.test")})
    zone_texts = zones(digests.get)
    os.makedirs(folder / "names")
    os.chmod(folder / "names", 0o755)
    with internet.Names(folder / "names", zone_texts, SIGNED) as names:
        good = [zone for zone in SIGNED if zone not in ("bogus.test", "_tcp.mx.hidden.safe.test")]
        anchors = names.anchors(good, ["bogus.test"])

        def ours(domain, **more):
            at = made["mx." + domain]
            return internet.Served(folder / domain, domain, SERVERS[domain], PORT, {
                "tls.certificate": at + ".pem", "tls.key": at + ".key",
                "tls.trusted-roots": f"{folder}/ca.pem",
                "tls.mta-sts-port": policies.server_address[1],
                "dns.server": f"127.0.0.1:{names.port}", "dns.trust-anchors": anchors,
                "queue.retry-first": "2 s", "queue.retry-max": "4 s", "mta.patience": 8,
                **more})

        at = made["mx.three.test"]
        with (internet.Resolver(names, anchors, "one.test") as resolver,
              Peer(str(folder / "three.test"), 1, domain="three.test", also=["u0001@boxes.test"],
                   place=(SERVERS["three.test"], PORT),
                   env={"LD_PRELOAD": compiled(lab.ROOT / "tests/interop/resolv.c", "-shared",
                                               "-fPIC", "-ldl"),
                        "DNS_PORT": str(resolver.port)},
                   settings={"smtp_tcp_port": PORT, "smtp_dns_support_level": "dnssec",
                             "smtp_tls_security_level": "dane", "smtp_tls_loglevel": 1,
                             "queue_run_delay": "2s", "minimal_backoff_time": "2s",
                             "maximal_backoff_time": "5s",
                             "smtpd_tls_security_level": "may",
                             "smtpd_tls_cert_file": at + ".pem", "smtpd_tls_key_file": at + ".key",
                             "smtpd_recipient_restrictions":
                                 "check_recipient_access inline:{nobody@three.test=REJECT},"
                                 "permit_mynetworks,reject"}) as peer,
              ours("one.test", **{"mta.routes":
                                  f"boxes.test=lmtp:[127.0.0.1]:{peer.port('lmtp')}"}) as one,
              ours("two.test") as two):
            for server in (one, two):
                server.people(alice=PASSWORD)
            for part, what in ((lambda: send_all(one), "mails are taken"),
                               (lambda: each_other([Ours(one), Ours(two), Theirs(peer)]), "each other"),
                               (lambda: by_lmtp(Ours(one), peer), "LMTP"),
                               (lambda: troubles(one), "troubles")):
                with report.case(f"{what}: to the end"):
                    part()
            for server in (one, two):
                report.check(f"nothing has crashed at {server.domain}",
                             "process ended" not in server.text(), server.text()[-600:])
    copies = {rcpt: len(arrivals(rcpt)) for rcpt in WANTED}
    report.check("in the end each came as often as was wanted", all(
        copies[rcpt] == (outcome == DELIVERED) + (rcpt in TWICE)
        for rcpt, (outcome, _) in WANTED.items()), copies)
    for listener in listeners:
        listener.shutdown()


place = pathlib.Path(tempfile.mkdtemp(prefix="postrider-internet-"))
os.chmod(place, 0o755)
try:
    main(place)
finally:
    if not os.environ.get("KEEP"):
        shutil.rmtree(place, ignore_errors=True)
report.close()
