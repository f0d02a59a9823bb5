#!/usr/bin/python3
"""Thunderbird reads, changes and sends mail as its users do, without a window.  Marionette, its way in for tests, has it
do what stands in thunderbird.js.  Two people share it: one with the settings that it comes with and STARTTLS, the other with
CONDSTORE, over TLS from the start.  What it shows is compared with what IMAP says is there; its log has all that the
server told it: no NO and no BAD, and nothing that it did not understand."""
import base64, email, email.header, json, os, pathlib, re, signal, socket, ssl, subprocess

import internet, lab
from person import FEW, Person, same, write

PROGRAM = "/usr/lib/thunderbird/thunderbird"
report = lab.Report()

# Thunderbird calls nobody but us: what asks for names goes to a proxy that is not there.
QUIET = {
    "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9, "network.trr.mode": 5,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
    "app.update.enabled": False, "app.update.auto": False, "app.normandy.enabled": False,
    "extensions.update.enabled": False, "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False, "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False, "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.unified": False, "toolkit.telemetry.server": "",
    "datareporting.healthreport.uploadEnabled": False, "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True, "mailnews.start_page.enabled": False,
    "mail.inappnotifications.enabled": False, "mail.provider.enabled": False, "mail.chat.enabled": False,
    "app.donation.eoy.version.viewed": 999, "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True, "mail.winsearch.firstRunDone": True, "mail.rights.version": 1,
    "mailnews.database.global.indexer.enabled": False, "mail.biff.show_alert": False, "mail.biff.play_sound": False,
    "browser.cache.disk.enable": False, "toolkit.startup.max_resumed_crashes": -1,
}


class Marionette:
    """Firefox's and Thunderbird's protocol of remote control: LENGTH:[0, id, name, parameters] goes there, and
    LENGTH:[1, id, error, result] comes back."""

    def __init__(self, port, is_alive):
        def connects():
            if not is_alive():
                raise RuntimeError("Thunderbird has ended")
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 60)
            except ConnectionRefusedError:
                return False
            return True

        if not lab.wait_for(connects, 60, 0.1):
            raise RuntimeError("Thunderbird does not listen")
        self.file, self.count = self.socket.makefile("rb"), 0
        self.hear()

    def hear(self):
        length = b""
        while not length.endswith(b":"):
            octet = self.file.read(1)
            if not octet:
                raise RuntimeError("Thunderbird has closed the connection")
            length += octet
        return json.loads(self.file.read(int(length[:-1])))

    def order(self, name, **parameters):
        self.count += 1
        text = json.dumps([0, self.count, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, number, error, result = self.hear()
        assert number == self.count, (number, self.count)
        if error:
            raise RuntimeError(error["message"][:600])
        return result

    def close(self):
        self.file.close()
        self.socket.close()


# What nsMsgFolderFlags.idl calls them.
USES = {"INBOX": 0x1000, "Sent": 0x200, "Drafts": 0x400, "Trash": 0x100, "Archive": 0x4000, "Junk": 0x40000000}


class Thunderbird:
    script = (lab.ROOT / "tests/interop/thunderbird.js").read_text()

    def __init__(self, server, people):
        self.server, self.people = server, people
        self.folder = server.folder + "/thunderbird"
        self.profile = self.folder + "/profile"
        os.makedirs(self.profile)
        self.process, self.starts = None, 0

    def start(self):
        self.starts += 1
        port = internet.free_port()
        self.log = f"{self.folder}/log-{self.starts}"
        settings = {**QUIET, **self.settings(), "marionette.port": port}
        write(self.profile, "user.js", "".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()))
        self.process = subprocess.Popen(
            [PROGRAM, "--headless", "--no-remote", "--profile", self.profile, "--marionette", "--remote-allow-system-access"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lab.ends_with_us(), cwd=self.folder,
            start_new_session=True, env=dict(
                os.environ, HOME=self.folder, XDG_RUNTIME_DIR=self.folder, LC_ALL="C.UTF-8", MOZ_CRASHREPORTER_DISABLE="1",
                MOZ_LOG="IMAP:4,sync", MOZ_LOG_FILE=self.log, DBUS_SESSION_BUS_ADDRESS="disabled:"))
        self.marionette = Marionette(port, lambda: self.process.poll() is None)
        self.marionette.order("WebDriver:NewSession")
        self.marionette.order("Marionette:SetContext", value="chrome")

    def settings(self):
        """Accounts, each with an identity and a way out."""
        found = {"mail.accountmanager.accounts": "local", "mail.account.local.server": "local",
                 "mail.accountmanager.localfoldersserver": "local", "mail.server.local.type": "none",
                 "mail.server.local.hostname": "Local Folders", "mail.server.local.userName": "nobody",
                 "mail.smtpservers": ",".join(p.name for p in self.people),
                 "mailnews.customDBHeaders": "X-Number"}
        for person in self.people:
            name, is_tls = person.name, person.is_tls
            found["mail.accountmanager.accounts"] += "," + name
            for field, value in {"server": name, "identities": name}.items():
                found[f"mail.account.{name}.{field}"] = value
            for field, value in {
                    "type": "imap", "hostname": "127.0.0.1", "userName": name, "name": name, "authMethod": 3,
                    "port": self.server.port("imaps" if is_tls else "imap"), "socketType": 3 if is_tls else 2,
                    "login_at_startup": self.starts > 1, "check_new_mail": True, "check_time": 60,
                    **person.settings}.items():
                found[f"mail.server.{name}.{field}"] = value
            for field, value in {
                    "hostname": "127.0.0.1", "port": self.server.port("submissions" if is_tls else "submission"),
                    "username": name, "authMethod": 3, "try_ssl": 3 if is_tls else 2}.items():
                found[f"mail.smtpserver.{name}.{field}"] = value
            root = f"imap://{name}@127.0.0.1/"
            for field, value in {
                    "fullName": name, "useremail": f"{name}@postrider.test", "smtpServer": name, "valid": True,
                    "compose_html": False, "fcc": True, "fcc_folder": root + "Sent", "draft_folder": root + "Drafts",
                    "drafts_folder_picker_mode": "0", "fcc_folder_picker_mode": "0"}.items():
                found[f"mail.identity.{name}.{field}"] = value
        return found

    def do(self, person, verb, **what):
        what["user"] = person and person.name
        try:
            return self.marionette.order(
                "WebDriver:ExecuteScript", script=self.script, args=[verb, what], sandbox="system")["value"]
        except RuntimeError as error:
            raise RuntimeError(f"{verb} {what}: {error}") from None

    def case(self, person, promise):
        return report.case(f"Thunderbird{person.title} {promise}")

    def open(self, person, box="INBOX"):
        self.do(person, "open", box=box)

    def boxes(self, person):
        return self.do(person, "boxes")

    def list(self, person, box="INBOX"):
        return self.do(person, "list", box=box)

    def trust_us(self):
        """As people do who take the certificate as it is, and let passwords be kept."""
        certificate = ssl.get_server_certificate(("127.0.0.1", self.server.port("imaps"))).splitlines()
        for service in ("imap", "imaps", "submission", "submissions"):
            self.do(None, "trust", port=self.server.port(service), certificate="".join(certificate[1:-1]))
        for person in self.people:
            for origin in ("imap://127.0.0.1", "smtp://127.0.0.1"):
                self.do(person, "keepPassword", origin=origin, password="pass")

    def stop(self):
        self.do(None, "quit")
        self.marionette.close()
        self.process.wait(30)
        self.end()

    def end(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def listens(self, person):
        """Its connection for INBOX is in IDLE.  What the server tells at the end of other commands it only heeds at its
        next look, up to an hour later, so whoever wants to see whether it is told has to wait for IDLE."""
        text = pathlib.Path(self.log + ".moz_log").read_text(errors="replace")
        owner = dict(re.findall(r"IMAP (\w+):127\.0\.0\.1:\S+:ProcessCurrentURL:imap://(\w+)@", text))
        last = {connection: (state, line.strip()) for connection, state, line in re.findall(
            r"IMAP (\w+):127\.0\.0\.1:(\S+?):(?:SendData|CreateNewLineFromSocket): (.*)", text)}
        return any(owner.get(connection) == person.name and said == ("S-INBOX", "+ idling") for connection, said in last.items())

    def logged(self, what):
        """What its logs have behind these words."""
        text = b"".join(path.read_bytes() for path in pathlib.Path(self.folder).glob("log-*"))
        return re.findall(what + ": (.*)", text.decode(errors="replace"))


def lower(flags):
    return frozenset(flag.lower() for flag in flags)


def agrees(bird, person, box="INBOX", seconds=20):
    """Thunderbird shows what is there: UIDs, messages, flags."""
    def shown():
        return {m["uid"]: (m["number"], lower(m["flags"])) for m in bird.list(person, box)}

    def truth():
        return {uid: (number, lower(flags)) for uid, (number, flags) in person.uids(box).items()}

    lab.wait_for(lambda: shown() == truth(), seconds, 0.2)
    same(shown(), truth())


def comes_true(condition, detail, seconds=20):
    if not lab.wait_for(condition, seconds, 0.1):
        raise RuntimeError(str(detail()))


def subscribed(person):
    client = person.elsewhere()
    lines = client.lsub()[1]
    client.logout()
    return {line.decode().rpartition('"/" ')[2].strip('"') for line in lines}


def lines(text):
    """Thunderbird ends each line by CRLF, also one that ends by CR alone, and counts that as soon as it has the text."""
    return re.sub(rb"\r(?!\n)", b"\r\n", text)


def reads(bird, person):
    with bird.case(person, "logs in and finds the mailboxes and what they are for"):
        bird.open(person)
        comes_true(lambda: bird.boxes(person).keys() == subscribed(person), lambda: bird.boxes(person))
        comes_true(lambda: all(bird.boxes(person)[box] & bit for box, bit in USES.items()), lambda: bird.boxes(person))
    with bird.case(person, "shows every message with its flags"):
        agrees(bird, person)
        truth = person.uids()
        unseen = sum("\\Seen" not in flags for _, flags in truth.values())
        counts = bird.do(person, "counts", box="INBOX")
        assert counts == [len(truth), unseen, len(truth), max(truth) + 1], counts
    with bird.case(person, "shows subjects and sizes as they are"):
        for message in bird.list(person):
            text = person.texts[message["number"]]
            assert message["size"] in (len(text), len(lines(text)), len(lines(text)) + 2), message
            subject = str(email.message_from_bytes(text)["Subject"] or "")
            if subject.isascii() and "=?" not in subject:
                assert message["subject"] == subject, (message, subject)
            if "=F6" in subject:
                assert "Frösche" in message["subject"], message
    with bird.case(person, "brings every text as it is"):
        for message in bird.do(person, "download", box="INBOX"):
            kept = re.sub(rb"\A(X-Mozilla-[A-Za-z0-9]*:.*\n)+", b"", base64.b64decode(message["text"]))  # its own
            truth = person.texts[message["number"]]
            assert lines(kept).rstrip() == lines(truth).rstrip(), (
                message["number"], len(kept), len(truth), os.path.commonprefix([kept, truth])[-80:])
    with bird.case(person, "reads a large message piece by piece from the server"):
        text = b"X-Number: 7000\r\nSubject: large\r\n\r\n" + b"".join(b"line %d\r\n" % (n * 7919) for n in range(20000))
        bird.do(person, "keepNoTexts", box="Archive")
        client = person.elsewhere()
        assert client.append("Archive", None, None, text)[0] == "OK"
        client.logout()
        bird.open(person, "Archive")
        agrees(bird, person, "Archive")
        read = base64.b64decode(bird.do(person, "read", box="Archive", number=7000))
        assert read == text, (len(read), len(text))


def changes(bird, person):
    with bird.case(person, "marks as read, with stars and tags, as answered and as junk"):
        def mark(how, numbers, keywords=""):
            bird.do(person, "mark", box="INBOX", numbers=numbers, how=how, keywords=keywords)

        for how, numbers in (("read", [1, 3]), ("unread", [2, 4]), ("star", [1, 2]), ("unstar", [5]),
                             ("replied", [6]), ("forwarded", [8]), ("junk", [9])):
            mark(how, numbers)
        mark("tag", [1, 2, 3], "$label1")
        mark("tag", [3], "urlaub")
        # It has several connections: what is on its way by one may be overtaken by another.
        comes_true(lambda: "$label1" in lower(person.there()[2]), person.there)
        mark("untag", [2], "$label1")
        wanted = {1: {"\\seen", "\\flagged", "$label1"}, 2: {"\\flagged"}, 3: {"\\seen", "$label1", "urlaub"}, 4: set(),
                  5: set(), 6: {"\\seen", "\\answered"}, 8: {"\\seen", "$forwarded"}, 9: {"junk"}}

        def there():
            return {number: lower(flags) for number, flags in person.there().items() if number in wanted}

        comes_true(lambda: there() == wanted, there)
        agrees(bird, person)
    with bird.case(person, "makes, renames and removes mailboxes"):
        bird.do(person, "create", under="", name="Größe & Co")
        bird.do(person, "create", under="Größe & Co", name="2026")
        bird.do(person, "rename", box="Größe & Co", name="Projekte")
        comes_true(lambda: {"Projekte", "Projekte/2026"} <= subscribed(person), lambda: subscribed(person))
        bird.do(person, "moveBox", box="Projekte/2026", to="Trash")
        comes_true(lambda: "Trash/2026" in subscribed(person), lambda: subscribed(person))
        assert bird.boxes(person).keys() == subscribed(person), (bird.boxes(person), subscribed(person))
    with bird.case(person, "copies and moves"):
        bird.do(person, "carry", box="INBOX", numbers=[1, 10, 11], to="Kept", isMove=False)
        bird.do(person, "carry", box="INBOX", numbers=[12, 13], to="Kept", isMove=True)
        comes_true(lambda: person.there("Kept").keys() == {1, 10, 11, 12, 13}, lambda: person.there("Kept"))
        assert {1, 10, 11} <= person.there().keys() and not {12, 13} & person.there().keys()
        assert "$label1" in lower(person.there("Kept")[1])
        bird.open(person, "Kept")
        agrees(bird, person, "Kept")
        agrees(bird, person)
    with bird.case(person, "throws away, and empties the trash"):
        bird.do(person, "throwAway", box="INBOX", numbers=[14, 15], isForGood=False)
        bird.do(person, "throwAway", box="INBOX", numbers=[16], isForGood=True)
        comes_true(lambda: person.there("Trash").keys() == {14, 15}, lambda: person.there("Trash"))
        bird.do(person, "emptyTrash")
        comes_true(lambda: not person.there("Trash"), lambda: person.there("Trash"))
        bird.do(person, "compact", box="INBOX")
        comes_true(lambda: not {14, 15, 16} & person.there().keys(), lambda: person.there().keys())
        comes_true(lambda: "Trash/2026" not in subscribed(person), lambda: subscribed(person))
        agrees(bird, person)
    with bird.case(person, "finds what the server finds"):
        client = person.elsewhere()
        client.select("INBOX", readonly=True)
        truth = person.uids()
        for where, words in (("Subject", "Hasen"), ("Body", "Tortoise"), ("Sender", "doug"), ("Subject", "Frösche")):
            client.literal = words.encode()
            key = {"Sender": "FROM"}.get(where, where.upper())
            found = client.uid("SEARCH", "CHARSET", "UTF-8", key)[1][0].split()
            hits = bird.do(person, "search", box="INBOX", where=where, words=words)
            assert found and sorted(hits) == sorted(truth[int(uid)][0] for uid in found), (where, words, hits, found)
        client.logout()


def texts(server, name, box):
    client = server.imap(name)
    client.select(box, readonly=True)
    found = [part for part in client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1] if isinstance(part, tuple)]
    client.logout()
    return [(part[0], email.message_from_bytes(part[1])) for part in found]


def sends(bird, person):
    subject = f"Grüße von {person.name}"

    def titled(who, box, title):
        return [(head, mail) for head, mail in texts(person.server, who, box)
                if str(email.header.make_header(email.header.decode_header(mail["Subject"] or ""))) == title]

    with bird.case(person, "sends, and keeps a copy"):
        bird.do(person, "send", to="alice@postrider.test", subject=subject,
                text="Schöne Grüße\n.\nEnde\n", isDraft=False)
        comes_true(lambda: titled("alice", "INBOX", subject), lambda: "it did not arrive")
        comes_true(lambda: titled(person.name, "Sent", subject), lambda: "no copy")
        (_, came), (head, kept) = titled("alice", "INBOX", subject)[0], titled(person.name, "Sent", subject)[0]
        assert came["Message-ID"] == kept["Message-ID"] and b"\\Seen" in head, (head, kept.items())
        assert came.get_payload(decode=True) == kept.get_payload(decode=True), (came, kept)
        assert came.get_payload(decode=True).decode().splitlines()[:3] == ["Schöne Grüße", ".", "Ende"], came
    with bird.case(person, "keeps a draft"):
        bird.do(person, "send", to="alice@postrider.test", subject="Entwurf", text="Noch nicht\n", isDraft=True)
        comes_true(lambda: titled(person.name, "Drafts", "Entwurf"), lambda: "no draft")
        head, _ = titled(person.name, "Drafts", "Entwurf")[0]
        assert b"\\Draft" in head, head


def hears(bird, person):
    def heard_soon(change, *arguments, **more):
        comes_true(lambda: bird.listens(person), lambda: "it does not listen")
        done = change(*arguments, **more)
        agrees(bird, person, seconds=10)
        return done

    with bird.case(person, "shows within seconds what others bring, mark and remove"):
        number = heard_soon(person.bring)
        assert number in {message["number"] for message in bird.list(person)}
        heard_soon(person.change, "STORE", [20, 21], "FLAGS", "(\\Flagged \\Seen $label2)")
        heard_soon(person.change, "STORE", [22, number], "+FLAGS", "(\\Deleted)")


def comes_back(bird, person):
    with bird.case(person, "comes back with what it had kept and finds what has changed"):
        bird.open(person)
        agrees(bird, person)
        bird.open(person, "Kept")
        agrees(bird, person, "Kept")
        comes_true(lambda: bird.boxes(person).keys() == subscribed(person), lambda: bird.boxes(person))


def meanwhile(person):
    """What others do while Thunderbird is closed.  Where messages went it asks for all flags; elsewhere CHANGEDSINCE
    must do."""
    person.change("STORE", [10, 11], "FLAGS", "(\\Flagged $label3)", box="Kept")
    person.change("STORE", [32, 33], "FLAGS", "(\\Flagged $label3)")
    person.bring()
    person.bring("Kept", "\\Flagged")
    person.change("STORE", [30, 31], "+FLAGS", "(\\Deleted)")
    person.change("MOVE", [34, 35], "Kept")


def was_told(bird, server):
    said = bird.logged("CreateNewLineFromSocket")
    with report.case("Thunderbird was never told NO or BAD"):
        refused = [line for line in said if re.match(r"(\d+|\*) (NO|BAD|BYE)\b", line)]
        assert len(said) > 1000 and not refused, (len(said), refused)
    with report.case("Thunderbird understood every line"):
        odd = bird.logged("Syntax Error on line")
        assert not odd, odd[:5]
    with report.case("Thunderbird used STARTTLS, COMPRESS, IDLE, CONDSTORE and UTF8=ACCEPT"):
        for wanted in (r"\d+ OK Go ahead with TLS", r"\d+ OK DEFLATE", r"\+ idling", r"\* \d+ FETCH .*MODSEQ",
                       r"\* ENABLED UTF8=ACCEPT"):
            assert any(re.match(wanted, line) for line in said), wanted
    with report.case("nothing went wrong in the server meanwhile"):
        wrong = re.findall(r"(?m)^\S+ (?:WARN|ERROR) .*", pathlib.Path(server.log).read_text())
        assert not wrong, wrong


def main():
    with lab.Server(accounts=2) as server:
        plain, modern = people = [Person(server, f"user{n}", FEW) for n in (1, 2)]
        plain.title, plain.is_tls, plain.settings = "", False, {}
        modern.title, modern.is_tls, modern.settings = " with CONDSTORE", True, {"use_condstore": True}
        for person in people:
            client = person.elsewhere()
            client.subscribe("Kept")  # it shows what is subscribed
            client.logout()
        bird = Thunderbird(server, people)
        steps = [bird.start, bird.trust_us]
        steps += [lambda step=step, person=person: step(bird, person)
                  for person in people for step in (reads, changes, hears, sends)]
        steps += [bird.stop, lambda: [meanwhile(person) for person in people], bird.start]
        steps += [lambda person=person: comes_back(bird, person) for person in people]
        steps += [bird.stop, lambda: was_told(bird, server)]
        try:
            for step in steps:
                step()
        except Exception as error:
            report.check("Thunderbird goes through", False, f"{type(error).__name__}: {error}")
        finally:
            bird.end()
    report.close()


if __name__ == "__main__":
    main()
