#!/usr/bin/python3
"""Reports of DMARC (RFC 9990) to domains that ask for them: what came in their name, once for each
domain and day, at addresses that agreed to take them.  Names by knot, the taker by a script."""
import base64, email, gzip, os, pathlib, re, shutil, smtplib, subprocess, tempfile, time
import xml.etree.ElementTree as xml

import dkim

import internet, lab
from internet import Remote

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-dmarc-reports-"))
os.chmod(folder, 0o755)
DAY_S = 8  # of these reports
TAKER, SENDER, STRANGER, FRIEND = "127.0.0.30", "127.0.0.50", "127.0.0.60", "127.0.0.61"
LIST = "127.0.0.62"  # is an exception
PORT = internet.free_port(TAKER)
SCHEMA = pathlib.Path(__file__).resolve().parents[1] / "report" / "schema" / "dmarc-xml-0.2.xsd"
# Ten are looked at.
SIGNED = "".join(f"DKIM-Signature: v=1; a=rsa-sha256; d={name}.test; s=s{i}; h=from; b=AAAA;"
                 " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n"
                 for i, name in enumerate(["told", "a", "b\xfccher", "_x"] + ["x" * 60] * 8))
RUA = {"told": "mailto:rua@told.test", "elsewhere": "mailto:rua@taker.test",
       "unasked": "mailto:rua@unwilling.test", "quiet": None, "careless": "mailto:rua@careless.test"}
lab.run(["openssl", "genrsa", "-traditional", "-out", folder / "key", "2048"])
PUBLIC = base64.b64encode(subprocess.run(["openssl", "rsa", "-in", folder / "key", "-pubout", "-outform", "DER"],
                                         capture_output=True, check=True).stdout).decode()
ZONE = internet.SOA + "".join(f"""{name} A {SENDER}
{name} MX 10 mx
{name} TXT "v=spf1 ip4:{SENDER} -all"
_dmarc.{name} TXT "v=DMARC1; p=quarantine{'; rua=' + uri if uri else ''}"
""" for name, uri in RUA.items()) + f"""mx A {TAKER}
taker MX 10 mx
unwilling MX 10 mx
elsewhere.test._report._dmarc.taker TXT "v=DMARC1"
s._domainkey.friend TXT "v=DKIM1; k=rsa; p={PUBLIC[:200]}" "{PUBLIC[200:]}"
"""


def sealed(text):
    """As a forwarder passes it on that our server trusts."""
    text = b"Authentication-Results: friend.test; dmarc=pass header.from=told.test\r\n" + text
    return b"".join(dkim.arc_sign(text, b"s", b"friend.test", (folder / "key").read_bytes(), b"friend.test",
                                  include_headers=[b"from", b"subject"])) + text


def send(server, domain, source, change=lambda text: text):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60, local_hostname="x.test",
                      source_address=(source, 0)) as client:
        client.sendmail(f"a@{domain}.test", ["alice@postrider.test"],
                        change(f"From: a@{domain}.test\r\nSubject: x\r\n\r\nhello\r\n".encode()))


def reports():
    """[(the reverse-path, the recipients, the mail, its feedback, the octets of that)] that were taken."""
    found = []
    for _, sender, to, text, *_ in list(Remote.mails):
        mail = email.message_from_bytes(text)
        for part in mail.walk():
            if part.get_content_type() == "application/gzip":
                octets = gzip.decompress(part.get_payload(decode=True))
                found.append((sender, to, mail, xml.fromstring(octets), octets))
    return found


def local(tag):
    return tag.split("}")[-1]


def rows(feedback):
    """{(source, disposition, spf aligned, count, why it is milder, and what is said of that)}"""
    found = set()
    for record in feedback:
        if local(record.tag) != "record":
            continue
        words = {local(e.tag): (e.text or "").strip() for e in record[0].iter()}
        found.add((words["source_ip"], words["disposition"], words["spf"], int(words["count"]), words.get("type", ""),
                   words.get("comment", "")))
    return found


def flaws(octets):
    """What keeps it from being a report as Appendix A of RFC 9990 has it; "" if nothing does."""
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA), "-"], input=octets,
                          capture_output=True)
    return "" if done.returncode == 0 else done.stderr.decode()[:600]


def names_agree(mail, feedback):
    """Subject, file and report name the same report: RFC 9990 sections 3.1.4, 3.5.1, 3.5.2."""
    words = {local(e.tag): e.text for e in feedback.iter()}
    subject = re.fullmatch(r"Report\s+Domain:\s+(\S+)\s+Submitter:\s+(\S+)\s+Report-ID:\s+<(\S+)>", mail["Subject"])
    part = next(part for part in mail.walk() if part.get_content_type() == "application/gzip")
    file = f"{words['org_name']}!{words['domain']}!{words['begin']}!{words['end']}.xml.gz"
    return subject and subject.groups() == (words["domain"], words["org_name"], words["report_id"]) and \
        part.get_filename() == file and part.get_content_disposition() == "attachment" and \
        mail["Message-ID"] == f"<{words['report_id']}>"


def of(domain):
    def published(feedback):
        return next((e.text for p in feedback if local(p.tag) == "policy_published"
                     for e in p if local(e.tag) == "domain"), None)
    return [one for one in reports() if published(one[3]) == f"{domain}.test"]


names = internet.Names(folder, {"test": ZONE})
taker = internet.Listener("taker", TAKER, PORT)
try:
    with names, lab.Server(args=["--dns", f"127.0.0.1:{names.port}", "--set", f"mta.port={PORT}",
                                 "--set", f"dmarc.report-interval={DAY_S} s",
                                 "--set", f"trust.exceptions={LIST} @careless.test",
                                 "--set", "trust.forwarders=friend.test"]) as server:
        time.sleep(DAY_S - time.time() % DAY_S)  # a day of one's own
        for domain in set(RUA) - {"careless"}:
            for source in (SENDER, SENDER, STRANGER):
                send(server, domain, source)
        send(server, "told", FRIEND, sealed)
        send(server, "told", STRANGER, lambda text: SIGNED.encode() + text)
        send(server, "told", LIST)
        send(server, "told", LIST, lambda text: b"List-Id: <x.list.test>\r\n" + text)
        send(server, "careless", STRANGER)
        report.check("a domain that asks is told",
                     lab.wait_for(lambda: of("told"), 60, 0.2), Remote.mails)
        report.check("... also at an address elsewhere that agreed",
                     lab.wait_for(lambda: of("elsewhere"), 30, 0.2))
        time.sleep(2 * DAY_S)
        report.check("... once", len(of("told")) == 1 and len(of("elsewhere")) == 1,
                     (len(of("told")), len(of("elsewhere"))))
        report.check("nobody is told elsewhere who did not agree, or did not ask",
                     not of("unasked") and not of("quiet"))
        sender, to, mail, feedback, octets = of("told")[0]
        for _, _, _, _, other in reports():
            report.check("a report is as its schema has it", flaws(other) == "", flaws(other) + str(other[:3000]))
        report.check("... which refuses what is not", "not a valid value" in flaws(octets.replace(b"<count>", b"<count>x")))
        report.check("it has the same name everywhere", names_agree(mail, feedback), f"{mail['Subject']} {octets[:600]}")
        signatures = [e for e in feedback.iter() if local(e.tag) == "dkim" and len(e) > 0]
        report.check("ten signatures that strangers made up are in it", len(signatures) == 10, str(octets))
        report.check("the report is from <> and says whom it is about",
                     "FROM:<>" in sender and to == ["rua@told.test"] and
                     re.search(r"Report Domain: told\.test", mail["Subject"]) and
                     mail["From"] == "postmaster@postrider.test", (sender, to, str(mail)[:600]))
        report.check("its rows count what came", rows(feedback) == {
            (SENDER, "pass", "pass", 2, "", ""), (STRANGER, "quarantine", "fail", 1, "", ""),
            (FRIEND, "none", "fail", 1, "trusted_forwarder", "arc=pass as[1].d=friend.test as[1].s=s"),
            (LIST, "none", "fail", 1, "trusted_forwarder", ""), (LIST, "none", "fail", 1, "mailing_list", "")},
            rows(feedback))
        report.check("... also of an author whose failures are overlooked", rows(of("careless")[0][3]) == {
            (STRANGER, "none", "fail", 1, "local_policy", "")} if of("careless") else False, Remote.mails)
        text = pathlib.Path(server.log).read_text()
        report.check("nothing crashed", "process ended" not in text)
finally:
    if not os.environ.get("KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
report.close()
