#!/usr/bin/python3
"""Damage on disk costs what it hit and nothing else: the command line says whose mail it was,
sets it aside and puts the rest right; a broken index heals by itself; and however octets change,
no mail is ever served with another's body.

    tests/sim/heal.py [N]    N: octets changed, each on a fresh copy of the whole
"""
import json, os, pathlib, random, re, shutil, smtplib, struct, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

FLIPS = int(sys.argv[1]) if len(sys.argv) > 1 else 12
MAILS = 30
report = lab.Report()
seeded = random.Random(7)


def text_of(number):
    lines = "\r\n".join("%064x" % seeded.getrandbits(256) for _ in range(5 + number * 7 % 60))
    return (f"From: Joe {number} <joe@load.example>\r\nSubject: mail number {number}\r\n"
            f"Date: Sun, 22 Nov 2026 05:00:00 +0000\r\n\r\n{lines}\r\n")


def fill(server):
    """Mails for two people, some of them copied, moved and removed again."""
    texts = {}
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=20) as client:
        for number in range(MAILS):
            texts[f"mail number {number}"] = text_of(number)
            people = ["alice@postrider.test"] + ["bob@postrider.test"] * (number % 3 == 0)
            client.sendmail("joe@load.example", people, texts[f"mail number {number}"])
    client = server.imap()
    lab.wait_for(lambda: int(client.select("INBOX")[1][0]) == MAILS)
    client.create("Kept")
    client.copy("1:10", "Kept")
    client.uid("MOVE", "11:14", "Kept")
    client.store("2:4", "+FLAGS", r"(\Deleted \Flagged)")
    client.expunge()
    client.store("5:8", "+FLAGS", r"(\Seen)")
    client.logout()
    return texts


def look(server):
    """{(user, mailbox, UID): (flags, subject, body or None)}: all that there is to see."""
    seen = {}
    for user in ("alice", "bob"):
        client = server.imap(user)
        for line in client.list()[1]:
            name = line.decode().split('"')[-2]
            if client.select(f'"{name}"', readonly=True)[0] != "OK":
                continue
            for part in client.uid("FETCH", "1:*", "(FLAGS ENVELOPE)")[1] or []:
                if not part:
                    continue
                uid = int(re.search(rb"UID (\d+)", part).group(1))
                flags = re.search(rb"FLAGS \(([^)]*)\)", part).group(1).replace(b"\\Recent", b"")
                subject = re.search(rb"mail number \d+", part).group(0).decode()
                answer = client.uid("FETCH", str(uid), "(BODY.PEEK[])")
                body = next((part[1] for part in answer[1] if isinstance(part, tuple)), None)
                seen[user, name, uid] = (sorted(flags.split()), subject, body)
        client.logout()
    return seen


def is_whole(texts, mail):
    return mail[2] is not None and mail[2].decode().endswith(texts[mail[1]])


def never_wrong(texts, seen):
    return all(mail[2] is None or is_whole(texts, mail) for mail in seen.values())


def change(path, at, by):
    with open(path, "r+b") as file:
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ by]))


def body_in(path, nth):
    """Where the frame of the pack's nth body is, in its middle (src/db/packgroup.c)."""
    octets, at = path.read_bytes(), 64
    while octets[at:at + 4] == b"GRP1":
        length = struct.unpack_from("<Q", octets, at + 24)[0]
        record, end = at + 48, at + 48 + length
        while record < end:
            kind, size = struct.unpack_from("<II", octets, record)
            nth -= kind == 1
            if nth == 0:
                return record + 36 + (size - 28) // 2
            record += 8 + size
        at = (end + 7) // 8 * 8
    raise RuntimeError("no such body")


def used(path):
    """Octets up to where only zeros follow."""
    return len(path.read_bytes().rstrip(b"\0"))


def tries(folder):
    """The server that looks at the copy."""
    return lab.Server(folder=str(folder))


def known_damage(copy, texts, before):
    """One body, as its owner, the administrator and the others see it."""
    pack = copy / "data/store/packs/00000001.pack"
    change(pack, body_in(pack, 6), 255)
    server = tries(copy)
    done = server.ctl("store", "check")
    report.check("a damaged mail is named, with status 1", done.returncode == 1
                 and "mail number" in done.stdout and "@postrider.test" in done.stdout
                 and "Nothing was changed" in done.stdout, done.stdout + done.stderr)
    done = server.ctl("store", "check", "--repair")
    report.check("and set aside", done.returncode == 0 and "in order again" in done.stdout, done.stdout)
    report.check("then all is in order", server.ctl("store", "check").returncode == 0)
    found = json.loads(server.ctl("store", "damaged", "--json").stdout)["damaged"]
    report.check("what is set aside is listed", len(found) >= 1 and "mail number" in found[0]["subject"],
                 str(found))
    with server:
        now = look(server)
        done = server.ctl("store", "check", "--online")
        report.check("a running server lets itself be looked at",
                     done.returncode == 0 and "mails are set aside" in done.stdout, done.stdout + done.stderr)
        report.check("and nothing stays of that", not list((copy / "data/store").glob("check.*")))
        done = server.ctl("store", "check")
        report.check("it keeps its store to itself",
                     done.returncode == 2 and "stop the server" in done.stderr, done.stderr)
    lost = [key for key in before if now[key][2] is None]
    report.check("its owner still sees what it was",
                 {key: mail[:2] for key, mail in now.items()} == {key: mail[:2] for key, mail in before.items()})
    report.check("only its body is missing", 1 <= len(lost) <= 3 and never_wrong(texts, now), str(lost))
    done = server.ctl("store", "rebuild")
    report.check("an index made anew", done.returncode == 0 and "Every commit" in done.stdout,
                 done.stdout + done.stderr)
    with server:
        report.check("shows the same", look(server) == now)


def under_load(server, texts):
    """The store is looked at while mails come, and no mail waits for that."""
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=20) as client:
        looking = subprocess.Popen([lab.BINARY, "store", "check", "--online", "--dir", server.folder + "/data"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        longest, count = 0, 0
        while looking.poll() is None or count < 20:
            began = time.time()
            client.sendmail("joe@load.example", ["bob@postrider.test"], texts["mail number 1"])
            longest, count = max(longest, time.time() - began), count + 1
        said = looking.stdout.read()
    report.check("all is in order while mails come", looking.returncode == 0, said)
    report.check("and none of them waits", longest < 1, f"{longest} s")


def broken_index(copy, before):
    index = copy / "data/store/index.lmdb"
    size = index.stat().st_size
    server = tries(copy)
    index.write_bytes(b"garbage\n" * 64)
    done = server.ctl("store", "check")
    report.check("a broken index is told from a broken store", done.returncode == 1
                 and "nothing of the index is lost" in done.stdout.replace("\n", " "), done.stdout)
    with server:
        report.check("the server heals it by itself", look(server) == before)
    log = pathlib.Path(server.log).read_text()
    report.check("and says so", "index damaged, made anew from the packs" in log)
    index.write_bytes(index.read_bytes()[:8192] + os.urandom(size - 8192))
    done = server.ctl("store", "check", "--repair")
    report.check("garbage in all its pages is no matter", done.returncode == 0 and "made anew" in done.stdout,
                 done.stdout + done.stderr)
    with server:
        report.check("and nothing was lost", look(server) == before)


def one_octet(copy, name, texts, before):
    """Whether it is what it should be after that octet was changed: words for what is not."""
    path = copy / "data/store" / name
    at = seeded.randrange(used(path))
    change(path, at, seeded.randrange(1, 256))
    server = tries(copy)
    where = f"{name} at {at}"
    if name.startswith("packs"):
        with server:
            if not never_wrong(texts, look(server)):
                return f"{where}: a wrong body"
    first = server.ctl("store", "check")
    if first.returncode not in (0, 1):
        return f"{where}: check gave {first.returncode}: {first.stderr}"
    second = server.ctl("store", "check", "--repair")
    if second.returncode != 0 or server.ctl("store", "check").returncode != 0:
        return f"{where}: not put right: {first.stdout} {second.stdout} {second.stderr}"
    with server:
        now = look(server)
    lost = [key for key in before if key not in now or now[key][2] is None]
    if not never_wrong(texts, now):
        return f"{where}: a wrong body after the repair"
    if len(lost) > (4 if name.startswith("packs") else 0):
        return f"{where}: lost {lost}"
    if any(now[key][:2] != before[key][:2] for key in now):
        return f"{where}: other flags, subjects or UIDs"
    return ""


def main():
    with lab.Server() as server:
        texts = fill(server)
        under_load(server, texts)
        before = look(server)
        report.check("there is something to lose",
                     len(before) > MAILS and never_wrong(texts, before), str(len(before)))
        server.stop()
        data = pathlib.Path(server.folder)
        done = server.ctl("store", "check")
        report.check("all is in order", done.returncode == 0 and "Everything is in order" in done.stdout,
                     done.stdout + done.stderr)

        def fresh():
            copy = data / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            copy.mkdir()
            shutil.copytree(data / "data", copy / "data", ignore=shutil.ignore_patterns("control"))
            return copy

        known_damage(fresh(), texts, before)
        broken_index(fresh(), before)
        names = ["index.lmdb", "packs/00000001.pack"]
        wrong = [words for words in (one_octet(fresh(), names[i % 2], texts, before)
                                     for i in range(FLIPS)) if words]
        report.check(f"{FLIPS} octets changed, and nothing else was lost", not wrong, "\n".join(wrong))


main()
report.close()
