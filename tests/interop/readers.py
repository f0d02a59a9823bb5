#!/usr/bin/python3
"""Programs that people read their mail with, at a mailbox of a few hundred real messages:
offlineimap, neomutt, alpine, aerc, imapflow.  Each reads all of it, changes it, and must see what
another client changed meanwhile; what it saw and did is compared with what IMAP says is there.
They run beside each other, each as a person of its own."""
import base64, concurrent.futures, email, json, os, pathlib, queue, re, subprocess, sys, threading, time

import lab
from person import FEW, MESSAGES, Person, number_of, same, write

LETTERS = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "T": "\\Deleted", "D": "\\Draft"}
report = lab.Report()

# ---- offlineimap ---------------------------------------------------------------------


class Maildir:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def files(self, box="INBOX"):
        return {number_of(path.read_bytes()): path for kind in ("cur", "new")
                for path in (self.folder / box / kind).iterdir()}

    def there(self, box="INBOX"):
        paths = [path for kind in ("cur", "new") for path in (self.folder / box / kind).iterdir()]
        seen = {number_of(path.read_bytes()): frozenset(
            LETTERS[letter] for letter in path.name.partition(":2,")[2] if letter in LETTERS) for path in paths}
        assert len(seen) == len(paths), "a message is there twice"
        return seen

    def flag(self, number, letters):
        path = self.files()[number]
        os.rename(path, path.parent.parent / "cur" / (path.name.partition(":2,")[0] + ":2," + letters))


def offlineimap(person):
    config = write(person.folder, "offlineimaprc", f"""\
        [general]
        metadata = {person.folder}/metadata
        accounts = one
        [Account one]
        localrepository = near
        remoterepository = far
        [Repository near]
        type = Maildir
        localfolders = {person.folder}/maildir
        [Repository far]
        type = IMAP
        remotehost = 127.0.0.1
        remoteport = {person.server.port('imap')}
        remoteuser = {person.name}
        remotepass = pass
        ssl = no
        starttls = no
        folderfilter = lambda name: name in ("INBOX", "Kept")
        """)
    near = Maildir(person.folder + "/maildir")

    def synchronise():
        lab.run(["offlineimap", "-c", config, "-o", "-u", "basic"], env=dict(os.environ, HOME=person.folder))

    def agrees():
        for box in ("INBOX", "Kept"):
            same(near.there(box), person.there(box))

    with report.case("offlineimap brings every message with its flags"):
        synchronise()
        agrees()
    with report.case("offlineimap brings the texts, as Python's email writes them anew"):
        for number, path in near.files().items():
            parsed = email.message_from_bytes(person.texts[number].replace(b"\r\n", b"\n"))
            kept, wanted = [b"".join(text.split()) for text in (path.read_bytes(), parsed.as_bytes())]
            assert kept == wanted, (number, kept, wanted)
    with report.case("offlineimap carries changes in both directions"):
        near.flag(1, "FS")
        near.flag(2, "")
        near.files()[3].unlink()
        new = near.folder / "Kept/new/1.new"
        new.write_bytes(person.texts[5].replace(b"X-Number: 5\r\n", b"X-Number: 5000\r\n").replace(b"\r\n", b"\n"))
        person.change("STORE", [7, 8, 9], "+FLAGS", "(\\Flagged \\Seen)")
        person.change("STORE", [10, 11], "+FLAGS", "(\\Deleted)")
        person.change("MOVE", [12, 13], "Kept")
        brought = person.bring()
        synchronise()
        agrees()
        there, kept = person.there(), person.there("Kept")
        assert there[1] == {"\\Seen", "\\Flagged"} and not there[2] and brought in there
        assert not {3, 10, 11, 12, 13} & there.keys() and kept.keys() == {12, 13, 5000}
    with report.case("offlineimap has nothing to do the second time"):
        before = person.uids()
        synchronise()
        agrees()
        assert person.uids() == before


# ---- programs with a terminal -----------------------------------------------------------


class Terminal:
    """A program in a terminal that is high enough to show the whole list."""

    def __init__(self, person, command, rows=400):
        self.name = f"{person.name}-{os.getpid()}"
        self.tmux("new-session", "-d", "-x", "120", "-y", str(rows), "-s", "it", "-c", person.folder,
                  f"env HOME={person.folder} XDG_CACHE_HOME={person.folder}/cache TERM=screen LC_ALL=C.UTF-8 {command}")

    def tmux(self, *words):
        return lab.run(["tmux", "-L", self.name, "-f", "/dev/null", *words])

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "it", *keys)

    def type(self, text):
        self.tmux("send-keys", "-t", "it", "-l", text)

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "it")

    def shows(self, *texts, seconds=20):
        if not lab.wait_for(lambda: all(re.search(text, self.screen()) for text in texts), seconds, 0.1):
            raise RuntimeError(f"{texts} is not on the screen: " + re.sub(r"\s*\n\s*", "\n", self.screen())[-1500:])

    def is_open(self):
        return subprocess.run(["tmux", "-L", self.name, "has-session"], capture_output=True).returncode == 0

    def close(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True)


def mbox_there(path):
    """{number: flags} of a folder of mutt's or alpine's kind, and the texts."""
    there, texts = {}, {}
    for mail in re.split(rb"(?m)^From .*\n(?=(?:[^\n]+\n)*X-Number: )", pathlib.Path(path).read_bytes())[1:]:
        head = mail.partition(b"\n\n")[0]
        letters = b"".join(re.findall(rb"(?m)^(?:X-)?Status: ([A-Z]*)", head)).decode()
        number = int(re.search(rb"(?m)^X-Number: (\d+)", head)[1])
        assert number not in there, number
        there[number] = frozenset(flag for letter, flag in (
            ("R", "\\Seen"), ("F", "\\Flagged"), ("A", "\\Answered"), ("T", "\\Draft")) if letter in letters)
        texts[number] = mail
    return there, texts


def mbox_of(path, count):
    """What mbox_there() gives once it has so many.  A program may write the file anew then."""
    found = ({}, {})

    def is_whole():
        nonlocal found
        found = mbox_there(path) if os.path.exists(path) else found
        return len(found[0]) == count

    return found if lab.wait_for(is_whole, 30, 0.2) else None


def plain(mail):
    """Without what a program adds for its mbox, and without white space."""
    head, _, body = mail.replace(b"\r\n", b"\n").partition(b"\n\n")
    head = re.sub(rb"(?m)^((X-)?Status|Content-Length|Lines|X-(Keywords|UID|IMAP(base)?)): .*(\n|\Z)", b"", head)
    return b"".join((head + body.replace(b"\n>From ", b"\nFrom ")).split())


def neomutt(person):
    os.makedirs(person.folder + "/headers")
    config = write(person.folder, "neomuttrc", f"""\
        set folder = "imap://{person.name}@127.0.0.1:{person.server.port('imap')}/"
        set imap_pass = "pass" spoolfile = "+INBOX"
        set ssl_starttls = no ssl_force_tls = no
        set header_cache = "{person.folder}/headers" message_cachedir = "{person.folder}/bodies"
        set imap_condstore = yes imap_qresync = yes imap_idle = yes
        set sort = mailbox-order index_format = "%4C %Z %s" help = no
        set quit = yes beep = no mail_check = 1 timeout = 1 confirmappend = no delete = yes move = no
        set mark_old = no wait_key = no
        """)

    def started():
        terminal = Terminal(person, f"neomutt -F {config}")
        terminal.shows(rf"\b{len(person.there())} ")
        return terminal

    def kept(terminal, name):
        """What neomutt copies to a file of its own."""
        path = f"{person.folder}/{name}"
        terminal.type("T~A\n")
        terminal.type(f";C{path}\n")
        terminal.shows(r"(?i)create|append")
        terminal.type("y")
        found = mbox_of(path, len(person.there()))
        if not found:
            raise RuntimeError(terminal.screen()[-500:])
        return found

    terminal = started()
    try:
        with report.case("neomutt reads every message as it is, with its flags"):
            there, texts = kept(terminal, "first")
            same(there, person.there())
            for number, text in texts.items():
                assert plain(text) == plain(person.texts[number]), (number, text)
        with report.case("neomutt flags, deletes, copies and moves"):
            terminal.keys("C-t")
            terminal.type("~A\n")
            terminal.type("2\nF3\nd5\nC=Kept\n6\ns=Kept\n7\nN$")
            assert lab.wait_for(lambda: person.there("Kept").keys() == {4, 5}, 20, 0.2), person.there("Kept")
            assert lab.wait_for(lambda: len(person.there()) == len(MESSAGES) - 2, 20, 0.2)
            now = person.there()
            assert "\\Flagged" in now[1] and not {2, 5} & now.keys() and "\\Seen" not in now[6], now[6]
        with report.case("neomutt shows at once what others bring and remove"):
            number = person.bring()
            terminal.shows(f"number {number}")
            person.change("STORE", [number], "+FLAGS", "(\\Deleted)")
            assert lab.wait_for(lambda: f"number {number}" not in terminal.screen(), 20, 0.2)
    finally:
        terminal.type("q")
        lab.wait_for(lambda: not terminal.is_open(), 10, 0.1)
        terminal.close()
    person.change("STORE", [10, 11, 12], "+FLAGS", "(\\Deleted)")
    person.change("STORE", [13, 14], "FLAGS", "(\\Flagged)")
    person.bring(flags="\\Answered")
    terminal = started()
    try:
        with report.case("neomutt comes back with its cache of headers and finds what has changed"):
            assert any(path.stat().st_size > 10000 for path in pathlib.Path(person.folder, "headers").rglob("*"))
            same(kept(terminal, "second")[0], person.there())
    finally:
        terminal.close()


def alpine(person):
    far = f"{{127.0.0.1:{person.server.port('imap')}/user={person.name}/notls}}"
    config = write(person.folder, "pinerc", f"""\
        personal-name=User
        user-domain=postrider.test
        inbox-path={far}INBOX
        folder-collections=near {person.folder}/mail/[]
        feature-list=enable-aggregate-command-set,quit-without-confirm,expunge-without-confirm,enable-flag-cmd,
            expunge-without-confirm-everywhere,no-enable-flag-screen-implicitly,no-allow-changing-from,save-will-not-delete
        index-format=MSGNO STATUS SUBJECT(80)
        sort-key=Arrival
        mail-check-interval=15
        last-version-used=9.99
        """)
    os.makedirs(person.folder + "/mail")

    def started():
        terminal = Terminal(person, f"alpine -p {config} -i")
        terminal.shows("(?i)password:")
        terminal.type("pass\n")
        terminal.shows("Preserve password")
        terminal.type("n")
        terminal.shows('Folder "INBOX" opened with')
        return terminal

    def kept(terminal, name):
        """What alpine saves to a folder of its own."""
        terminal.type(";AAS")
        terminal.shows("SAVE .* to folder")
        terminal.type(f"{name}\n")
        terminal.shows("(?i)create")
        terminal.type("y")
        found = mbox_of(f"{person.folder}/mail/{name}", len(person.there()))
        if not found:
            raise RuntimeError(terminal.screen()[-500:])
        return found

    terminal = started()
    try:
        with report.case("alpine reads every message as it is, with its flags"):
            truth = person.there()
            there, texts = kept(terminal, "first")
            same(there, truth)
            for number, text in texts.items():
                assert plain(text) == plain(person.texts[number]), (number, text)
        with report.case("alpine flags, deletes, copies and expunges"):
            terminal.type(";A")  # nothing is selected any more
            for step in ("J", "2\n", "*", "\n", "J", "3\n", "D", "J", "5\n", "S"):
                terminal.type(step)
                time.sleep(0.3)
            terminal.shows("SAVE .* to folder")
            terminal.type(f"{far}Kept\n")
            assert lab.wait_for(lambda: person.there("Kept").keys() == {4}, 20, 0.2), terminal.screen()[-500:]
            terminal.type("X")
            assert lab.wait_for(lambda: len(person.there()) == len(MESSAGES) - 1, 20, 0.2), terminal.screen()[-500:]
            now = person.there()
            assert "\\Flagged" in now[1] and 2 not in now, (now[1], 2 in now)
        with report.case("alpine shows what others bring"):
            number = person.bring()
            terminal.shows(f"number {number}", seconds=40)  # it looks every 15 s
    finally:
        terminal.type("QY")
        lab.wait_for(lambda: not terminal.is_open(), 10, 0.1)
        terminal.close()
    person.change("STORE", [10, 11, 12], "+FLAGS", "(\\Deleted)")
    person.change("STORE", [13, 14], "FLAGS", "(\\Flagged)")
    person.bring(flags="\\Answered")
    terminal = started()
    try:
        with report.case("alpine comes back and finds what has changed"):
            truth = person.there()
            same(kept(terminal, "second")[0], truth)
    finally:
        terminal.close()


def aerc(person):
    write(person.folder, ".config/aerc/accounts.conf", f"""\
        [one]
        source = imap+insecure://{person.name}:pass@127.0.0.1:{person.server.port('imap')}
        default = INBOX
        from = User <user@postrider.test>
        cache-headers = true
        """)
    write(person.folder, ".config/aerc/aerc.conf", """\
        [ui]
        index-format = %Z %s
        mouse-enabled = false
        [filters]
        text/plain = cat
        """)
    write(person.folder, "take", '#!/bin/sh\ncat >"$1"\n', 0o700)

    def started():
        terminal = Terminal(person, "aerc", FEW + 10)
        terminal.shows(r"\[one\] Connected")
        return terminal

    def order(terminal, text):
        terminal.type(f":{text}\n")

    def kept(terminal, name):
        """The messages in what aerc pipes all of them into, by number."""
        count, path = len(person.there()), pathlib.Path(person.folder, name)

        def is_marked():  # it refuses while it is loading
            order(terminal, "mark -a")
            return not lab.wait_for(lambda: "still loading" in terminal.screen(), 1) and "*" in terminal.screen()

        assert lab.wait_for(is_marked, 30, 0.5), terminal.screen()
        order(terminal, f"pipe -m -b ./take {name}")

        def texts():
            mails = re.split(rb"(?m)^From \?\?\?@\?\?\? .*\r?\n", path.read_bytes())[1:] if path.exists() else []
            return {number_of(mail): mail for mail in mails}

        assert lab.wait_for(lambda: len(texts()) >= count, 40, 0.3), (len(texts()), terminal.screen()[-300:])
        order(terminal, "unmark -a")
        return texts()

    terminal = started()
    try:
        with report.case("aerc reads every message as it is"):
            texts = kept(terminal, "first")
            assert texts.keys() == person.there().keys()
            for number, text in texts.items():
                assert plain(text) == plain(person.texts[number]), (number, text)
        with report.case("aerc flags, copies, moves and deletes"):
            last = FEW - 1  # it shows the newest first
            order(terminal, "select 0")
            order(terminal, "flag -x Answered")
            order(terminal, "copy Kept")
            assert lab.wait_for(lambda: person.there("Kept").keys() == {last}, 20, 0.2), terminal.screen()
            order(terminal, "select 1")
            order(terminal, "move Kept")
            assert lab.wait_for(lambda: person.there("Kept").keys() == {last, last - 1}, 20, 0.2), terminal.screen()
            order(terminal, "select 1")
            order(terminal, "delete")
            assert lab.wait_for(lambda: last - 2 not in person.there(), 20, 0.2), terminal.screen()
            assert person.there().keys() == set(range(last - 2)) | {last}
            assert "\\Answered" in person.there()[last], person.there()[last]
        with report.case("aerc shows at once what others bring and remove"):
            number = person.bring()
            terminal.shows(f"number {number}")
            person.change("STORE", [number], "+FLAGS", "(\\Deleted)")
            assert lab.wait_for(lambda: f"number {number}" not in terminal.screen(), 20, 0.2), terminal.screen()
    finally:
        order(terminal, "quit")
        lab.wait_for(lambda: not terminal.is_open(), 10, 0.1)
        terminal.close()
    person.change("STORE", [10, 11, 12], "+FLAGS", "(\\Deleted)")
    person.bring()
    terminal = started()
    try:
        with report.case("aerc comes back with its cache of headers and finds what has changed"):
            assert kept(terminal, "second").keys() == person.there().keys()
    finally:
        terminal.close()


# ---- imapflow ------------------------------------------------------------------------


class Imapflow:
    folder = lab.ROOT / "tests/interop/imapflow"

    def __init__(self, person, is_qresync):
        if not (self.folder / "node_modules/imapflow").exists():
            raise RuntimeError("imapflow is not installed; tools/deps build test does that, if npm's registry can be reached")
        self.process = subprocess.Popen(
            ["node", "client.mjs", str(person.server.port("imap")), person.name, "yes" if is_qresync else "no"],
            cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said, self.events = queue.Queue(), []
        threading.Thread(target=self.listen, daemon=True).start()
        self.capabilities = self.answer()

    def listen(self):
        for line in self.process.stdout:
            said = json.loads(line)
            (self.events.append if "event" in said else self.said.put)(said)
        self.said.put({"error": "imapflow has ended"})

    def answer(self):
        said = self.said.get(timeout=60)
        if "error" in said:
            raise RuntimeError(said["error"])
        return said["did"]

    def do(self, verb, **more):
        self.process.stdin.write(json.dumps({"do": verb, **more}) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def heard(self, event, **wanted):
        return lab.wait_for(lambda: any(
            e["event"] == event and all(e.get(name) == value for name, value in wanted.items()) for e in self.events), 20)

    def close(self):
        self.process.kill()
        self.process.wait()


def imapflow(person, is_qresync):
    title = "imapflow with QRESYNC" if is_qresync else "imapflow"
    client = Imapflow(person, is_qresync)
    try:
        imapflow_reads(title, person, client)
        imapflow_changes(title, person, client)
        imapflow_is_pushed(title, person, client, is_qresync)
        client.do("leave")
    finally:
        client.close()


def imapflow_reads(title, person, client):
    with report.case(f"{title} reads every message as it is"):
        client.do("open", box="INBOX")
        read = client.do("read")
        truth = person.uids()
        assert {m["uid"]: (number_of(base64.b64decode(m["source"])), frozenset(m["flags"])) for m in read} == truth
        for message in read:
            text = base64.b64decode(message["source"])
            assert text == person.texts[number_of(text)], number_of(text)
    with report.case(f"{title} understands every envelope and structure"):
        shown = client.do("structure")
        assert {m["uid"] for m in shown} == truth.keys()
        for message in shown:
            assert message["size"] == len(person.texts[truth[message["uid"]][0]])
            assert "/" in message["bodyStructure"]["type"] and "envelope" in message
    with report.case(f"{title} finds the mailboxes and what they are for"):
        uses = {box["path"]: box.get("specialUse") for box in client.do("boxes")}
        assert uses["INBOX"] == "\\Inbox" and "Kept" in uses, uses
        assert client.do("status", box="Kept")["messages"] == 0


def imapflow_changes(title, person, client):
    uid = {number: uid for uid, (number, _) in person.uids().items()}
    with report.case(f"{title} flags, copies, moves, deletes and appends"):
        assert client.do("flag", uids=f"{uid[1]}", add=["\\Seen", "\\Flagged", "$Work"])
        assert client.do("flag", uids=f"{uid[0]}", remove=["\\Seen"])
        copied = client.do("copy", uids=f"{uid[4]},{uid[5]}", to="Kept")
        assert [source for source, _ in copied["uidMap"]] == [uid[4], uid[5]], copied
        moved = client.do("move", uids=f"{uid[6]}:{uid[8]}", to="Kept")
        assert [source for source, _ in moved["uidMap"]] == [uid[6], uid[7], uid[8]], moved
        assert client.do("remove", uids=f"{uid[9]}")
        text = person.texts[9].replace(b"X-Number: 9\r\n", b"X-Number: 5000\r\n")
        appended = client.do("append", to="Kept", text=base64.b64encode(text).decode(), flags=["\\Seen"])
        there, kept = person.there(), person.there("Kept")
        assert there[1] == {"\\Seen", "\\Flagged", "$Work"} and "\\Seen" not in there[0]
        assert not {6, 7, 8, 9} & there.keys() and kept.keys() == {4, 5, 6, 7, 8, 5000}
        assert person.uids("Kept")[appended["uid"]] == (5000, {"\\Seen"})
        assert client.do("search", query={"keyword": "$Work"}) == [uid[1]]


def imapflow_is_pushed(title, person, client, is_qresync):
    truth = person.uids()
    uid = {number: uid for uid, (number, _) in truth.items()}
    with report.case(f"{title} hears in IDLE what others do"):
        since = client.do("status", box="INBOX")["highestModseq"]
        client.events.clear()
        client.do("idle")
        person.bring()
        assert client.heard("exists", count=len(truth) + 1), client.events
        person.change("STORE", [20], "FLAGS", "(\\Answered)")
        assert client.heard("flags", uid=uid[20], flags=["\\Answered"]), client.events
        person.change("STORE", [21], "+FLAGS", "(\\Deleted)")
        place = sorted(truth).index(uid[21]) + 1
        gone = {"uid": uid[21], "vanished": True} if is_qresync else {"seq": place}
        assert client.heard("expunge", **gone), client.events
    with report.case(f"{title} asks for what has changed since"):
        changed = {m["uid"] for m in client.do("list", since=since)}
        now = person.uids()
        assert changed == (now.keys() - truth.keys()) | {uid[20]}, changed
        same({n: f for n, f in [(now[m["uid"]][0], frozenset(m["flags"])) for m in client.do("list")]}, person.there())


def main():
    steps = {"offlineimap": offlineimap, "neomutt": neomutt, "alpine": alpine, "aerc": aerc, "imapflow": lambda person: imapflow(person, False),
             "imapflow with QRESYNC": lambda person: imapflow(person, True)}
    wanted = {name: step for name, step in steps.items() if not sys.argv[1:] or any(w in name for w in sys.argv[1:])}
    with lab.Server(accounts=len(steps)) as server, concurrent.futures.ThreadPoolExecutor() as pool:
        def play(number, name, step):
            begun = time.time()
            try:
                step(Person(server, f"user{number}", FEW if name == "aerc" else len(MESSAGES)))
            except Exception as error:  # the next program still has its turn
                report.check(f"{name} goes through", False, f"{type(error).__name__}: {error}")
            print(f"     {name}: {time.time() - begun:.1f} s", flush=True)

        list(pool.map(play, range(1, len(wanted) + 1), wanted.keys(), wanted.values()))
    report.close()


if __name__ == "__main__":
    main()
