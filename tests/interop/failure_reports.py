#!/usr/bin/python3
"""Reports of DMARC about single mails (RFC 9991) to domains that ask for them: what they ask for, at
addresses that agreed, without what people wrote, so many an hour.  Names by knot, the taker by a script;
the reports are read by our own command and verify with dkimpy."""
import email, email.policy, json, os, pathlib, re, shutil, smtplib, subprocess, tempfile, time

import dkim

import internet, lab
from internet import Remote

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-failure-reports-"))
os.chmod(folder, 0o755)
HOURLY = 4
TAKER, SENDER, STRANGER = "127.0.0.30", "127.0.0.50", "127.0.0.60"
PORT = internet.free_port(TAKER)
ASK = {"told": "fo=0; ruf=mailto:ruf@told.test", "any": "fo=1; ruf=mailto:ruf@any.test",
       "spf": "fo=s; ruf=mailto:ruf@spf.test", "dkim": "fo=d; ruf=mailto:ruf@dkim.test",
       "elsewhere": "ruf=mailto:ruf@taker.test", "unasked": "ruf=mailto:ruf@unwilling.test",
       "quiet": "fo=1", "flooded": "ruf=mailto:ruf@flooded.test"}


def zone(more=""):
    return internet.SOA + "".join(f"""{name} A {SENDER}
{name} MX 10 mx
{name} TXT "v=spf1 ip4:{SENDER} -all"
_dmarc.{name} TXT "v=DMARC1; p=reject; {ask}"
""" for name, ask in ASK.items()) + f"""mx A {TAKER}
taker MX 10 mx
unwilling MX 10 mx
elsewhere.test._report._dmarc.taker TXT "v=DMARC1"
{more}"""


def send(server, domain, source, fields="", sender=None):
    """The code of the reply to the text."""
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="x.test",
                      source_address=(source, 0)) as client:
        client.ehlo()
        client.mail(f"annabel@{domain}.test" if sender is None else sender)
        client.rcpt("alice@postrider.test")
        return client.data(f"{fields}From: Annabel Lee <annabel@{domain}.test>\r\nTo: alice@postrider.test\r\n"
                           f"Subject: the kingdom\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                           f"Message-ID: <1@{domain}.test>\r\n\r\nby the sea\r\n".encode())[0]


def reports(domain):
    """[(the reverse-path, the recipients, the mail)] about that domain that were taken."""
    return [(sender, to, text) for _, sender, to, text, *_ in list(Remote.mails)
            if f"Failure Report Domain: {domain}.test".encode() in text]


def one(domain):
    lab.wait_for(lambda: reports(domain), 20, 0.1)
    found = reports(domain)
    return found[0] if len(found) == 1 else ("", [], b"")


def shown(server, text):
    (folder / "report.eml").write_bytes(text)
    done = server.ctl("report", "dmarc", str(folder / "report.eml"))
    return done.stdout + done.stderr


def publish(server, names):
    """The keys of our domain, so that reports are signed."""
    def listed():
        done = server.ctl("domain", "dkim", "postrider.test", "--json", "--dns", f"127.0.0.1:{names.port}")
        return json.loads(done.stdout)["keys"]

    keys = listed()
    records = {key["name"]: key["record"] for key in keys}
    text = "".join(name + ". TXT " + " ".join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200)) + "\n"
                   for name, record in records.items())
    (folder / "test.zone").write_text("$ORIGIN test.\n" + zone(text).replace("hostmaster 1", "hostmaster 2"))
    lab.run(["knotc", "-c", names.config, "-b", "zone-reload", "test"])
    states = lambda: {key["state"] for key in listed()}
    report.check("(our own domain signs)", lab.wait_for(lambda: states() == {"active"}, 10, 0.3), states())
    return {name.encode() + b".": record.encode() for name, record in records.items()}


def told(server, keys):
    report.check("a mail that fails is refused", send(server, "told", STRANGER) == 550)
    sender, to, text = one("told")
    text = text.replace(b"\r\n..", b"\r\n.")
    mail = email.message_from_bytes(text, policy=email.policy.default)
    report.check("... and its domain is told, from <>", "FROM:<>" in sender and to == ["ruf@told.test"],
                 (sender, to, text))
    said = shown(server, text)
    report.check("our own command reads it", all(words in said for words in (
        "about: told.test", "failed: dmarc", "not aligned: dkim, spf", f"from address: {STRANGER}", "became: reject",
        "dmarc=fail header.from=told.test", f'SPF record: txt : told.test : "v=spf1 ip4:{SENDER} -all"')), said)
    parts = [part.get_content_type() for part in mail.walk()]
    report.check("it has three parts, and the header alone of the mail", parts == [
        "multipart/report", "text/plain", "message/feedback-report", "text/rfc822-headers"] or parts == [
        "multipart/report", "text/plain", "message/feedback-report", "text/plain", "text/rfc822-headers"], parts)
    report.check("who wrote what to whom is not in it", not re.search(
        rb"annabel|lee\b|alice|kingdom|the sea", text, re.I) and b"Message-ID: <1@told.test>" in text, text)
    report.check("it says that nobody has written it", mail["Auto-Submitted"] == "auto-generated")
    with report.case("dkimpy looks at the report"):
        results = []
        for i in range((b"\n" + text).count(b"\nDKIM-Signature:")):
            results.append(dkim.DKIM(text).verify(idx=i, dnsfunc=lambda name, timeout=5: keys.get(name)))
        report.check("it is signed by our domain", results == [True, True] and mail["From"].endswith(
            "@postrider.test"), results)


def options(server):
    report.check("a mail that SPF alone proves comes in", send(server, "any", SENDER) == 250)
    said = shown(server, one("any")[2])
    report.check("... and who asks for any failure is told of it", "not aligned: dkim" in said and
                 "dmarc=pass" in said and "became: delivered" in said, said)
    send(server, "spf", STRANGER)
    said = shown(server, one("spf")[2])
    report.check("who asks for SPF is told of SPF", "failed: spf" in said and "spf=fail" in said, said)
    broken = "DKIM-Signature: v=1; a=rsa-sha256; d=dkim.test; s=none; h=from;\r\n bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=YWJjZGVm\r\n"
    send(server, "dkim", SENDER, broken)
    said = shown(server, one("dkim")[2])
    report.check("who asks for DKIM is told of signatures that fail", "failed: signature" in said and
                 "DKIM domain: dkim.test" in said and "DKIM selector: none" in said, said)


def elsewhere(server):
    for domain in ("elsewhere", "unasked", "quiet"):
        send(server, domain, STRANGER)
    report.check("an address elsewhere gets it where its host agreed", one("elsewhere")[1] == ["ruf@taker.test"])
    time.sleep(1)
    report.check("... and not where it did not, or where nobody asked", not reports("unasked") and
                 not reports("quiet"), Remote.mails)


def flood(server):
    send(server, "flooded", STRANGER, sender="")
    send(server, "flooded", STRANGER, "Auto-Submitted: auto-replied\r\n")
    send(server, "flooded", STRANGER, "Content-Type: multipart/report; boundary=x\r\n")
    time.sleep(1)
    report.check("what machines write is not reported", not reports("flooded"), Remote.mails)
    for _ in range(10 * HOURLY):
        send(server, "flooded", STRANGER)
    time.sleep(3)
    workers = sum(1 for role in server.children().values() if role == "deliverd")
    found = len(reports("flooded"))
    report.check("a flood makes few reports", HOURLY <= found <= HOURLY * workers, (found, workers))


names = internet.Names(folder, {"test": zone()})
taker = internet.Listener("taker", TAKER, PORT)
try:
    settings = ["--dns", f"127.0.0.1:{names.port}", "--set", f"mta.port={PORT}"]
    with names:
        with lab.Server(args=settings) as server:
            send(server, "told", STRANGER)
            time.sleep(1)
            report.check("nobody is told unless that is wanted here", not Remote.mails, Remote.mails)
        with lab.Server(args=[*settings, "--set", f"dmarc.failure-reports={HOURLY}"]) as server:
            keys = publish(server, names)
            with report.case("told: to the end"):
                told(server, keys)
            for part in (options, elsewhere, flood):
                with report.case(f"{part.__name__}: to the end"):
                    part(server)
            report.check("nothing crashed", "process ended" not in pathlib.Path(server.log).read_text())
finally:
    if not os.environ.get("KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
report.close()
