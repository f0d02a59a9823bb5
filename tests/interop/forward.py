#!/usr/bin/python3
"""Mail that leaves signed, and mail that is passed on: what people submit verifies with dkimpy and with
our own command; an alias that leads out keeps signatures whole, so that a Postfix that enforces DMARC
(opendkim, opendmarc) takes a p=reject domain's mail from us; what has no signature that holds is passed
on in the name of the alias, if its domain asks to refuse it, and only then; reports find their way back through the
rewritten sender, and through nothing that looks like one; what goes round ends.  What is passed on
carries seals (ARC) that verify with dkimpy."""
import base64, email, email.policy, email.utils, json, os, pathlib, re, shutil, smtplib, socket, subprocess, tempfile

import dkim

import internet, lab
from internet import SOA
from peer import Peer, compiled

report = lab.Report()
SERVERS = {"one.test": "127.0.0.71", "two.test": "127.0.0.72", "far.test": "127.0.0.73", "mute.test": "127.0.0.74"}
LISTENERS = {"origin": "127.0.0.81", "good": "127.0.0.82", "doubt": "127.0.0.83"}
PORT = internet.free_port(*SERVERS.values(), *LISTENERS.values())
PASSWORD = "correct horse"
SELECTOR = b"s1"


def run(*words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, check=True, **more).stdout


def txt(text):
    return "TXT " + " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


def zones(origin_record, ours=()):
    found = {domain: SOA + f"@ MX 10 mx\nmx A {address}\n@ {txt(f'v=spf1 ip4:{address} -all')}\n"
             for domain, address in SERVERS.items()}
    for name, record in ours:
        found[name.split("._domainkey.")[1]] += f"{name}. {txt(record)}\n"
    found["one.test"] += f"_dmarc {txt('v=DMARC1; p=reject')}\n"
    for name, address in LISTENERS.items():
        found[name + ".test"] = SOA + f"@ MX 10 mx\nmx A {address}\n"
    found["origin.test"] += (f"@ {txt('v=spf1 ip4:127.0.0.81 -all')}\n_dmarc {txt('v=DMARC1; p=reject')}\n"
                             f"{SELECTOR.decode()}._domainkey {txt(origin_record)}\n")
    found["test"] = SOA  # says that it has no policy
    found["lax.test"] = SOA + f"@ {txt('v=spf1 ip4:127.0.0.81 -all')}\n_dmarc {txt('v=DMARC1; p=none')}\n"
    found["doubt.test"] += f"_dmarc {txt('v=DMARC1; p=quarantine')}\n"
    return found


class Milters:
    """opendkim and opendmarc before Postfix: what fails DMARC with p=reject is refused."""

    def __init__(self, folder, origin_record, resolv, dns_port):
        self.folder, self.processes = folder, []
        self.ports = [internet.free_port(), internet.free_port()]
        keys = folder / "testkeys"
        keys.write_text(f"{SELECTOR.decode()}._domainkey.origin.test {origin_record}\n")
        self.keys, self.dns = keys, dict(os.environ, LD_PRELOAD=resolv, DNS_PORT=str(dns_port))

    def add_keys(self, ours):
        with self.keys.open("a") as out:
            out.writelines(f"{name} {record}\n" for name, record in ours)

    def begin(self):
        (self.folder / "opendkim.conf").write_text(
            f"Mode v\nTestPublicKeys {self.keys}\nAlwaysAddARHeader yes\nOn-Default accept\nSyslog no\n"
            f"Background no\nRequireSafeKeys no\nAuthservID far.test\nSocket inet:{self.ports[0]}@127.0.0.1\n"
            "InternalHosts 127.0.0.250\n")
        (self.folder / "opendmarc.conf").write_text(
            f"AuthservID far.test\nTrustedAuthservIDs far.test\nRejectFailures true\nSPFIgnoreResults true\n"
            f"SPFSelfValidate true\nBackground false\nSyslog false\nIgnoreHosts /dev/null\n"
            f"Socket inet:{self.ports[1]}@127.0.0.1\n")
        for name in ("opendkim", "opendmarc"):
            words = ["-f", "-x"] if name == "opendkim" else ["-f", "-c"]
            self.processes.append(subprocess.Popen(
                [name, *words, self.folder / (name + ".conf")], env=self.dns, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, preexec_fn=lab.ends_with_us()))
        if not lab.wait_for(lambda: all(is_open(port) for port in self.ports), 10):
            raise RuntimeError("the milters did not start")

    def end(self):
        for process in self.processes:
            process.terminate()
            process.wait()


def is_open(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


# ---- mail -------------------------------------------------------------------------------

def mail_of(sender, to, subject):
    return (f"From: Orla <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
            f"Date: {email.utils.formatdate()}\r\nMessage-ID: <{subject.replace(' ', '.')}@origin.test>\r\n\r\n"
            f"first line\t with  spaces \r\n\r\n.dot\r\nlast: {subject}\r\n\r\n").encode()


def signed(key, mail):
    return dkim.sign(mail, SELECTOR, b"origin.test", key, canonicalize=(b"simple", b"simple"),
                     include_headers=[b"From", b"To", b"Subject", b"Date", b"Message-ID", b"From"]) + mail


def hand_in(address, sender, to, mail, source="127.0.0.81", also=()):
    """As another server does; gives the reply to RCPT if that refuses, else that to the text."""
    with smtplib.SMTP(address, PORT, local_hostname="mx.origin.test", timeout=30,
                      source_address=(source, 0)) as client:
        client.ehlo()
        client.mail(sender)
        code, text = client.rcpt(to)
        for other in also:
            client.rcpt(other)
        if code == 250:
            code, text = client.data(mail)
        return code, text.decode()


def kept(name, subject):
    """(MAIL line, recipients, text) of what that listener has with this subject."""
    return [(mail[1], mail[2], mail[3]) for mail in internet.Remote.mails
            if mail[0] == name and f"Subject: {subject}".encode() in mail[3]]


def inbox(client):
    client.select("INBOX")
    found = []
    for number in client.search(None, "ALL")[1][0].split():
        text = client.fetch(number, "(BODY.PEEK[])")[1][0][1]
        found.append((email.message_from_bytes(text, policy=email.policy.default), text))
    client.logout()
    return found


def by_subject(client, subject):
    return [pair for pair in inbox(client) if pair[0]["Subject"] == subject]


def reports_at_origin(word):
    return [mail for mail in internet.Remote.mails if mail[0] == "origin" and
            b"multipart/report" in mail[3] and word.encode() in mail[3]]


# ---- signing ----------------------------------------------------------------------------

def keys_of(server):
    done = server.ctl("domain", "dkim", server.domain, "--json")
    return [(key["name"], key["record"], key["state"]) for key in json.loads(done.stdout)["keys"]]


def verdict(server, text, folder):
    path = folder / "received.eml"
    path.write_bytes(text)
    return server.ctl("dkim", "verify", str(path)).stdout


def good_with_dkimpy(text, records):
    answers = {name.encode() + b".": record.encode() for name, record in records}
    checker, results = dkim.DKIM(text), []
    for i in range((b"\n" + text).count(b"\nDKIM-Signature:")):
        try:
            results.append(checker.verify(idx=i, dnsfunc=lambda name, timeout=5: answers.get(name)))
        except dkim.ValidationError:
            results.append(False)
    return results


def publish(server, names, folder, origin_record):
    """Its keys, so that it signs with them."""
    records = [(name, record) for name, record, _ in keys_of(server)]
    zone = zones(origin_record, records)[server.domain].replace("hostmaster 1", "hostmaster 2")
    (folder / "names" / f"{server.domain}.zone").write_text(f"$ORIGIN {server.domain}.\n" + zone)
    run("knotc", "-c", names.config, "-b", "zone-reload", server.domain)
    report.check(f"what the DNS shows signs at {server.domain}", lab.wait_for(
        lambda: [state for *_, state in keys_of(server)] == ["active", "active"], 10, 0.5), keys_of(server))
    return records


def signing(one, names, folder, origin_record):
    report.check("adding a domain makes its keys, which do not sign yet",
                 [state for *_, state in keys_of(one)] == ["next", "next"], keys_of(one))
    one.submit("alice", PASSWORD, ["x@good.test"], mail_of("alice@one.test", "x@good.test", "too early").decode())
    records = publish(one, names, folder, origin_record)
    one.submit("alice", PASSWORD, ["x@good.test"], mail_of("alice@one.test", "x@good.test", "signed").decode())
    come = lambda subject: kept("good", subject)
    lab.wait_for(lambda: come("signed") and come("too early"), 20)
    report.check("what was sent before has no signature", len(come("too early")) == 1 and
                 b"DKIM-Signature" not in come("too early")[0][2], come("too early"))
    text = come("signed")[0][2].replace(b"\r\n..", b"\r\n.") if come("signed") else b""
    report.check("a submitted mail has a signature of each kind", text.count(b"DKIM-Signature:") == 2 and
                 b"a=rsa-sha256" in text and b"a=ed25519-sha256" in text, text)
    with report.case("dkimpy looks at it"):
        results = good_with_dkimpy(text, records)
        report.check("both verify with dkimpy", results == [True, True], results)
        broken = good_with_dkimpy(text.replace(b"last: signed", b"last: changed"), records)
        report.check("... and neither when the text was changed", broken == [False, False], broken)
    said = verdict(one, text, folder)
    report.check("both verify with our own command, and the DNS", said.startswith("pass") and
                 len(re.findall(r"^one\.test .* pass: ", said, re.M)) == 2, said)
    return records


def seals_with_dkimpy(text, records):
    """(the verdict, domains of the seals from the first on, the results of the newest)"""
    answers = {name.encode() + b".": record.encode() for name, record in records}
    verdict, sets, why = dkim.arc_verify(text, dnsfunc=lambda name, timeout=5: answers.get(name))
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", text)
    domains = {int(i): domain.decode() for i, domain in
               re.findall(rb"^ARC-Seal: i=(\d+);.*? d=([a-z.]+);", unfolded, re.M)}
    found = dict((int(i), said.decode()) for i, said in
                 re.findall(rb"^ARC-Authentication-Results: i=(\d+); ([^\r\n]*)", unfolded, re.M))
    return verdict, [domains[i] for i in sorted(domains)], found[max(found)] if found else "", why


def own_reports_signed(one, records, folder):
    """A mail to nobody at a server that takes it first: mta's report leads outside."""
    hand_in(SERVERS["one.test"], "orla@origin.test", "lost@one.test",
            mail_of("orla@origin.test", "lost@one.test", "to be returned"))
    lab.wait_for(lambda: reports_at_origin("to be returned"), 20)
    told = reports_at_origin("to be returned")
    report.check("who wrote to a forwarded address that is gone is told, once", len(told) == 1, told)
    if told:
        text = told[0][3].replace(b"\r\n..", b"\r\n.")
        report.check("the report goes to the first sender", told[0][2] == ["orla@origin.test"] and
                     "<>" in told[0][1], told[0][:3])
        report.check("the report is signed, too", verdict(one, text, folder).startswith("pass"), text[:1500])


# ---- forwarding -------------------------------------------------------------------------

def through(one, peer, key, records):
    mail = signed(key, mail_of("orla@origin.test", "fwd@one.test", "passed on"))
    report.check("mail of a p=reject domain comes in for an alias that leads out",
                 hand_in(SERVERS["one.test"], "orla@origin.test", "fwd@one.test", mail)[0] == 250)
    lab.wait_for(lambda: by_subject(peer.imap(1), "passed on"), 20, 0.3)
    found = by_subject(peer.imap(1), "passed on")
    report.check("... and arrives at a server that enforces DMARC", len(found) == 1, peer.text()[-1500:])
    if not found:
        return None
    head, text = found[0]
    results = " ".join(head.get_all("Authentication-Results") or [])
    report.check("... which found DKIM good, and DMARC", "dkim=pass" in results and "dmarc=pass" in results, results)
    report.check("the mail is octet by octet what it was", text.replace(b"\r\n", b"\n").endswith(mail.replace(b"\r\n", b"\n")), text)
    with report.case("dkimpy looks at its seal"):
        verdict, sealers, said, why = seals_with_dkimpy(text, records)
        report.check("it is sealed by us, and that verifies with dkimpy", verdict == b"pass" and
                     sealers == ["one.test"], (verdict, sealers, why, text))
        report.check("... with what we found out", "dmarc=pass header.from=origin.test" in said and
                     "arc=none" in said, said)
        broken = seals_with_dkimpy(text.replace(b"Subject: passed", b"Subject: Passed"), records)[0]
        report.check("... and not if the mail was changed", broken == b"fail", broken)
    sender = str(head["Return-Path"]).strip("<>")
    report.check("its sender is an address of ours", re.fullmatch(
        r"SRS0=[a-z2-7]{6}=[A-Z2-7]{2}=origin\.test=orla@one\.test", sender), sender)
    report.check("it tells where it has been", head["Delivered-To"] is not None and
                 "fwd@one.test" in [str(v) for v in head.get_all("Delivered-To")], head.items())
    code, _ = hand_in(SERVERS["far.test"], "eve@good.test", "u0001@far.test",
                      mail_of("orla@origin.test", "u0001@far.test", "forged"), "127.0.0.82")
    report.check("(the same author without a signature is refused there)", code == 550, code)
    return sender


def unsigned(one, peer, records):
    """Only SPF speaks for it, which does not survive."""
    def passed_on(subject, sender, mail):
        code, said = hand_in(SERVERS["one.test"], sender, "fwd@one.test", mail)
        lab.wait_for(lambda: by_subject(peer.imap(1), subject), 20, 0.3)
        found = by_subject(peer.imap(1), subject)
        report.check(f"{subject}: taken, and taken there", code == 250 and len(found) == 1,
                     (code, said, peer.text()[-1500:]))
        return found[0] if found else (email.message_from_string(""), b"")

    head, text = passed_on("author gives way", "orla@origin.test",
                           mail_of("orla@origin.test", "fwd@one.test", "author gives way"))
    results = " ".join(head.get_all("Authentication-Results") or [])
    report.check("a p=reject author without a signature gives way to the alias",
                 head["From"] == '"Orla via one.test" <fwd@one.test>' and
                 head["Reply-To"] == "Orla <orla@origin.test>" and
                 head["X-Original-From"] == "Orla <orla@origin.test>", text)
    report.check("... whose domain has signed it, as DMARC there finds", "dmarc=pass" in results and
                 re.search(r"dkim=pass .*header\.d=one\.test", results), results)
    report.check("... text and other fields stay", text.replace(b"\r\n", b"\n").endswith(
        mail_of("x", "fwd@one.test", "author gives way").split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n")) and
        head["To"] == "fwd@one.test" and head["Message-ID"] == "<author.gives.way@origin.test>", text)
    with report.case("dkimpy looks at what was rewritten"):
        from_us = text[text.index(b"ARC-Seal:"):]
        verdict, sealers, said, why = seals_with_dkimpy(from_us, records)
        report.check("... it is sealed as it leaves, with what was found before", verdict == b"pass" and
                     "dmarc=pass header.from=origin.test" in said, (verdict, said, why))
        report.check("... both signatures verify with dkimpy",
                     good_with_dkimpy(from_us, records) == [True, True], from_us)
    mail = mail_of("orla@origin.test", "fwd@one.test", "who gets the answer").replace(
        b"To: fwd", b"Reply-To: desk@origin.test\r\nTo: fwd")
    head, text = passed_on("who gets the answer", "orla@origin.test", mail)
    report.check("where answers go they still go", head.get_all("Reply-To") == ["desk@origin.test"] and
                 head["X-Original-From"] == "Orla <orla@origin.test>", text)
    mail = mail_of("orla@lax.test", "fwd@one.test", "nobody minds")
    head, text = passed_on("nobody minds", "orla@lax.test", mail)
    report.check("the author of a p=none domain stays, octet by octet",
                 text.replace(b"\r\n", b"\n").endswith(mail.replace(b"\r\n", b"\n")), text)


def by_script(one, peer, key, records):
    """A redirect of a Sieve script is passed on like what an alias leads out: from the door, and from the
    queue, through which a mail with several recipients goes."""
    path = pathlib.Path(one.folder) / "out.sieve"
    path.write_text('redirect "u0001@far.test";\n')
    done = one.ctl("account", "sieve", "sue@one.test", str(path))
    report.check("a script redirects to a server outside", done.returncode == 0, done)
    for subject, also in (("by script", ()), ("by script, from the queue", ("alice@one.test",))):
        mail = signed(key, mail_of("orla@origin.test", "sue@one.test", subject))
        code, said = hand_in(SERVERS["one.test"], "orla@origin.test", "sue@one.test", mail, also=also)
        lab.wait_for(lambda: by_subject(peer.imap(1), subject), 20, 0.3)
        found = by_subject(peer.imap(1), subject)
        report.check(f"{subject}: a p=reject domain's mail arrives at a server that enforces DMARC", code == 250 and
                     len(found) == 1, (code, said, peer.text()[-1500:]))
        head, text = found[0] if found else (email.message_from_string(""), b"")
        results = " ".join(head.get_all("Authentication-Results") or [])
        report.check("... which found DKIM good, and DMARC", "dkim=pass" in results and "dmarc=pass" in results, results)
        report.check("... octet by octet what it was, and it tells where it has been", text.replace(b"\r\n", b"\n").endswith(
            mail.replace(b"\r\n", b"\n")) and "sue@one.test" in [str(v) for v in head.get_all("Delivered-To") or []], text)
        verdict, sealers, said, why = seals_with_dkimpy(text, records)
        report.check("... sealed by us, with what we found out", verdict == b"pass" and sealers == ["one.test"] and
                     "dmarc=pass header.from=origin.test" in said and "arc=none" in said, (verdict, sealers, said, why))
        sender = str(head["Return-Path"]).strip("<>")
        report.check("... and its sender leads back", re.fullmatch(
            r"SRS0=[a-z2-7]{6}=[A-Z2-7]{2}=origin\.test=orla@one\.test", sender), sender)
        subject += ", unsigned"
        code, said = hand_in(SERVERS["one.test"], "orla@origin.test", "sue@one.test",
                             mail_of("orla@origin.test", "sue@one.test", subject), also=also)
        lab.wait_for(lambda: by_subject(peer.imap(1), subject), 20, 0.3)
        found = by_subject(peer.imap(1), subject)
        report.check(f"{subject}: the author gives way, and it is taken there", code == 250 and len(found) == 1 and
                     found[0][0]["From"] == '"Orla via one.test" <sue@one.test>', (code, said, found))
    report.check("who redirects keeps nothing", not inbox(one.imap("sue", PASSWORD)))
    text = mail_of("mailer-daemon@far.test", sender, "back from a script").replace(b"Date:", b"X-A: multipart/report\r\nDate:")
    report.check("a report to that sender is taken", hand_in(SERVERS["one.test"], "", sender, text)[0] == 250)
    lab.wait_for(lambda: reports_at_origin("back from a script"), 20)
    report.check("... and reaches the first sender", len(reports_at_origin("back from a script")) == 1)
    code, said = hand_in(SERVERS["one.test"], "eve@good.test", "sue@one.test",
                         mail_of("eve@doubt.test", "sue@one.test", "in doubt, by script"))
    def junk():
        client = one.imap("sue", PASSWORD)
        return client.select("Junk")[1] == [b"1"]
    report.check("suspect mail is not redirected: it is in the junk of who has the script", code == 250 and
                 lab.wait_for(junk, 10, 0.3) and not by_subject(peer.imap(1), "in doubt, by script"), (code, said))


def back(sender):
    """A report to that sender, from the server that took the mail."""
    local, changed = sender.split("@")[0], {}
    parts = local.split("=")
    changed["a forged hash"] = "=".join([parts[0], "aaaaaa" if parts[1] != "aaaaaa" else "bbbbbb", *parts[2:]])
    changed["another address"] = "=".join([*parts[:4], "eve"])
    changed["another domain"] = "=".join([*parts[:3], "good.test", parts[4]])
    changed["another day"] = "=".join([*parts[:2], "AA", *parts[3:]])
    text = mail_of("mailer-daemon@far.test", sender, "it came back").replace(b"Date:", b"X-A: multipart/report\r\nDate:")
    one = SERVERS["one.test"]
    report.check("a report to it is taken", hand_in(one, "", sender, text)[0] == 250)
    lab.wait_for(lambda: reports_at_origin("it came back"), 20)
    came = reports_at_origin("it came back")
    report.check("... and reaches the first sender, once, from <>", len(came) == 1 and
                 came[0][2] == ["orla@origin.test"] and "<>" in came[0][1], came)
    report.check("also when somebody changed the case of its letters",
                 hand_in(one, "", sender.lower(), text)[0] == 250)
    for what, local in changed.items():
        code, said = hand_in(one, "", local + "@one.test", text)
        report.check(f"{what} is refused", code == 550 and "not made here" in said, (code, said))
    code, said = hand_in(one, "eve@good.test", sender, text)
    report.check("no mail but reports passes", code == 550 and "reports" in said, (code, said))
    code, said = hand_in(one, "", sender.replace("one.test", "two.test"), text)
    report.check("another server does not take it", code == 550, (code, said))


def second(one, two, peer, key, records):
    mail = signed(key, mail_of("orla@origin.test", "chain@one.test", "passed on twice"))
    hand_in(SERVERS["one.test"], "orla@origin.test", "chain@one.test", mail)
    lab.wait_for(lambda: by_subject(peer.imap(1), "passed on twice"), 20, 0.3)
    found = by_subject(peer.imap(1), "passed on twice")
    report.check("through two forwarders", len(found) == 1, peer.text()[-800:])
    with report.case("dkimpy looks at both seals"):
        verdict, sealers, said, why = seals_with_dkimpy(found[0][1], records)
        report.check("each has sealed it, and dkimpy finds both good", verdict == b"pass" and
                     sealers == ["one.test", "two.test"], (verdict, sealers, why, found[0][1]))
        report.check("... and the second one says that the first was good", re.search(
            r"dmarc=pass .*arc=pass header\.oldest-pass=0 smtp\.remote-ip=127\.0\.0\.71", said), said)
    sender = str(found[0][0]["Return-Path"]).strip("<>") if found else ""
    report.check("the second one's sender names the first one", re.fullmatch(
        r"SRS1=[a-z2-7]{6}=one\.test==[a-z2-7]{6}=[A-Z2-7]{2}=origin\.test=orla@two\.test", sender), sender)
    text = mail_of("mailer-daemon@far.test", sender, "back twice").replace(b"Date:", b"X-A: multipart/report\r\nDate:")
    report.check("a report to it is taken", hand_in(SERVERS["two.test"], "", sender, text)[0] == 250)
    lab.wait_for(lambda: reports_at_origin("back twice"), 20)
    report.check("... and comes back through both", len(reports_at_origin("back twice")) == 1,
                 two.text()[-800:] + one.text()[-800:])


def loops(one, key):
    hand_in(SERVERS["one.test"], "orla@origin.test", "ping@one.test",
            signed(key, mail_of("orla@origin.test", "ping@one.test", "round and round")))
    lab.wait_for(lambda: reports_at_origin("round and round"), 30)
    told = reports_at_origin("round and round")
    report.check("what goes round between two forwarders ends, and its sender is told, once", len(told) == 1 and
                 b"goes round" in told[0][3], told)
    passes = one.text().count("ping@one.test")
    report.check("... after one round", passes < 12, passes)


def own_mail_stays(one):
    one.submit("alice", PASSWORD, ["tofar@one.test"], mail_of("alice@one.test", "tofar@one.test", "our own").decode())
    lab.wait_for(lambda: kept("good", "our own"), 20)
    found = kept("good", "our own")
    report.check("mail of our own people keeps its sender", len(found) == 1 and
                 "<alice@one.test>" in found[0][0], found)
    report.check("... and is signed, but not sealed", len(found) == 1 and b"DKIM-Signature:" in found[0][2] and
                 b"ARC-" not in found[0][2], found)


def mute_stays(mute, key):
    """arc.seal = no, forward.rewrite-from = no: mail is passed on as it came, whatever becomes of it."""
    for subject, change in (("signed and unsealed", lambda mail: signed(key, mail)), ("kept as it is", lambda mail: mail)):
        mail = change(mail_of("orla@origin.test", "fwd@mute.test", subject))
        code, said = hand_in(SERVERS["mute.test"], "orla@origin.test", "fwd@mute.test", mail)
        lab.wait_for(lambda: kept("good", subject), 20)
        found = kept("good", subject)
        text = found[0][2].replace(b"\r\n..", b"\r\n.") if found else b""
        report.check(f"{subject}: passed on octet by octet", code == 250 and len(found) == 1 and
                     text.endswith(mail), (code, said, found))
        report.check("... and nothing of it is sealed, though there are keys", text and b"ARC-" not in text and
                     b"d=mute.test" not in text, text)


def suspect(one):
    text = lambda to, subject: mail_of("eve@doubt.test", to, subject)
    address = SERVERS["one.test"]
    code, said = hand_in(address, "eve@good.test", "tofar@one.test", text("tofar@one.test", "in doubt"))
    report.check("suspect mail is not passed on, and its sender hears of that", code == 550 and
                 "not passed on" in said, (code, said))
    code, said = hand_in(address, "eve@good.test", "team@one.test", text("team@one.test", "in doubt, for two"))
    report.check("... but taken for those who are here", code == 250, (code, said))
    def junk():
        client = one.imap("alice", PASSWORD)
        return client.select("Junk")[1] == [b"1"]
    report.check("... and is in their junk", lab.wait_for(junk, 10, 0.3))
    report.check("... and nowhere else", not kept("good", "in doubt"), kept("good", "in doubt"))


# ---- all of it --------------------------------------------------------------------------

def main(folder):
    run("openssl", "genrsa", "-traditional", "-out", folder / "origin.pem", "2048")
    key = (folder / "origin.pem").read_bytes()
    public = run("openssl", "rsa", "-in", folder / "origin.pem", "-pubout", "-outform", "DER")
    origin_record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
    resolv = compiled(lab.ROOT / "tests/interop/resolv.c", "-shared", "-fPIC", "-ldl")
    for name in ("names", "milters"):
        os.makedirs(folder / name)
        os.chmod(folder / name, 0o755)
    listeners = [internet.Listener(name, address, PORT) for name, address in LISTENERS.items()]
    with internet.Names(folder / "names", zones(origin_record)) as names:
        milters = Milters(folder / "milters", origin_record, resolv, names.port)
        milters.begin()

        def ours(domain, **more):
            return internet.Served(folder / domain, domain, SERVERS[domain], PORT, more | {
                "dns.server": f"127.0.0.1:{names.port}", "dns.trust-anchors": "none",
                "mta.source": SERVERS[domain], "trust.friends": "127.0.0.250", "queue.retry-first": "1 s", "queue.retry-max": "2 s"})

        with (Peer(str(folder / "far.test"), 1, domain="far.test", place=(SERVERS["far.test"], PORT),
                   env={"LD_PRELOAD": resolv, "DNS_PORT": str(names.port)},
                   settings={"smtp_tcp_port": PORT, "mynetworks": "127.0.0.250/32",
                             "smtpd_milters": " ".join(f"inet:127.0.0.1:{port}" for port in milters.ports),
                             "milter_default_action": "tempfail",
                             "smtpd_relay_restrictions": "reject_unauth_destination",
                             "smtpd_recipient_restrictions":
                                 "check_recipient_access inline:{nobody@far.test=REJECT}"}) as peer,
              ours("one.test") as one, ours("two.test") as two, ours("mute.test", **{
                  "arc.seal": "no", "forward.rewrite-from": "no"}) as mute):
            for server in (one, two, mute):
                server.people(alice=PASSWORD, sue=PASSWORD)
            for server, alias, to in ((one, "fwd", "u0001@far.test"), (one, "lost", "nobody@far.test"),
                                      (one, "chain", "chain@two.test"), (two, "chain", "u0001@far.test"),
                                      (one, "ping", "pong@two.test"), (two, "pong", "ping@one.test"),
                                      (one, "tofar", "x@good.test"), (mute, "fwd", "x@good.test"),
                                      (one, "team", "alice@one.test x@good.test")):
                done = server.ctl("alias", "add", f"{alias}@{server.domain}", *to.split())
                assert done.returncode == 0, done.stderr
            with report.case("signing: to the end"):
                records = signing(one, names, folder, origin_record)
                own_reports_signed(one, records, folder)
                records_of_two = publish(two, names, folder, origin_record)
            with report.case("forwarding: to the end"):
                sender = through(one, peer, key, records)
                back(sender)
            with report.case("without signatures: to the end"):
                milters.add_keys(records)
                unsigned(one, peer, records)
            with report.case("by script: to the end"):
                by_script(one, peer, key, records)
            with report.case("a second forwarder: to the end"):
                second(one, two, peer, key, records + records_of_two)
            with report.case("loops: to the end"):
                loops(one, key)
            with report.case("suspect mail: to the end"):
                suspect(one)
            with report.case("our own: to the end"):
                own_mail_stays(one)
            with report.case("neither sealed nor rewritten: to the end"):
                publish(mute, names, folder, origin_record)
                mute_stays(mute, key)
            for server in (one, two, mute):
                report.check(f"nothing has crashed at {server.domain}", "process ended" not in server.text(),
                             server.text()[-600:])
        milters.end()
    for listener in listeners:
        listener.shutdown()


if __name__ == "__main__":
    place = pathlib.Path(tempfile.mkdtemp(prefix="postrider-forward-"))
    os.chmod(place, 0o755)
    try:
        main(place)
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(place, ignore_errors=True)
    report.close()
