#!/usr/bin/python3
"""Mail of strangers, judged: what DMARC asks for with mail that is aligned, not aligned,
forwarded, changed by a list, sealed by one (ARC), of a subdomain, of nobody, and of names about which the DNS lies or
says nothing.  Signed by dkimpy, names by knot.  RFC 9989 §5.3.6, §7; RFC 8601 §5; RFC 8617 §6, §7.2."""
import base64, os, pathlib, re, smtplib, subprocess, tempfile, threading

import dkim

import internet, lab

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-judged-"))
os.chmod(folder, 0o755)
POLICIES = ("none", "quarantine", "reject")
SENDER, STRANGER = "127.0.0.50", "127.0.0.60"  # the domains' own client, and any other
INBOX, JUNK, REFUSED = "INBOX", "Junk", "550"
OF = {"none": INBOX, "quarantine": JUNK, "reject": REFUSED}


def key():
    lab.run(["openssl", "genrsa", "-traditional", "-out", folder / "key", "2048"])
    public = subprocess.run(["openssl", "rsa", "-in", folder / "key", "-pubout", "-outform", "DER"],
                            capture_output=True, check=True).stdout
    text = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
    return (folder / "key").read_bytes(), f'"{text[:200]}" "{text[200:]}"'


PRIVATE, PUBLIC = key()
ZONE = internet.SOA + "forward A 127.0.0.69\nforward TXT \"v=spf1 ip4:127.0.0.69 -all\"\nlist A 127.0.0.60\nlist TXT \"v=spf1 ip4:127.0.0.60 -all\"\n" + "".join(
    f"""{p} A {SENDER}
{p} MX 10 {p}
{p} TXT "v=spf1 ip4:{SENDER} -all"
_dmarc.{p} TXT "v=DMARC1; p={p}"
s._domainkey.{p} TXT {PUBLIC}
sub.{p} A {SENDER}
""" for p in POLICIES) + "".join(f"s._domainkey.{name} TXT {PUBLIC}\n" for name in ("friend", "second", "foe")) + "norecord A 127.0.0.1\n"
LIES = internet.SOA + 'x A 127.0.0.50\n_dmarc.x TXT "v=DMARC1; p=reject"\n'


def mail(author, subject, extra=""):
    return (f"From: A <{author}>\r\nTo: alice@postrider.test\r\nSubject: {subject}\r\n"
            f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@x>\r\n{extra}"
            f"\r\nhello\r\n").encode()


def signed(text, domain):
    return dkim.sign(text, b"s", domain.encode(), PRIVATE,
                     include_headers=[b"from", b"subject", b"to", b"date"]) + text


def send(server, sender, text, source=STRANGER, to=("alice",)):
    """The reply to the text."""
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=120, local_hostname="list.test",
                      source_address=(source, 0)) as client:
        client.ehlo()
        client.mail(sender)
        for name in to:
            client.rcpt(name + "@postrider.test")
        code, words = client.data(text)
        return f"{code} {words.decode()}"


def where(server, subject, user="alice"):
    """(the mailbox that has it, its header)"""
    with server.imap(user) as client:
        for box in (INBOX, JUNK):
            client.select(box, True)
            numbers = client.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
            if numbers:
                text = client.fetch(numbers[-1], "(BODY.PEEK[HEADER])")[1][0][1].decode()
                return box, re.sub(r"\r\n[ \t]+", " ", text)
    return None, ""


def comes_to(server, promise, subject, expected, reply, results=()):
    if expected == REFUSED:
        return report.check(promise, reply.startswith("550 5.7.1") and "DMARC" in reply.upper() and
                            where(server, subject)[0] is None, reply)
    box, header = where(server, subject)
    field = next((line for line in header.split("\r\n")
                  if line.startswith("Authentication-Results: mail.postrider.test;")), "")
    return report.check(promise, reply.startswith("250") and box == expected and
                        all(re.search(r, field) for r in results), (reply, box, field))


def matrix(server, p):
    domain = f"{p}.test"

    def case(what, author, sender, expected, results, source=STRANGER, sign=False, change=None):
        subject = f"{what}-{p}".replace(" ", "-")
        text = mail(author, subject)
        if sign:
            text = signed(text, domain)
        if change:
            text = text.replace(subject.encode(), change.encode() + subject.encode())
        reply = send(server, sender, text, source)
        comes_to(server, f"{what}, p={p}: {expected}", subject, expected, reply, results)

    case("aligned by SPF", f"a@{domain}", f"a@{domain}", INBOX,
         (rf"spf=pass .*smtp\.mailfrom=a@{domain}", rf"dmarc=pass .*header\.from={domain}"), SENDER)
    case("aligned by DKIM", f"a@{domain}", "b@list.test", INBOX,
         (rf"dkim=pass .*header\.d={domain}", r"spf=pass", r"dmarc=pass"), sign=True)
    case("forwarded", f"a@{domain}", f"a@{domain}", INBOX,
         (r"spf=fail", r"dkim=pass", r"dmarc=pass"), sign=True)
    case("not aligned", f"a@{domain}", "b@list.test", OF[p], (r"spf=pass", r"dmarc=fail"))
    case("changed by a list", f"a@{domain}", "b@list.test", OF[p],
         (r"dkim=fail", r"dmarc=fail"), sign=True, change="[list] ")
    case("of a subdomain", f"a@sub.{domain}", "b@list.test", OF[p], (r"dmarc=fail",))


def sealed(text, *sealers):
    """As it leaves those servers: (domain, what it says it found, what it does to the subject)."""
    for i, (name, found, change) in enumerate(sealers):
        domain = name if "." in name else name + ".test"
        text = text.replace(b"Subject: ", b"Subject: " + change)
        found = "arc=pass; " + found if i > 0 else found
        text = f"Authentication-Results: mx.{name}.test; {found}\r\n".encode() + text
        fields = dkim.arc_sign(text, b"s", domain.encode(), PRIVATE, f"mx.{name}.test".encode(),
                               include_headers=[b"from", b"subject", b"to", b"date"])
        assert len(fields) == 3, fields
        text = b"".join(fields) + text
    return text


def chains(server):
    """Changed on the way, so that nothing but the word of forwarders speaks for it."""
    def case(what, expected, results, *sealers, author="a@reject.test", change=lambda text: text):
        subject = what.replace(" ", "-").replace(",", "")
        text = change(sealed(signed(mail(author, subject), "reject.test"), *sealers))
        comes_to(server, f"{what}: {expected}", subject, expected, send(server, "b@list.test", text), results)

    good, bad = "dmarc=pass header.from=reject.test", "dmarc=fail header.from=reject.test"
    excused = (r"arc=pass header\.oldest-pass=\d smtp\.remote-ip=127\.0\.0\.60",
               r"dmarc=fail \(excused by ARC: \w+ passed at friend\.test\)")
    case("sealed by a forwarder we trust", INBOX, excused, ("friend", good, b""), change=lambda t: t.replace(
        b"DKIM-Signature", b"X-Gone"))
    case("changed and sealed by it", REFUSED, (), ("friend", good, b"[x] "), change=lambda t: t.replace(
        b"[x]", b"[y]"))
    case("sealed by a stranger", REFUSED, (), ("foe", good, b"[x] "))
    case("sealed by it, which found nothing", REFUSED, (), ("friend", bad, b"[x] "))
    case("sealed by it, of somebody else", REFUSED, (), ("friend", "dmarc=pass header.from=none.test", b"[x] "))
    case("sealed by a pair we trust", INBOX, excused, ("friend", good, b"[x] "), ("second", bad, b"[y] "))
    case("sealed by it, and then by a stranger", REFUSED, (), ("friend", good, b"[x] "), ("foe", good, b"[y] "))
    case("sealed by a stranger, and then by it", REFUSED, (), ("foe", good, b"[x] "), ("friend", bad, b"[y] "))
    case("sealed by it with DKIM alone", INBOX, excused, ("friend", "dkim=pass header.d=reject.test", b"[x] "))
    (folder / "check.conf").write_text("[trust]\nforwarders = friend.test\n")
    (folder / "check.eml").write_bytes(sealed(mail("a@reject.test", "by-hand"), ("friend", good, b"")))
    said = subprocess.run([lab.BINARY, "dmarc", "check", folder / "check.eml", "--ip", STRANGER, "--mailfrom", "b@list.test",
                           "-c", folder / "check.conf", "--dns", f"127.0.0.1:{names.port}"], capture_output=True, text=True)
    report.check("our own command says so, too", said.stdout.startswith("fail") and "ARC says pass" in said.stdout and
                 "excused from what the domain wants (reject): dmarc passed at friend.test" in said.stdout, said)
    reply = send(server, "b@list.test", sealed(mail("a@reject.test", "in-doubt"), ("x.bogus", good, b"")))
    report.check("sealed by one whose key cannot be told now: asked to come again", reply.startswith("451 4.7.0") and
                 where(server, "in-doubt")[0] is None, reply)
    log = pathlib.Path(server.log).read_text()
    report.check("the log tells who has spoken for it", re.search(
        r"mail judged .*dmarc=fail .*disposition=reject arc=pass forwarder=friend\.test", log), log[-500:])


def exceptions(server):
    """Sources that are listed: a network, a domain that is proved, an author."""
    def case(what, expected, listed, author, sender="b@nowhere.test", source=STRANGER, extra=""):
        subject = what.replace(" ", "-")
        reply = send(server, sender, mail(author, subject, extra), source)
        comes_to(server, f"{what}: {expected}", subject, expected, reply,
                 (rf"dmarc=fail \(excused: {re.escape(listed)} is an exception here\)",) if expected == INBOX else ())

    case("of a listed subnet", INBOX, "127.0.0.64/30", "a@reject.test", source="127.0.0.66")
    case("of one beside it", REFUSED, "", "a@reject.test", source="127.0.0.68")
    case("of a listed domain that SPF proves", INBOX, "forward.test", "a@reject.test", "x@forward.test", source="127.0.0.69")
    case("of one that only says so", REFUSED, "", "a@reject.test", "x@forward.test")
    case("of a listed author", INBOX, "careless@reject.test", "careless@reject.test")
    log = pathlib.Path(server.log).read_text()
    (folder / "check.conf").write_text("[trust]\nexceptions = careless@reject.test\n")
    (folder / "check.eml").write_bytes(mail("careless@reject.test", "by-hand"))
    said = subprocess.run([lab.BINARY, "dmarc", "check", folder / "check.eml", "--ip", STRANGER, "--mailfrom", "b@list.test",
                           "-c", folder / "check.conf", "--dns", f"127.0.0.1:{names.port}"], capture_output=True, text=True)
    report.check("our own command says so, too, and what would become of it elsewhere",
                 "careless@reject.test is one of trust.exceptions" in said.stdout and "forward.rewrite-from" in said.stdout, said)
    report.check("the log names what is listed", re.search(
        r"mail judged .*disposition=reject arc=none forwarder=forward\.test", log), log[-500:])


def unsure(server):
    reply = send(server, "a@norecord.test", mail("a@norecord.test", "no-record"))
    comes_to(server, "of a domain without records: INBOX", "no-record", INBOX, reply,
             (r"spf=none", r"dmarc=none"))
    reply = send(server, "a@x.bogus", mail("a@x.bogus", "bogus"))
    comes_to(server, "of a domain whose signatures are wrong: INBOX", "bogus", INBOX, reply,
             (r"spf=temperror", r"dmarc=temperror"))
    reply = send(server, "", mail("mailer-daemon@list.test", "null"))
    comes_to(server, "of the null sender: the name in HELO counts", "null", INBOX, reply,
             (r"spf=pass .*smtp\.helo=list\.test",))


def others(server):
    forged = "Authentication-Results: mail.postrider.test; dmarc=pass header.from=forged.test\r\n"
    foreign = "Authentication-Results: elsewhere.test; dmarc=pass header.from=forged.test\r\n"
    send(server, "b@list.test", mail("a@none.test", "forged", forged + foreign))
    _, header = where(server, "forged")
    report.check("a field that claims to be ours is gone, and others stay",
                 header.count("Authentication-Results: mail.postrider.test") == 1 and
                 header.count("Authentication-Results: elsewhere.test") == 1, header)
    send(server, "b@list.test", mail("a@quarantine.test", "two"), to=("alice", "bob"))
    there = lambda: [where(server, "two", user)[0] for user in ("alice", "bob")]
    report.check("of several recipients each has it in Junk",
                 lab.wait_for(lambda: there() == [JUNK, JUNK], 20), there())
    log = pathlib.Path(server.log).read_text()
    report.check("the log tells of each judgement", re.search(
        r"mail judged .*spf=pass dkim=none dmarc=fail author=quarantine\.test "
        r"disposition=quarantine", log), log[-500:])


def long_ones(server):
    """What is longer than a part goes to its judge while it comes, by DATA and by BDAT, with two kinds
    of signatures; a last octet that is another shows."""
    lines = b"".join(b"line %d of a long text,\t with  space \r\n" % number for number in range(60000))
    for canon in (b"simple", b"relaxed"):
        for is_changed in (False, True):
            subject = f"long-{canon.decode()}-{is_changed}"
            text = mail("a@reject.test", subject) + lines + b"the end\r\n"
            text = dkim.sign(text, b"s", b"reject.test", PRIVATE, canonicalize=(b"relaxed", canon),
                             include_headers=[b"from", b"subject", b"to", b"date"]) + text
            if is_changed:
                text = text[:-3] + b"e\r\n"
            reply = send(server, "b@list.test", text)
            comes_to(server, f"{len(text) >> 20} MB, {canon.decode()}{', changed' * is_changed}", subject,
                     REFUSED if is_changed else INBOX, reply, (r"dkim=pass .*header\.d=reject\.test", r"dmarc=pass"))
    text = signed(mail("a@reject.test", "long-chunks") + lines, "reject.test")
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=120, source_address=(STRANGER, 0)) as client:
        client.ehlo()
        client.mail("b@list.test")
        client.rcpt("alice@postrider.test")
        for at in range(0, len(text), 100001):
            chunk = text[at:at + 100001]
            client.send(b"BDAT %d%s\r\n" % (len(chunk), b" LAST" if at + len(chunk) == len(text) else b"") + chunk)
            reply = client.getreply()
    comes_to(server, "by BDAT", "long-chunks", INBOX, f"{reply[0]} {reply[1].decode()}",
             (r"dkim=pass .*header\.d=reject\.test", r"dmarc=pass"))
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=120, source_address=(STRANGER, 0)) as client:
        client.ehlo()
        client.mail("b@list.test")
        client.rcpt("alice@postrider.test")
        client.docmd("DATA")
        client.send(mail("a@norecord.test", "half-of-it") + lines)
        client.sock.close()  # half of a mail is none
        client.sock = None
    report.check("what ends in the middle leaves nothing", where(server, "half-of-it")[0] is None)


def silent(server, said):
    said.append(send(server, "a@x.silent", mail("a@x.silent", "silent")))


names = internet.Names(folder, {"test": ZONE, "bogus": LIES}, signed=["test", "bogus"])
nobody = internet.free_port()
with names:
    anchors = names.anchors(["test"], ["bogus"])
    with lab.Server(args=["--dns", f"127.0.0.1:{names.port}", "--set", f"dns.trust-anchors={anchors}",
                          "--set", f"dns.zones=silent=127.0.0.1:{nobody}", "--set", "trust.forwarders=friend.test second.test x.bogus",
                          "--set", "trust.exceptions=127.0.0.64/30 forward.test careless@reject.test"]) as server:
        said = []
        thread = threading.Thread(target=silent, args=(server, said))
        thread.start()
        for policy in POLICIES:
            with report.case(f"p={policy}: to the end"):
                matrix(server, policy)
        for part in (chains, exceptions, unsure, others, long_ones):
            with report.case(f"{part.__name__}: to the end"):
                part(server)
        thread.join()
        comes_to(server, "of names that nobody tells of: INBOX", "silent", INBOX, said[0],
                 (r"spf=temperror", r"dmarc=temperror"))
        with lab.Server(args=["--dns", f"127.0.0.1:{names.port}", "--set", "trust.dmarc=no"]) as lax:
            reply = send(lax, "b@list.test", mail("a@reject.test", "lax"))
            comes_to(lax, "if it is only to be written down, nothing is refused", "lax", INBOX, reply,
                     (r"dmarc=fail",))
        with lab.Server() as alone:
            send(alone, "b@list.test", mail("a@reject.test", "friend"))
            report.check("friends are not judged",
                         "Authentication-Results" not in where(alone, "friend")[1])
report.close()
