#!/usr/bin/python3
"""People come from a real Dovecot, by its Maildirs and by IMAP, and could leave again: every
message, flag, keyword and date is the same, nothing comes twice, and an import that is killed
goes on where it was."""
import contextlib, email.utils, imaplib, json, mailbox, os, pathlib, random, re, shutil, socket
import subprocess, tempfile, threading, time

import lab
from dovecot import Dovecot

report = lab.Report()
FIRST = 1_600_000_000  # of the dates
NAMES = {  # theirs, in modified UTF-7: ours
    "INBOX": "INBOX", "Work": "Work", "Work.2024": "Work/2024", "Work.2024.May": "Work/2024/May",
    "&AMQ-rger.Caf&AOk-": "&AMQ-rger/Caf&AOk-", "Gesendet": "Sent", "Deleted Items": "Trash",
    "Empty": "Empty", "INBOX.Below": "INBOX/Below"}


def letter(number, text=None):
    if text is None:
        text = "".join(f"line {i} of {number}\r\n" for i in range(number % 7 * 40))
    return (f"Received: from a by b; {email.utils.formatdate(FIRST + number * 3600)}\r\n"
            f"From: x@example.org\r\nSubject: letter {number}\r\n"
            f"Message-ID: <{number}@test.example>\r\n\r\n{text}").encode()


def fill(client, count=360):
    """Mail in nested folders, with flags, keywords and dates."""
    flags = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Label1", "NonJunk", "todo"]
    for name in NAMES:
        if name != "INBOX":
            client.create(f'"{name}"')
    full = [name for name in NAMES if name != "Empty"]
    for i in range(count):
        mine = " ".join(flag for bit, flag in enumerate(flags) if i * 37 >> bit & 1)
        text = None if i % 50 else "no end of line, and From here\r\nFrom there\r\n>From afar"
        status, why = client.append(f'"{full[i % len(full)]}"', f"({mine})",
                                    imaplib.Time2Internaldate(FIRST + i * 7919), letter(i, text))
        assert status == "OK", why


def content(client, name):
    """[(flags, moment, octets)] by UID."""
    status, why = client.select(f'"{name}"', readonly=True)
    assert status == "OK", (name, why)
    found = []
    for item in client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            flags = set(imaplib.ParseFlags(item[0])) - {b"\\Recent"}
            date = re.search(rb'INTERNALDATE "([^"]+)"', item[0])[1].decode()
            moment = email.utils.mktime_tz(email.utils.parsedate_tz(date.replace("-", " ", 2)))
            found.append((frozenset(flag.lower() for flag in flags), moment, item[1]))
    return found


def everything(client, names):
    with client:
        return {ours: content(client, theirs) for theirs, ours in names.items()}


def same(promise, wanted, got):
    for name in wanted:
        for number, (one, other) in enumerate(zip(wanted[name], got.get(name, []))):
            if one != other:
                return report.check(promise, False, f"{name} {number}: {one} is {other}"[:1500])
    return report.check(promise, wanted == got, str({name: (len(wanted[name]), len(got.get(name, [])))
                                                     for name in wanted}))


def told(done):
    """What a command said as JSON, of its only account."""
    return json.loads(done.stdout)["accounts"][0]


def ctl(server, *words, **more):
    return subprocess.run([lab.BINARY, *words, "--json", "--dir", server.folder + "/data"],
                          capture_output=True, text=True, timeout=60, **more)


def account(server, name):
    done = ctl(server, "account", "add", f"{name}@postrider.test", "--password-stdin",
               input="correct horse\n")
    assert done.returncode == 0, done.stderr
    return f"{name}@postrider.test"


def ours(server, user):
    return everything(server.imap(user, "correct horse"), {name: name for name in NAMES.values()})


def from_dovecot(server, dovecot, wanted):
    by_files, by_imap = account(server, "files"), account(server, "imap")
    files = ["import", "maildir", by_files, dovecot.maildir("ann")]
    there = ["import", "imap", by_imap, f"localhost:{dovecot.port('imaps')}", "--user", "ann",
             "--ca", dovecot.ca, "--password-stdin"]
    count = sum(len(box) for box in wanted.values())
    dry = told(ctl(server, *files, "--dry-run"))
    report.check("a dry run counts", dry["messages"] == count, dry)
    done = ctl(server, *files)
    report.check("a Maildir is brought in", told(done)["messages"] == count and done.returncode == 0,
                 done.stdout + done.stderr)
    same("all of the Maildir is the same", wanted, ours(server, by_files))
    done = ctl(server, *there, input="secret there\n")
    report.check("another server's mail is brought in", told(done)["messages"] == count,
                 done.stdout + done.stderr)
    same("all of the server's mail is the same", wanted, ours(server, by_imap))
    again, there_again = told(ctl(server, *files)), told(ctl(server, *there, input="secret there\n"))
    report.check("the second time a Maildir brings nothing",
                 (again["messages"], again["present"]) == (0, count), again)
    report.check("nor does the server",
                 (there_again["messages"], there_again["present"]) == (0, count), there_again)
    with dovecot.imap("ann") as client:
        client.append("Work", "(\\Seen)", imaplib.Time2Internaldate(FIRST), letter(9999))
    report.check("what is new there comes", told(ctl(server, *files))["messages"] == 1 and
                 told(ctl(server, *there, input="secret there\n"))["messages"] == 1)


def strangers(server, dovecot):
    """Who is not who it should be, or does not let us in."""
    user = account(server, "careful")
    place = f"localhost:{dovecot.port('imaps')}"
    done = ctl(server, "import", "imap", user, place, "--user", "ann", "--password-stdin",
               input="secret there\n")
    report.check("a certificate that nobody we trust has signed is refused",
                 done.returncode == 1 and "certificate" in told(done)["error"], done.stdout)
    done = ctl(server, "import", "imap", user, f"127.0.0.1:{dovecot.port('imaps')}", "--user", "ann",
               "--password-stdin", "--ca", dovecot.ca, input="secret there\n")
    report.check("so is one for another name", done.returncode == 1 and told(done)["messages"] == 0,
                 done.stdout)
    done = ctl(server, "import", "imap", user, place, "--user", "ann", "--ca", dovecot.ca,
               "--password-stdin", input="wrong\n")
    report.check("a wrong password is said to be one",
                 done.returncode == 1 and "refuses" in told(done)["error"], done.stdout)
    with tempfile.NamedTemporaryFile("w") as listed:
        listed.write(f"{user} ann\nnobody@postrider.test\n")
        listed.flush()
        done = ctl(server, "import", "imap", "--all", f"localhost:{dovecot.port('imap')}",
                   listed.name, "--starttls", "--ca", dovecot.ca, "--master", "root",
                   "--password-stdin", input="of all\n")
    accounts = json.loads(done.stdout)["accounts"]
    report.check("a master brings in who is listed, by STARTTLS",
                 accounts[0]["messages"] > 300 and "error" in accounts[1], done.stdout + done.stderr)


class Cutting(threading.Thread):
    """A way to the server that is cut after so many octets, the first times."""

    def __init__(self, port, after, times):
        super().__init__(daemon=True)
        self.to, self.after, self.times, self.cuts = port, after, times, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def pump(self, source, sink, left):
        with contextlib.suppress(OSError):
            while left > 0 and (got := source.recv(8192)):
                sink.sendall(got)
                left -= len(got)
        self.cuts += left <= 0
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def run(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.to))
            left = self.after if self.cuts < self.times else 1 << 40
            for ends in ((near, far, 1 << 40), (far, near, left)):
                threading.Thread(target=self.pump, args=ends, daemon=True).start()


def cut_off(server, dovecot, wanted):
    user = account(server, "cut")
    way = Cutting(dovecot.port("imaps"), 150_000, 2)
    way.start()
    done = ctl(server, "import", "imap", user, f"localhost:{way.port}", "--user", "ann", "--ca",
               dovecot.ca, "--password-stdin", input="secret there\n")
    report.check("a lost connection is made anew", way.cuts == 2 and done.returncode == 0,
                 f"{way.cuts} {done.stdout}{done.stderr}")
    same("and nothing is missing or double", wanted, ours(server, user))


def killed(server, folder):
    """kill -9 in the middle, again and again: as soon as some more mail has come."""
    def there():
        return json.loads(server.ctl("store", "stats", "--json").stdout)["messages"]

    user, root, count = account(server, "killed"), folder + "/many", 8000
    for name in ("cur", "new", "tmp"):
        os.makedirs(f"{root}/{name}")
    for i in range(count):
        pathlib.Path(root, "cur", f"{FIRST + i}.M{i}.host:2,S").write_bytes(
            letter(i).replace(b"\r\n", b"\n"))
    words = [lab.BINARY, "import", "maildir", user, root, "--dir", server.folder + "/data"]
    kills = 0
    for _ in range(6):
        before = there()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        while process.poll() is None and there() == before:
            pass
        kills += process.poll() is None
        process.kill()
        process.wait()
    done = ctl(server, *words[1:5])
    report.check("an import that was killed is resumed", done.returncode == 0 and kills > 0 and
                 told(done)["messages"] + told(done)["present"] == count, f"{kills} {done.stdout}")
    with server.imap(user, "correct horse") as client:
        client.select("INBOX", readonly=True)
        found = [re.search(rb"<(\d+)@", item[1])[1] for item in client.fetch(
            "1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1] if isinstance(item, tuple)]
    report.check("nothing is missing, nothing double",
                 sorted(map(int, found)) == list(range(count)), f"{len(found)} {len(set(found))}")


def to_dovecot(server, dovecot, folder):
    user = "files@postrider.test"
    before = ours(server, user)
    out = folder + "/out"
    done = ctl(server, "export", "maildir", user, out)
    report.check("an account is exported as a Maildir", done.returncode == 0, done.stdout)
    again = told(ctl(server, "export", "maildir", user, out))
    report.check("again, nothing is written", again["messages"] == 0 and again["present"] > 300, again)
    box = mailbox.Maildir(out, create=False)
    report.check("Python reads that Maildir", len(box) == len(before["INBOX"]) and
                 {m["Message-ID"] for m in box} and "Work.2024" in box.list_folders())
    shutil.copytree(out, dovecot.maildir("bob"))
    dovecot.own(f"{dovecot.folder}/mail/bob")
    names = {"INBOX" if name == "INBOX" else name.replace("/", "."): name for name in NAMES.values()}
    same("Dovecot serves the export, and all is the same", before,
         everything(dovecot.imap("bob"), names))


CASES = [b"Subject: a\r\n\r\nFrom here\r\n>From there\r\n>>From afar\r\n\r\nFrom x Mon Jan  1 10:00:00 2001\r\n",
         b"Subject: b\r\nStatus: pending\r\n\r\nno line end", b"Subject: only a header\r\n\r\n",
         b"Subject: c\r\n\r\n\r\n\r\nempty lines\r\n\r\n\r\n",
         b"Subject: d\r\n\r\nfrom here, >from there\r\n", b"Subject: a\r\n\r\ntwice\r\n",
         b"Subject: a\r\n\r\ntwice\r\n", b"Subject: long\r\n\r\n" + b"x" * 600_000 + b"\r\n"]


def by_mbox(server, folder):
    user, other = account(server, "mbox"), account(server, "mboxed")
    out = folder + "/mboxes"
    with server.imap(user, "correct horse") as client:
        client.create("Work/2024")
        for i, case in enumerate(CASES):
            for box in ("INBOX", "Work/2024"):
                client.append(box, "(\\Seen \\Flagged $Label1)" if i % 2 else "(\\Draft)",
                              imaplib.Time2Internaldate(FIRST + i), case)
        names = {name: name for name in ("INBOX", "Work", "Work/2024")}
        before = everything(server.imap(user, "correct horse"), names)
    done = ctl(server, "export", "mbox", user, out)
    report.check("an account is exported as mbox", done.returncode == 0, done.stdout + done.stderr)
    read = mailbox.mbox(out + "/INBOX", create=False)
    report.check("Python reads that mbox", [m["Subject"] for m in read] ==
                 [re.search(rb"Subject: (.*)\r\n", case)[1].decode() for case in CASES] and
                 "F" in read[1].get_flags(), str([m["Subject"] for m in read]))
    done = ctl(server, "import", "mbox", other, out)
    report.check("mbox files are brought in", told(done)["messages"] == 2 * len(CASES), done.stdout)
    for name in before:  # an mbox cannot hold a message without a line end
        before[name] = [(flags, at, text if text.endswith(b"\n") else text + b"\r\n")
                        for flags, at, text in before[name]]
    same("there and back, all is the same", before, everything(server.imap(other, "correct horse"), names))
    report.check("the second time mbox brings nothing",
                 told(ctl(server, "import", "mbox", other, out))["messages"] == 0)
    spool = pathlib.Path(folder, "mboxed")
    spool.write_bytes(b"From - Mon Jan  1 10:00:00 2001\nX-Mozilla-Status: 0009\nSubject: gone\n\n1\n\n"
                      b"From - Mon Jan  1 10:00:00 2001\nX-Mozilla-Status: 1001\nSubject: here\n\n"
                      b"\n>>From b\nFrom now on\n\nFrom today\n")
    done = ctl(server, "import", "mbox", other, str(spool), "--mboxo")
    box = content(server.imap(other, "correct horse"), "INBOX")
    report.check("Thunderbird's notes are read, and its deleted mail is not brought",
                 told(done)["messages"] == 1 and box[-1] ==
                 (frozenset({b"\\seen", b"$forwarded"}), 978343200,
                  b"Subject: here\r\n\r\n\r\n>>From b\r\nFrom now on\r\n\r\nFrom today\r\n"), str(box[-1]))


def odd_ones(server, folder):
    """Files, and messages that cannot be brought."""
    user, root = account(server, "odd"), pathlib.Path(folder, "eml")
    (root / "Caf\u00e9" / "2024").mkdir(parents=True)
    (root / "one.eml").write_bytes(letter(1).replace(b"\r\n", b"\n"))
    (root / "Caf\u00e9" / "2024" / "two.EML").write_bytes(b"Subject: two\r\n\r\na\x00b\rc\r\n")
    (root / "empty.eml").write_bytes(b"")
    (root / "note.txt").write_bytes(b"no mail")
    os.truncate(os.open(root / "huge.eml", os.O_CREAT | os.O_RDWR), 300 << 20)
    done = ctl(server, "import", "eml", user, str(root))
    got = told(done)
    report.check("what cannot be brought is said, and the rest comes",
                 done.returncode == 1 and (got["messages"], got["left_out"]) == (2, 2) and
                 {os.path.basename(r["where"]) for r in got["remarks"]} ==
                 {"huge.eml", "empty.eml", "two.EML"}, done.stdout)
    client = server.imap(user, "correct horse")
    report.check("dates are those of the header, NULs are mended, a bare CR is kept",
                 content(client, "INBOX")[0][1] == FIRST + 3600 and
                 content(client, "Caf&AOk-/2024")[0][2] == b"Subject: two\r\n\r\na\x80b\rc\r\n",
                 str(content(client, "Caf&AOk-/2024")))
    full = account(server, "full")
    ctl(server, "account", "quota", full, "20", "none")
    crowd = root.parent / "crowd.mbox"
    box = mailbox.mbox(str(crowd))
    for i in range(30):
        box.add(letter(i))
    box.close()
    done = ctl(server, "import", "mbox", full, str(crowd))
    got = told(done)
    report.check("an account that is full takes what it can, and the rest is said",
                 done.returncode == 1 and (got["messages"], got["left_out"]) == (20, 10) and
                 "no room" in got["remarks"][0]["why"], done.stdout)
    ctl(server, "account", "quota", full, "none", "none")
    got = told(ctl(server, "import", "mbox", full, str(crowd)))
    report.check("and takes the rest when there is room", (got["messages"], got["present"]) == (10, 20), got)
    many = root.parent / "all"
    for name in ("odd@postrider.test", "postrider.test/mboxed", "who@postrider.test"):
        (many / name).mkdir(parents=True)
        (many / name / "new.eml").write_bytes(letter(77))
    accounts = json.loads(ctl(server, "import", "eml", "--all", str(many)).stdout)["accounts"]
    report.check("--all maps folders to accounts",
                 {a["address"]: a["messages"] for a in accounts} ==
                 {"odd@postrider.test": 1, "mboxed@postrider.test": 1, "who@postrider.test": 0}, accounts)
    done = ctl(server, "export", "mbox", "--all", str(root.parent / "backup"))
    report.check("and exports all accounts", done.returncode == 0 and
                 (root.parent / "backup" / "odd@postrider.test" / "INBOX").stat().st_size > 0, done.stderr)


def main():
    folder = tempfile.mkdtemp(prefix="postrider-transfer-")
    os.mkdir(folder + "/dovecot")
    os.chmod(folder, 0o755)
    try:
        with lab.Server(accounts=0) as server, Dovecot(folder + "/dovecot", ["ann", "bob"]) as dovecot:
            with dovecot.imap("ann") as client:
                fill(client)
            wanted = everything(dovecot.imap("ann"), NAMES)
            from_dovecot(server, dovecot, wanted)
            wanted = everything(dovecot.imap("ann"), NAMES)
            strangers(server, dovecot)
            cut_off(server, dovecot, wanted)
            to_dovecot(server, dovecot, folder)
            by_mbox(server, folder)
            odd_ones(server, folder)
            killed(server, folder)
    finally:
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    report.close()


main()
