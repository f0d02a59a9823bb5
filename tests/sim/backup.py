#!/usr/bin/python3
"""Backups of a server that is busy: what was acknowledged before one began is in it, and what
it holds comes back, as a whole beside nothing, or a piece at a time beside the server."""
import contextlib, imaplib, json, os, pathlib, random, shutil, signal, smtplib, subprocess, sys
import tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-backup-"))
target = folder / "set"
os.environ["TMPDIR"] = str(folder)


def mail(name, size=2000):
    noise = random.Random(name).randbytes(size // 2).hex()
    body = "\r\n".join(noise[i:i + 70] for i in range(0, len(noise), 70))
    return f"From: <x@example.net>\r\nMessage-ID: <{name}@test>\r\nSubject: {name}\r\n\r\n{body}\r\n"


def append(client, mailbox, name, flags="", size=2000, date=None):
    done = client.append(mailbox, flags, date, mail(name, size).encode())
    assert done[0] == "OK", done


def held(client, mailbox):
    """{Message-ID's name: (its flags, its text)} of a mailbox."""
    assert client.select(f'"{mailbox}"', readonly=True)[0] == "OK", mailbox
    found = {}
    for part in client.fetch("1:*", "(FLAGS BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            text = part[1].decode()
            name = text.split("Message-ID: <", 1)[1].split("@", 1)[0]
            flags = set(part[0].decode().split("FLAGS (", 1)[1].split(")", 1)[0].split())
            found.setdefault(name, []).append((flags - {"\\Recent"}, text))
    return found


def backup(*words, data, **more):
    done = subprocess.run([lab.BINARY, "backup", *map(str, words), "--json", "--dir", str(data)],
                          capture_output=True, text=True, timeout=120, **more)
    answer = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, answer, done.stderr


class Load(threading.Thread):
    """Deliveries, flags and expunges; remembers what was acknowledged, and in what order."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.kept, self.gone, self.is_over, self.error = [], [], False, None

    def run(self):
        try:
            with smtplib.SMTP("127.0.0.1", self.server.port("smtp"), timeout=30) as smtp, \
                    contextlib.closing(self.server.imap("bob").socket()):
                imap = self.server.imap("bob")
                count = 0
                while not self.is_over:
                    name = f"load-{self.number}-{count}"
                    smtp.sendmail("x@example.net", ["bob@postrider.test"], mail(name).encode())
                    self.kept.append(name)
                    append(imap, "Archive", name + "-a", "\\Seen")
                    self.kept.append(name + "-a")
                    if count % 5 == 4:
                        victim = f"load-{self.number}-{count - 3}-a"
                        imap.select("Archive")
                        found = imap.search(None, "HEADER", "Message-ID", f"{victim}@test")[1][0]
                        imap.store(found.split()[0].decode(), "+FLAGS", "\\Deleted")
                        imap.expunge()
                        self.kept.remove(victim)
                        self.gone.append(victim)
                    count += 1
        except Exception as error:
            self.error = error


def begin(server):
    server.ctl("domain", "add", "postrider.test")
    client = server.imap("alice")
    for name in ("Work", "Work/2026", '"Gr&APwA3w-e"'):
        client.create(name)
    append(client, "INBOX", "one", "\\Seen $Label1", date='" 3-Mar-2024 12:00:00 +0100"')
    append(client, "INBOX", "two", "\\Flagged", date='" 5-Mar-2024 12:00:00 +0000"')
    append(client, "Work/2026", "three", "\\Answered", 700_000)
    append(client, "Work/2026", "four", "")
    for i in range(300):
        append(client, "Archive", f"old-{i}", "\\Seen", 40_000)
    client.select("INBOX")
    validity = client.response("UIDVALIDITY")[1][0]
    client.logout()
    return validity


def seen_of(path):
    return sum(f.stat().st_blocks * 512 for f in pathlib.Path(path).rglob("*") if f.is_file())


def under_load(server, data):
    loads = [Load(server, number) for number in range(3)]
    for load in loads:
        load.start()
    lab.wait_for(lambda: all(len(load.kept) > 40 or load.error for load in loads), 30)
    before = [(set(load.kept), set(load.gone)) for load in loads]
    status, made, error = backup("create", target, data=data)
    report.check("a backup is made under load", status == 0, error)
    for load in loads:
        load.is_over = True
    for load in loads:
        load.join(30)
    report.check("the load noticed nothing", not any(load.error for load in loads),
                 [load.error for load in loads])
    status, seen, error = backup("verify", target, data=data)
    report.check("it verifies", status == 0 and seen["mails"] > 300, (error, seen))
    after_gone = set().union(*(load.gone for load in loads))
    wanted = set().union(*(kept for kept, gone in before)) - after_gone
    unwanted = set().union(*(gone for kept, gone in before))
    return made, wanted, unwanted


def restored_elsewhere(validity, wanted, unwanted):
    other = folder / "other"
    (other / "data").mkdir(parents=True)
    other.joinpath("data").chmod(0o700)
    status, restored, error = backup("restore", target, data=other / "data")
    report.check("everything is restored elsewhere", status == 0, error)
    status, _, error = backup("restore", target, data=other / "data")
    report.check("but not over what is there", status == 1 and "is there already" in error, error)
    with lab.Server(accounts=2, folder=str(other)) as server:
        client = server.imap("alice")
        client.select("INBOX")
        report.check("clients must fetch anew: other UIDVALIDITY",
                     client.response("UIDVALIDITY")[1][0] != validity)
        inbox, work = held(client, "INBOX"), held(client, "Work/2026")
        report.check("flags and keywords are there", inbox["one"][0][0] == {"\\Seen", "$Label1"} and
                     inbox["two"][0][0] == {"\\Flagged"} and work["three"][0][0] == {"\\Answered"})
        report.check("texts are as they were", work["three"][0][1] == mail("three", 700_000))
        client = server.imap("bob")
        there = {**held(client, "INBOX"), **held(client, "Archive")}
        report.check("all that was acknowledged before it began is there", wanted <= set(there),
                     sorted(wanted - set(there))[:5])
        report.check("once", all(len(copies) == 1 for copies in there.values()))
        report.check("and whole", all(mail(name) in copies[0][1] for name, copies in there.items()))
        report.check("what was expunged before is not", not unwanted & set(there))
        append(client, "INBOX", "after", "")
        report.check("the restored server takes mail", "after" in held(client, "INBOX"))


def second(server, data, first):
    client = server.imap("alice")
    between = backup("create", target, data=data)[1]  # what the load did after the first
    append(client, "INBOX", "five", "")
    before = seen_of(target)
    status, made, error = backup("create", target, data=data)
    more = seen_of(target) - before
    report.check("a second backup is small", status == 0 and made["added_bytes"] < 400_000 and
                 more < 800_000 and more * 8 < before, (error, made, before, more))
    status, listed, _ = backup("list", target, data=data)
    report.check("all are listed, the oldest first", [one["id"] for one in listed["backups"]] ==
                 [first["id"], between["id"], made["id"]])
    return made


def pieces(server, data):
    def restore(*words):
        status, answer, error = backup("restore", target, *words, data=data)
        return (status, answer.get("matched"), answer.get("brought")) if status == 0 else error

    client = server.imap("alice")
    before = {name: held(client, name) for name in ("INBOX", "Work/2026", "Archive")}
    account = ("--account", "alice@postrider.test")
    report.check("nothing is brought while all is there", restore(*account)[2] == 0)
    for mailbox, only in (("INBOX", None), ("Work/2026", None), ("Archive", "1:100")):
        client.select(f'"{mailbox}"')
        client.store(only or "1:*", "+FLAGS", "\\Deleted")
        client.expunge()
    client.unselect()
    client.delete("Work/2026")
    report.check("one message, by its Message-ID",
                 restore(*account, "--message-id", "<two@test>") == (0, 1, 1))
    report.check("is there again, with its flags", held(client, "INBOX") == {"two": before["INBOX"]["two"]})
    report.check("the second time it is there already",
                 restore(*account, "--message-id", "two@test") == (0, 1, 0))
    report.check("messages of a day", restore(*account, "--mailbox", "INBOX", "--since", "2024-03-03",
                                              "--before", "2024-03-04") == (0, 1, 1))
    report.check("one mailbox, which had gone", restore(*account, "--mailbox", "Work/2026") == (0, 2, 2))
    report.check("holds what it held", held(client, "Work/2026") == before["Work/2026"])
    report.check("once", restore(*account, "--mailbox", "Work/2026") == (0, 2, 0))
    status, matched, brought = restore(*account)
    report.check("the whole account", (status, brought) == (0, 101), (matched, brought))
    report.check("once, too", restore(*account) == (0, matched, 0))
    report.check("is as it was", {name: held(client, name) for name in before} == before)
    report.check("a mailbox that never was", "had no mailbox" in restore(*account, "--mailbox", "None"))
    report.check("an account that is not there", "no account" in restore("--account", "zoe@postrider.test"))
    report.check("no account named", "--account" in restore("--mailbox", "INBOX"))


def damaged(data):
    status, _, error = backup("verify", target, data=data)
    report.check("the set is whole", status == 0, error)
    size = lambda path: path.stat().st_size
    chunk = sorted(target.glob("2*/map"))[-1].read_bytes()[-32:].hex()
    victims = [max((target / "packs").iterdir(), key=size), target / "index" / chunk[:2] / chunk]
    victims += sorted(target.glob("2*/secrets"))[-1:] + sorted(target.glob("2*/map"))[-1:]
    victims += sorted(target.glob("2*/manifest.json"))[-1:]
    for victim in victims:
        whole = victim.read_bytes()
        at = len(whole.rstrip(b"\0")) // 2
        victim.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        status, _, error = backup("verify", target, data=data)
        report.check(f"a flipped bit in {victim.name[:12]} is found and named",
                     status == 1 and victim.name in error, error)
        victim.write_bytes(whole)
    status, _, error = backup("verify", target, data=data)
    report.check("and without it all is well", status == 0, error)


def heals(server, data):
    """A chunk that went bad is written anew by the next backups."""
    chunk = sorted(target.glob("2*/map"))[-1].read_bytes()[-32:].hex()
    path = target / "index" / chunk[:2] / chunk
    path.write_bytes(b"bad")
    tries = [backup("create", target, data=data)[0] for _ in range(2)]
    report.check("a backup on a bad chunk is refused, or does not need it", tries in ([1, 0], [0, 0]), tries)
    if tries[0] == 0:
        path.unlink()
    status, _, error = backup("verify", target, data=data)
    report.check("the next one is whole", status == 0, error)


def killed(server, data):
    """kill -9 of the command, and of the store, at some moment of a backup."""
    client = server.imap("bob")
    for number in range(6):
        append(client, "Archive", f"killed-{number}", "", 200_000)
        process = subprocess.Popen([lab.BINARY, "backup", "create", str(target), "--dir", str(data)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.004 * 3 ** number / 3)
        if number % 2 == 0:
            process.kill()
        else:
            stores = [pid for pid, role in server.children().items() if role == "storaged"]
            for pid in stores:
                os.kill(pid, signal.SIGKILL)
        process.wait(60)
        lab.wait_for(lambda: server.ctl("store", "stats").returncode == 0, 20)
        client = server.imap("bob")
    status, made, error = backup("create", target, data=data)
    report.check("after kills of both a backup is made", status == 0, error)
    status, _, error = backup("verify", target, data=data)
    report.check("which is whole", status == 0, error)
    report.check("and nothing half is left", not list(target.glob("*.new")) and
                 not list(target.glob(".tmp-*")) and not list(target.glob("*/index.raw")))


def kept(server, data):
    status, made, error = backup("create", target, "--keep", 2, data=data)
    status_list, listed, _ = backup("list", target, data=data)
    report.check("only the newest are kept", status == 0 and made["removed"] > 0 and
                 len(listed["backups"]) == 2, (error, made))
    for one in listed["backups"]:
        status, _, error = backup("verify", target, "--backup", one["id"], data=data)
        report.check("each of them is whole", status == 0, error)
    report.check("old ones of less than a day stay",
                 backup("create", target, "--keep-days", 1, data=data)[1]["removed"] == 0)
    report.check("nonsense is refused", backup("create", target, "--keep", 0, data=data)[0] == 1)


def in_a_file(server, data):
    path = folder / "one.tar"
    status, made, error = backup("create", path, data=data)
    report.check("a backup in a file", status == 0 and path.stat().st_mode & 0o777 == 0o600, error)
    report.check("leaves nothing beside it", not list(folder.glob("one.tar.*")))
    names = lab.run(["tar", "tf", path]).split()
    report.check("which tar reads, manifest last", names[-1].endswith("/manifest.json"), names[-3:])
    status, seen, error = backup("verify", path, data=data)
    report.check("verifies", status == 0 and seen["mails"] > 300, error)
    client = server.imap("alice")
    client.select("INBOX")
    client.store("1", "+FLAGS", "\\Deleted")
    client.expunge()
    status, brought, error = backup("restore", path, "--account", "alice@postrider.test", data=data)
    report.check("and gives a message back", status == 0 and brought["brought"] == 1, (error, brought))
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)
    status, _, error = backup("verify", path, data=data)
    report.check("half of it is no backup", status == 1 and "one.tar" in error, error)


def without_server(data, validity):
    status, made, error = backup("create", target, data=data)
    report.check("a backup without a server", status == 0, error)
    third = folder / "third"
    (third / "data").mkdir(parents=True)
    (third / "data").chmod(0o700)
    oldest = backup("list", target, data=data)[1]["backups"][0]
    status, _, error = backup("restore", target, "--backup", oldest["id"], data=third / "data")
    report.check("an older one is restored", status == 0, error)
    with lab.Server(accounts=2, folder=str(third)) as server:
        append(server.imap("alice"), "INBOX", "another-history", "")
        status, made, error = backup("create", target, data=third / "data")
        report.check("its backups go to the same set", status == 0, error)
    for one in backup("list", target, data=data)[1]["backups"]:
        status, _, error = backup("verify", target, "--backup", one["id"], data=data)
        report.check("and all are whole", status == 0, error)


with lab.Server(accounts=2) as server:
    data = pathlib.Path(server.folder) / "data"
    validity = begin(server)
    made, wanted, unwanted = under_load(server, data)
    restored_elsewhere(validity, wanted, unwanted)
    second(server, data, made)
    pieces(server, data)
    damaged(data)
    heals(server, data)
    killed(server, data)
    kept(server, data)
    in_a_file(server, data)
    server.stop()
    without_server(data, validity)
report.check("no temporary folder is left", not list(folder.glob("postrider-??????")) and
             not list(target.glob(".tmp-*")))
if not report.failed:
    shutil.rmtree(folder)
report.close()
