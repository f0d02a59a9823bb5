"""What the tests of formats share: filling a server with a bit of everything, and telling
all that can be seen of it."""
import base64, hashlib, json, pathlib, re, smtplib, sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import lab

ACCOUNTS = ["alice", "bob", "admin"]
EXTRA = "carol@formats.example"


def message(number, subject=None, refers_to=None, size=0):
    lines = [f"From: Writer {number} <writer{number}@example.net>", f"To: alice@postrider.test",
             f"Subject: {subject or 'mail ' + str(number)}", f"Message-ID: <{number}@formats.example>",
             "Date: Mon, 02 Mar 2026 10:00:00 +0100", "MIME-Version: 1.0",
             "Content-Type: text/plain; charset=utf-8"]
    if refers_to:
        lines += [f"In-Reply-To: <{refers_to}@formats.example>", f"References: <{refers_to}@formats.example>"]
    return "\r\n".join(lines + ["", f"Gr\u00fc\u00dfe von {number}", "x" * size, ""]).encode()


def good(answer):
    assert answer[0] == "OK", answer
    return answer


def fill(server):
    """Mail, flags, keywords, copies, moves, deletions, threads, folders, a mailbox that is
    shared, a quota, names, and rows of the queue."""
    ctl = lambda *words, **more: lab.run([lab.BINARY, *words, "--dir", server.folder + "/data"], **more)
    ctl("domain", "add", "formats.example")
    ctl("account", "add", EXTRA, "--password-stdin", input="correct horse\n")
    ctl("account", "quota", "bob@postrider.test", "500", "9MiB")
    ctl("alias", "add", "all@formats.example", "alice@postrider.test", "bob@postrider.test", EXTRA)
    ctl("alias", "add", "away@formats.example", "somebody@example.net", "other@example.org")
    with smtplib.SMTP("127.0.0.1", server.port("smtp")) as smtp:
        for number in range(1, 11):
            smtp.sendmail("writer@example.net", ["alice@postrider.test"],
                          message(number, refers_to=number - 1 if number in (3, 4, 7) else None))
        smtp.sendmail("writer@example.net", ["all@formats.example"], message(20, size=5000))
        for number in (30, 31):
            smtp.sendmail("writer@example.net", ["away@formats.example"], message(number))
    assert lab.wait_for(lambda: len(queue(server)) == 4), queue(server)
    box = server.imap("alice", "pass")
    for name in ("Projects", "Projects/2026", "Gr&APwA3w-e", "Gone"):
        good(box.create(name))
    for number in range(40, 52):
        good(box.append("Projects", "(\\Seen $Label)" if number % 3 else "(\\Flagged work)",
                        '"05-Mar-2026 08:00:00 +0100"', message(number, size=number * 20)))
    file = base64.encodebytes(bytes(range(256)) * 20).replace(b"\n", b"\r\n")
    good(box.append("Projects", None, '"05-Mar-2026 08:00:00 +0100"',
                    b"Subject: with a file\r\nContent-Type: application/x-file\r\n"
                    b"Content-Transfer-Encoding: base64\r\n\r\n" + file))
    good(box.select("INBOX"))
    good(box.store("1:3", "+FLAGS", "(\\Seen \\Answered)"))
    good(box.store("4", "FLAGS", "($Forwarded keyword)"))
    good(box.copy("2:4", "Projects/2026"))
    good(box._simple_command("MOVE", "5:6", "Gr&APwA3w-e"))
    good(box.store("1", "+FLAGS", "(\\Deleted)"))
    good(box.expunge())
    good(box.select("Projects"))
    good(box.store("2:4", "+FLAGS", "(\\Deleted)"))
    good(box.expunge())
    good(box.copy("1", "Gone"))
    good(box.rename("Projects/2026", "Old"))
    good(box.delete("Gone"))
    good(box.subscribe("Old"))
    good(box.unsubscribe("Junk"))
    good(box.setacl("Old", "bob@postrider.test", "lrsw"))
    box.logout()
    box, name = server.imap("bob", "pass"), '"Other Users/alice@postrider.test/Old"'
    good(box.select(name))
    good(box.store("2", "+FLAGS", "(\\Seen \\Flagged)"))
    good(box.subscribe(name))
    box.logout()


def told(server, *words):
    """What a command prints as JSON."""
    done = server.ctl(*words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def queue(server):
    return told(server, "queue", "list")["queue"]


def seen_of(box, name):
    """A mailbox: its state, and its mails by UID."""
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    status = good(box.status(quoted, "(MESSAGES UIDNEXT UNSEEN UIDVALIDITY)"))[1][0].decode()
    figures = dict(re.findall(r"([A-Z]+) (\d+)", status[status.rindex("("):]))
    found = {"uid_validity": figures.pop("UIDVALIDITY"), "status": figures, "mails": {}}
    good(box.select(quoted, readonly=True))
    if box.response("EXISTS")[1][0] == b"0":
        return found
    items = "UID FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID ENVELOPE BODYSTRUCTURE BODY.PEEK[]"
    for part in good(box.fetch("1:*", f"({items})"))[1]:
        if not isinstance(part, tuple):
            continue
        head, body = part[0].decode(), part[1]
        flags = sorted(set(re.search(r"FLAGS \((.*?)\)", head)[1].split()) - {"\\Recent"})
        found["mails"][re.search(r"UID (\d+)", head)[1]] = {
            "flags": flags, "body": hashlib.sha256(body).hexdigest(),
            **{word.lower(): re.search(word + r" (\(.*?\)|\".*?\"|\d+)", head)[1]
               for word in ("INTERNALDATE", "RFC822.SIZE", "EMAILID", "THREADID")},
            "rest": hashlib.sha256(re.sub(r".* ENVELOPE |BODY\[\].*", "", head).encode()).hexdigest()}
    return found


def account_of(server, user, password):
    box = server.imap(user, password)
    names = lambda answer: [line.decode().split(' "/" ')[1].strip('"') for line in good(answer)[1]
                            if line and b"\\Noselect" not in line]
    seen = {"subscribed": sorted(names(box.lsub())), "mailboxes": {}}
    for name in sorted(names(box.list())):
        seen["mailboxes"][name] = seen_of(box, name)
    box.logout()
    return seen


def names_of(server):
    """Domains, accounts, aliases, quotas and the queue; no server runs."""
    seen = {word: told(server, word, "list") for word in ("domain", "account", "alias")}
    seen["quota"] = told(server, "account", "quota", "bob@postrider.test")
    rows = [{key: row[key] for key in ("id", "sender", "recipient", "size")}
            for row in queue(server)]
    return dict(seen, queue=rows)


def look(server):
    """All that can be seen of the data; the server is started, and stopped at the end.  The
    queue comes first: a server would work on it."""
    seen = names_of(server)
    server.start()
    try:
        passwords = {EXTRA: "correct horse"}
        seen["mail"] = {user: account_of(server, user, passwords.get(user, "pass"))
                        for user in [*ACCOUNTS, EXTRA]}
    finally:
        server.stop()
    return seen


def differences(want, got, where=""):
    """Where two dumps differ, a line each."""
    if isinstance(want, dict) and isinstance(got, dict):
        return [line for key in sorted({*want, *got})
                for line in differences(want.get(key), got.get(key), f"{where}/{key}")]
    return [] if want == got else [f"{where}: {want} became {got}"]


def unpack(archive, folder):
    (pathlib.Path(folder) / "data").mkdir()
    lab.run(["tar", "-xJf", str(archive), "-C", folder + "/data"])


def server_on(folder):
    """A server on data of that folder; mail that leaves it finds no name server, and so nobody asks about strangers."""
    return lab.Server(folder=folder, args=("--dns", "127.0.0.1:9", "--set", "trust.check=no"))
