#!/usr/bin/python3
"""What goes wrong below us: quotas, full disks, bad sectors, flushes that fail.  Nothing that
was acknowledged is lost, nothing that was refused is there, and the rest is served on.

    faults.py [quota] [full] [room] [damage] [flush] [slices]
"""
import collections, contextlib, ctypes, imaplib, itertools, json, os, pathlib, poplib, random, re, shutil
import signal, smtplib, socket, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

report = lab.Report()
DOMAIN = "postrider.test"


def letter(name, octets=200):
    line = "line of no importance\r\n"
    return f"From: <x@load.example>\r\nSubject: {name}\r\n\r\n" + line * (octets // len(line)) + "end\r\n"


def noise(name, octets):
    """A letter that cannot be compressed much."""
    dice = random.Random(name)
    lines = "\r\n".join(dice.randbytes(36).hex() for _ in range(octets // 74))
    return f"From: <x@load.example>\r\nSubject: {name}\r\n\r\n{lines}\r\nend\r\n"


class Smtp:
    """A dialogue that ends no earlier than the server wants it to."""

    def __init__(self, server, service="smtp", timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", server.port(service)), timeout)
        self.input = self.socket.makefile("rb")
        self.reply()
        self.say("LHLO load.example" if service == "lmtp" else "EHLO load.example")

    def reply(self):
        line = self.input.readline()
        while line[3:4] == b"-":
            line = self.input.readline()
        return line.decode().strip()

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.reply()

    def send(self, users, text, replies=1):
        """The final reply, or those; "" if there was none."""
        self.say("MAIL FROM:<x@load.example>")
        for user in users:
            assert self.say(f"RCPT TO:<{user}@{DOMAIN}>").startswith("250")
        assert self.say("DATA").startswith("354")
        self.socket.sendall(text.encode() + b".\r\n")
        got = [self.reply() for _ in range(replies)]
        return got[0] if replies == 1 else got

    def close(self):
        self.socket.close()


def send(server, users, text, timeout=20):
    """On a connection of its own; "" if it was closed or silent."""
    try:
        client = Smtp(server, timeout=timeout)
        with contextlib.closing(client):
            return client.send([users] if isinstance(users, str) else users, text)
    except OSError:
        return ""


def append(client, text, mailbox="INBOX"):
    answer, (words, *_) = client.append(mailbox, None, None, text.encode())
    return answer + " " + words.decode()


def says(client, command, *arguments):
    """What IMAP answers to a command; NO is no exception here."""
    answer, words = getattr(client, command)(*arguments)
    return answer + " " + b" ".join(w for w in words if isinstance(w, bytes)).decode(errors="replace")


def subjects(server, user="alice", mailbox="INBOX"):
    """{subject: how often}; whole letters only, or "damaged"."""
    client = server.imap(user)
    found = collections.Counter()
    if client.select(mailbox, readonly=True)[1] == [b"0"]:
        return found
    client._simple_command("FETCH", "1:*", "(BODY.PEEK[])")
    for part in client._untagged_response("OK", [None], "FETCH")[1]:  # also those before a NO
        if isinstance(part, tuple):
            name = re.search(rb"(?m)^Subject: (\S+)\r$", part[1])
            found[name[1].decode() if part[1].endswith(b"end\r\n") else "damaged"] += 1
    client.logout()
    return found


def empty(server, user="alice"):
    client = server.imap(user)
    client.select("INBOX")
    client.store("1:*", "+FLAGS.SILENT", "\\Deleted")
    answer = says(client, "expunge")
    client.logout()
    return answer


def log_of(server):
    return pathlib.Path(server.log).read_text(errors="replace")


def queue_of(server):
    return json.loads(server.ctl("queue", "list", "--json").stdout)["queue"]


def exactly(server, acknowledged, refused=(), user="alice"):
    """Every acknowledged letter is there once, and none of the refused."""
    there = subjects(server, user)
    missing = [name for name in acknowledged if there[name] == 0]
    extra = [name for name in there if name in refused or there[name] > 1 or name == "damaged"]
    return not missing and not extra, f"missing: {missing[:5]}, too many: {extra[:5]}"


# ---- quota -------------------------------------------------------------------------------------

def limit(server, user, messages, octets):
    done = server.ctl("account", "quota", f"{user}@{DOMAIN}", str(messages), str(octets))
    assert done.returncode == 0, done.stderr


def used(server, user):
    found = server.ctl("account", "quota", f"{user}@{DOMAIN}", "--json")
    return json.loads(found.stdout)


def quota_of_messages(server):
    limit(server, "alice", 3, "none")
    replies = [send(server, "alice", letter(f"q{n}")) for n in range(4)]
    report.check("SMTP takes mail up to the quota, then says 452 4.2.2",
                 [r[:3] for r in replies] == ["250"] * 3 + ["452"] and "4.2.2" in replies[3], str(replies))
    lmtp = Smtp(server, "lmtp")
    replies = lmtp.send(["alice", "bob"], letter("both"), replies=2)
    report.check("LMTP answers for each recipient",
                 replies[0].startswith("452 4.2.2") and replies[1].startswith("250"), str(replies))
    lmtp.close()
    client = server.imap()
    client.create("other")
    client.select("INBOX")
    report.check("APPEND is NO [OVERQUOTA]", append(client, letter("no")).startswith("NO [OVERQUOTA]"))
    report.check("COPY is NO [OVERQUOTA]", says(client, "copy", "1", "other").startswith("NO [OVERQUOTA]"))
    report.check("MOVE adds nothing and is done", says(client, "_simple_command", "MOVE", "1", "other").startswith("OK"))
    client.select("other")
    client.store("1", "+FLAGS.SILENT", "\\Deleted")
    client.expunge()
    report.check("after an expunge it takes mail again", send(server, "alice", letter("again")).startswith("250"))
    client.logout()


def quota_of_octets(server):
    limit(server, "bob", "none", 20000)
    replies = [send(server, "bob", letter(f"o{n}", 6000)) for n in range(4)]
    report.check("a quota of octets is kept too",
                 [r[:3] for r in replies].count("250") == 3 and replies[3].startswith("452 4.2.2"), str(replies))
    report.check("a smaller one still fits", send(server, "bob", letter("small")).startswith("250"))
    report.check("its use is shown", 18000 < used(server, "bob")["bytes"] <= 20000)


def quota_in_the_queue(server):
    reply = send(server, ["alice", "user3"], letter("several"))
    report.check("a mail for several is taken for all", reply.startswith("250"), reply)
    report.check("who has room gets it at once", lab.wait_for(lambda: subjects(server, "user3")["several"] == 1))
    rows = lab.wait_for(lambda: any("Mailbox full" in r["reason"] for r in queue_of(server)))
    report.check("for who has none it waits in the queue, with the reason", rows, str(queue_of(server)))
    report.check("and nobody else does", [r["recipient"] for r in queue_of(server)] == [f"alice@{DOMAIN}"])
    report.check("the log says so", "delivery deferred" in log_of(server))


def quota_races(server):
    """Twenty at once, half by SMTP and half by IMAP, for room for 40 and for 60,000 octets."""
    for user, limits, name in (("user4", (40, "none"), "messages"), ("user5", ("none", 60000), "octets")):
        limit(server, user, *limits)
        taken, odd, lock = [], [], threading.Lock()

        def note(reply, good, bad):
            with lock:
                (taken if reply.startswith(good) else odd if not reply.startswith(bad) else []).append(reply)

        def deliver(number):
            client = Smtp(server)
            for n in range(6):
                note(client.send([user], letter(f"s{number}.{n}", 2000)), "250", "452 4.2.2")
            client.close()

        def put(number):
            client = server.imap(user)
            for n in range(6):
                note(append(client, letter(f"a{number}.{n}", 2000)), "OK", "NO [OVERQUOTA]")
            client.logout()

        threads = [threading.Thread(target=(deliver, put)[n % 2], args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        use, there = used(server, user), sum(subjects(server, user).values())
        within = use["messages"] == 40 if limits[1] == "none" else 55000 < use["bytes"] <= 60000
        report.check(f"races do not exceed a quota of {name}", within and not odd and there == len(taken),
                     f"{use}, {len(taken)} taken, {there} there, {odd[:3]}")
        report.check("and it takes mail after an expunge",
                     empty(server, user).startswith("OK") and send(server, user, letter("x")).startswith("250"))


def quota():
    with lab.Server(accounts=6) as server:
        quota_of_messages(server)
        quota_of_octets(server)
        quota_in_the_queue(server)
        quota_races(server)


# ---- a full disk, injected ---------------------------------------------------------------------

def full():
    """Each place where room can be missing fails once: pack, its allocation, index, staging."""
    spec = "file.write:1:ENOSPC,index.put:2500:ENOSPC,pack.write:150:ENOSPC,index.commit:25:ENOSPC"
    with lab.Server(env={"POSTRIDER_FAULT": "storaged=" + spec}) as server:
        sent, refused = [], []
        first, second = (send(server, "alice", noise(f"big{n}", 900000)) for n in range(2))
        report.check("no room for staging is 452 4.3.1, and the next one is taken",
                     first.startswith("452 4.3.1") and second.startswith("250"), f"{first} {second}")
        refused.append("big0"), sent.append("big1")
        client, replies = server.imap(), collections.Counter()
        smtp = Smtp(server)
        for n in range(150):
            reply = smtp.send(["alice"], letter(f"s{n}")) if n % 2 else append(client, letter(f"s{n}"))
            replies[reply[:17] if reply[0] in "45N" else reply[:2]] += 1
            (sent if reply.startswith(("250", "OK")) else refused).append(f"s{n}")
        report.check("the others are refused in the words of their protocol",
                     2 <= len(refused) <= 4 and
                     all(r.startswith(("25", "OK", "452 4.3.1", "NO [UNAVAILABLE]")) for r in replies), str(replies))
        report.check("what was refused is not there, the rest is, once", *exactly(server, sent, refused))
        report.check("the store went on by itself", "store reopens" in log_of(server) and
                     "read-only" not in log_of(server))
        server.stop()
        server.env.pop("POSTRIDER_FAULT")
        server.start()
        report.check("and so it is after a restart", *exactly(server, sent, refused))


# ---- a full disk, really -----------------------------------------------------------------------

def own_disk(megabytes):
    """A folder with a file system of its own that nobody else sees; None without the right."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tempfile.mkdtemp(prefix="postrider-full-")
    MS_REC, MS_PRIVATE, CLONE_NEWNS = 0x4000, 0x40000, 0x20000
    if (os.geteuid() == 0 and libc.unshare(CLONE_NEWNS) == 0 and
            libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0 and
            libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b"size=%dm,mode=755" % megabytes) == 0):
        return folder
    os.rmdir(folder)
    return None


class Filler:
    """Takes the room of a file system, and gives it back."""

    def __init__(self, folder):
        self.path = folder + "/filler"

    def leave(self, octets):
        fs = os.statvfs(os.path.dirname(self.path))
        with open(self.path, "ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), max(1, fs.f_bavail * fs.f_frsize - octets))

    def fill(self):
        with open(self.path, "ab", buffering=0) as file:
            for step in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while file.write(bytes(step)) > 0:
                        pass

    def remove(self):
        os.unlink(self.path)


def idler(server):
    session = socket.create_connection(("127.0.0.1", server.port("imap")), 20)
    got = b""
    for order, end in ((b"a LOGIN alice pass", b"a OK"), (b"b SELECT INBOX", b"b OK"), (b"c IDLE", b"+ ")):
        session.sendall(order + b"\r\n")
        while end not in got:
            got += session.recv(65536)
    return session


def hears(session, word):
    got = b""
    session.settimeout(10)
    with contextlib.suppress(OSError):
        while word not in got and (more := session.recv(65536)):
            got += more
    return word in got


def room():
    disk = own_disk(192)
    if not disk:
        print("(no right to mount a file system: a disk that is really full is not shown)")
        return
    os.makedirs(disk + "/server")
    server = lab.Server(folder=disk + "/server", accounts=4)
    server.log = tempfile.mkstemp(prefix="postrider-full-log-")[1]
    filler = Filler(disk)
    with server:
        sent = [f"before{n}" for n in range(20)]
        refused = []
        report.check("with room all is taken", all(send(server, "alice", letter(n)).startswith("250") for n in sent))
        limit(server, "bob", 1, "none")
        send(server, "bob", letter("one"))
        send(server, ["bob", "user3"], letter("waits"))
        lab.wait_for(lambda: len(queue_of(server)) == 1)
        waiting, client = idler(server), server.imap()
        client.select("INBOX")

        filler.leave(40 << 20)
        reply = append(client, letter("full0"))
        for n in range(1, 4):  # the store looks at the disk once for each index transaction
            time.sleep(0.1)
            reply = append(client, letter(f"full{n}"))
            (sent if reply.startswith("OK") else refused).append(f"full{n}")
        report.check("IMAP says NO [UNAVAILABLE] when little room is left", reply.startswith("NO [UNAVAILABLE]"), reply)
        reply = send(server, "alice", letter("full4"))
        report.check("SMTP says 452 4.3.1", reply.startswith("452 4.3.1"), reply)
        reply = send(server, "alice", noise("full5", 600000))
        report.check("to big ones too", reply.startswith("452 4.3.1"), reply)
        reply = send(server, ["alice", "user3"], letter("full6"))
        report.check("and to those for several", reply.startswith("452 4.3.1"), reply)
        refused += ["full4", "full5", "full6"]
        report.check("mail is read", subjects(server)["before7"] == 1)
        report.check("flags are set", says(client, "store", "3", "+FLAGS", "\\Flagged").startswith("OK"))
        report.check("and told to who idles", hears(waiting, b"\\Flagged"))
        report.check("an expunge frees", says(client, "store", "20", "+FLAGS.SILENT", "\\Deleted").startswith("OK") and
                     says(client, "expunge").startswith("OK"))
        sent.remove("before19")
        report.check("the queue stays", [r["recipient"] for r in queue_of(server)] == [f"bob@{DOMAIN}"])

        filler.fill()
        for n in range(40):  # until even that finds no room
            says(client, "store", "1:19", "+FLAGS" if n % 2 else "-FLAGS", f"(\\Answered word{n} word{n - 1})")
        reply = send(server, "alice", letter("full7"))
        report.check("without any room it still says 452", reply.startswith("452 4.3.1"), reply)
        refused.append("full7")
        report.check("and mail is read", subjects(server)["before7"] == 1)
        victim = next(pid for pid, role in server.children().items() if role == "storaged")
        os.kill(victim, signal.SIGKILL)
        time.sleep(0.5)

        filler.remove()
        last = []
        report.check("it takes mail again by itself when there is room", lab.wait_for(
            lambda: last.append(f"after{len(last)}") or send(server, "alice", letter(last[-1])).startswith("250"),
            20, 0.5))
        refused += last[:-1]
        sent.append(last[-1])
        report.check("what was acknowledged is there, what was refused is not", *exactly(server, sent, refused))
        report.check("the queue has what it had", [r["recipient"] for r in queue_of(server)] == [f"bob@{DOMAIN}"])
        server.stop()
        server.start()
        report.check("also after a restart", *exactly(server, sent, refused))
    if report.failed:
        print("".join(open(server.log, errors="replace").readlines()[-40:]))
    os.unlink(server.log)


# ---- damage ------------------------------------------------------------------------------------

ZSTD = b"\x28\xb5\x2f\xfd"


def flip(server, number, at):
    """Damages the body's frame of that number, at an offset within it.  Digests are frames
    too, but short ones."""
    path = server.folder + "/data/store/packs/00000001.pack"
    octets = pathlib.Path(path).read_bytes()
    starts = [found.start() for found in re.finditer(re.escape(ZSTD), octets)]
    bodies = [a for a, b in zip(starts, starts[1:] + [len(octets)]) if b - a > 1500]
    place = bodies[number] + at
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(bytes(255 - b for b in octets[place:place + 4]))


def damage():
    with lab.Server() as server:
        names = ["whole1", "small", "whole2", "big", "whole3"]
        texts = {n: noise(n, 1500000 if n == "big" else 3000) for n in names}
        for name in names:
            assert send(server, "alice", texts[name]).startswith("250")
        flip(server, 1, 200)
        flip(server, 3, 400000)
        client = server.imap()
        client.select("INBOX")
        answer, parts = client._simple_command("FETCH", "1:5", "(UID FLAGS BODY.PEEK[])"), None
        parts = [p for p in client._untagged_response("OK", [None], "FETCH")[1] if isinstance(p, tuple)]
        got = [re.search(rb"Subject: (\S+)\r", p[1])[1].decode() for p in parts]
        report.check("FETCH serves the whole ones around a damaged one", got == ["whole1", "whole2", "whole3"], str(got))
        report.check("octet for octet", all(texts[n].encode() in p[1] for n, p in zip(got, parts)))
        report.check("and ends with NO [CORRUPTION]", answer[0] == "NO" and b"[CORRUPTION]" in answer[1][0], str(answer))
        for number in "24":
            with report.case(f"alone, number {number} is NO, and the session lives"):
                assert says(client, "_simple_command", "FETCH", number, "BODY.PEEK[]").startswith("NO [CORRUPTION]")
                assert says(client, "_simple_command", "FETCH", number, "BODY.PEEK[TEXT]<5.10>").startswith("NO [CORRUPTION]")
                assert client.noop()[0] == "OK"
        client._untagged_response("OK", [None], "FETCH")
        report.check("its envelope and header are still known",
                     b"small" in client.fetch("2", "(ENVELOPE BODY.PEEK[HEADER])")[1][0][0])
        report.check("SEARCH goes on over it", client.search(None, "TEXT", '"end"')[1] == [b"1 3 5"])
        report.check("it can be deleted", says(client, "store", "2", "+FLAGS.SILENT", "\\Deleted").startswith("OK"))
        client.logout()
        pop = poplib.POP3("127.0.0.1", server.port("pop3"), timeout=20)
        pop.user("alice"), pop.pass_("pass")
        for number in (2, 4):
            try:
                pop.retr(number)
            except poplib.error_proto as error:
                report.check("POP3 RETR of it is -ERR [SYS/PERM]", b"[SYS/PERM]" in error.args[0], str(error))
            else:
                report.check("POP3 RETR of it is -ERR [SYS/PERM]", False, "it was given")
        report.check("POP3 gives the next one", pop.retr(5)[0].startswith(b"+OK"))
        pop.quit()
        report.check("the log names the message in words",
                     re.search(r"message damaged on disk account=\d+ message=\d+ pack=1 offset=\d+", log_of(server)))
        report.check("mail comes in as before", send(server, "bob", letter("later")).startswith("250") and
                     subjects(server, "bob")["later"] == 1)
        server.stop()
        server.start()
        report.check("a restart does not mind", sorted(subjects(server)) == ["whole1", "whole2", "whole3"])


# ---- flushes that fail -------------------------------------------------------------------------

def load(server):
    """What was acknowledged, and what was refused for sure, until some time after the fault."""
    acknowledged, refused, is_over, lock = [], [], threading.Event(), threading.Lock()

    def deliver(number):
        count = 0
        while not is_over.is_set():
            name = f"f{number}.{count}"
            count += 1
            reply = send(server, "alice", letter(name), timeout=3)
            with lock:
                (acknowledged if reply[:3] == "250" else refused if reply else []).append(name)
            if not reply.startswith("250"):
                time.sleep(0.1)

    def put(number):
        client, count = server.imap(), 0
        client.sock.settimeout(3)
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            while not is_over.is_set():
                name = f"f{number}.{count}"
                count += 1
                answer = append(client, letter(name))
                with lock:
                    (acknowledged if answer[:2] == "OK" else [] if lab.UNSURE in answer else refused).append(name)
                if not answer.startswith("OK"):
                    time.sleep(0.1)

    threads = [threading.Thread(target=(deliver, deliver, put)[n % 3], args=(n,), daemon=True) for n in range(6)]
    for thread in threads:
        thread.start()
    lab.wait_for(lambda: "store reopens" in log_of(server), 30)
    time.sleep(0.5)
    is_over.set()
    for thread in threads:
        thread.join()
    return acknowledged, refused


def flush():
    for title, spec, is_fatal in (("a flush that fails", "pack.flush:80:EIO", False),
                                  ("an index commit that fails", "index.commit:60:EIO", False),
                                  ("flushes that go on failing", "pack.flush:80+:EIO", True),
                                  ("index commits that go on failing", "index.commit:60+:EIO", True)):
        with lab.Server(env={"POSTRIDER_FAULT": "storaged=" + spec}) as server:
            send(server, "alice", letter("early"))
            is_early = subjects(server)["early"] == 1  # so the index shows it
            acknowledged, refused = load(server)
            report.check(f"{title}: the store reopens", "store reopens" in log_of(server))
            report.check("and goes read-only" if is_fatal else "and goes on",
                         ("store is read-only" in log_of(server)) == is_fatal and len(acknowledged) > 20,
                         f"{len(acknowledged)} acknowledged")
            if is_fatal:
                report.check("nothing new is acknowledged", not send(server, "alice", letter("late"), 3).startswith("250"))
                report.check("mail is read", is_early and subjects(server)["early"] == 1)
            else:
                report.check("all that was acknowledged is there once", *exactly(server, acknowledged, refused))
            server.stop(signal.SIGKILL)
            time.sleep(0.3)
            server.env.pop("POSTRIDER_FAULT")
            server.start()
            report.check("after a restart all that was acknowledged is there once, nothing refused",
                         *exactly(server, acknowledged, refused))
            report.check("and it takes mail", send(server, "alice", letter("new")).startswith("250"))


# ---- a STORE in slices, of which a later one fails -------------------------------------------

MANY, SLICE = 52000, 25000  # STORE_SLICE in src/imap/cmd_store.c


def fill(server):
    with socket.create_connection(("127.0.0.1", server.port("imap")), 60) as peer:
        reader = peer.makefile("rb")

        def say(command):
            peer.sendall(command)
            while not (line := reader.readline()).startswith(b"a "):
                assert line, "the server has closed"
            assert line.startswith(b"a OK"), line

        say(b"a LOGIN alice pass\r\n")
        for _ in range(MANY // 500):
            say(b"a APPEND INBOX" + b" {14+}\r\nSubject: x\r\n\r\n" * 500 + b"\r\n")


def flagged(server, flag):
    """How many have the flag, and how many are there, for somebody who comes anew."""
    client = server.imap()
    there = int(client.select("INBOX", readonly=True)[1][0])
    found = len(client.search(None, "KEYWORD", flag)[1][0].split())
    client.logout()
    return found, there


def store_all(server, flag, how="+FLAGS"):
    """The tagged reply, the numbers that the client was told to have the flag, and how many it was
    told in words."""
    client = server.imap()
    client.select("INBOX")
    try:
        answer = says(client, "_simple_command", "STORE", "1:*", how, f"({flag})")
    except (imaplib.IMAP4.abort, OSError) as error:
        answer = str(error)
    told = {int(line.split()[0]) for line in client._untagged_response("OK", [None], "FETCH")[1]
            if line and flag.encode() in line}
    warnings = [re.search(rb"first (\d+) of these messages were stored", line)
                for line in client.untagged_responses.get("NO", [])]
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        client.logout()
    return answer, told, sum(int(found[1]) for found in warnings if found)


def slices():
    with lab.Server() as server:
        fill(server)
        store_all(server, "$first")  # and nothing is recent any more
        server.stop()
        failed = collections.Counter()
        for how, spec in itertools.product(("+FLAGS", "+FLAGS.SILENT"), ("2+", "3+", "4+", "3")):
            title, flag = f"{how}, flush {spec} fails", f"${how[1:]}{spec}".replace(".", "")
            server.env["POSTRIDER_FAULT"] = f"storaged=pack.flush:{spec}:EIO"
            server.start()
            answer, told, said = store_all(server, flag, how)
            found, there = flagged(server, flag)
            failed[how, said] += not answer.startswith("OK")
            if "+" not in spec:
                report.check(f"{title}: the store puts it right by itself", answer.startswith("OK") and
                             (found, there) == (MANY, MANY) and "store reopens" in log_of(server), answer)
                server.stop()
                continue
            report.check(f"{title}: that is said in plain words",
                         answer.startswith("NO [UNAVAILABLE]") and "try again" in answer, answer)
            report.check("nothing is lost, and no slice done in part", found in (0, SLICE, 2 * SLICE) and there == MANY,
                         f"{found} of {there}")
            server.stop()
            server.env.pop("POSTRIDER_FAULT")
            server.start()
            done = SLICE * (int(spec[0]) - 2)
            now, there = flagged(server, flag)
            report.check("the slices before it are durable, and said to be", said == done and there == MANY and
                         now in (done, min(done + SLICE, MANY)), f"{now} of {there}, said {said}")
            report.check("and so is that the next one may be", now == done or lab.UNSURE in answer, answer)
            report.check("and told by FETCH, and no others", told == set(range(1, done + 1)) or
                         "SILENT" in how and not told, f"{len(told)} told of {done}")
            report.check("and all of it is done a second time", store_all(server, flag, how)[0].startswith("OK") and
                         flagged(server, flag) == (MANY, MANY))
            server.stop()
        report.check("the first and both later slices did fail",
                     failed == {(how, SLICE * n): 1 for how in ("+FLAGS", "+FLAGS.SILENT") for n in range(3)}
                     | {(how, 0): 1 for how in ("+FLAGS", "+FLAGS.SILENT")}, str(failed))


for part in sys.argv[1:] or ["quota", "full", "damage", "flush", "slices", "room"]:
    {"quota": quota, "full": full, "room": room, "damage": damage, "flush": flush, "slices": slices}[part]()
report.close()
