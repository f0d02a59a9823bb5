#!/usr/bin/python3
"""The hostile hour in short: many sessions of mutated dialogues on every door, while people
who behave go on undisturbed; afterwards every process is as small as before.

    tests/soak/hostile.py [--sessions N] [--seed N]

What is said comes from tests/dialog: lines cut, repeated, swapped, with flipped bits, made
huge, literals and chunks that lie about their length, TLS where plain text belongs and plain
text where TLS does, junk behind everything.  The same seed says the same."""
import argparse, asyncio, contextlib, gc, imaplib, multiprocessing, os, pathlib, poplib, random, re
import resource, smtplib, ssl, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

DOORS = {"smtp": "smtp", "submission": "smtp", "submissions": "smtp", "lmtp": "smtp",
         "imap": "imap", "imaps": "imap", "pop3": "pop3", "pop3s": "pop3"}
WITHIN_S = 10        # a witness's command takes at most so long on a machine that is busy
MARGIN_KB = 3 << 10  # what a process may have grown by between the first fifth and the end
LARGEST_ROWS = 20000  # more than storage/group.c lets into one transaction
TOGETHER = 60        # sessions at once, of each of the WORKERS
WORKERS = 2


# ---- what is said ----------------------------------------------------------------------

def unescape(text):
    plain = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    text = re.sub(r"\{\w+\}", "word", text)
    text = re.sub(r"\\(x[0-9a-fA-F]{2}|.)",
                  lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else plain.get(m[1], m[1]),
                  text)
    return text.encode("latin-1", "replace")


def dialogues(kind):
    """Each a list of what clients of this kind send, as tests/dialog has it."""
    found = []
    for path in sorted((lab.ROOT / "tests" / "dialog" / kind).glob("*.txt")):
        sent = []
        for line in path.read_text().splitlines():
            if line.startswith("C: "):
                sent.append(unescape(line[3:]) + b"\r\n")
            elif line.startswith("C> "):
                sent.append(unescape(line[3:]))
        if sent:
            found.append(sent)
    return found


LIES = [b"BDAT 18446744073709551615\r\n", b"BDAT 5 LAST\r\n", b"BDAT 100000 LAST\r\nshort",
        b"BDAT -1\r\n", b"DATA\r\n", b"h APPEND INBOX {99999999999999}\r\n", b"AUTH PLAIN\r\n",
        b"h APPEND INBOX {10+}\r\n12345", b"h LOGIN {5}\r\n", b"h LOGIN {400000+}\r\n",
        b"h SEARCH " + b"NOT " * 500 + b"ALL\r\n", b"h FETCH 1:* " + b"(" * 300 + b"\r\n",
        b"h STORE " + b"1:*," * 400 + b"1 FLAGS (x)\r\n", b"RETR 99999999999\r\n", b"STARTTLS\r\n",
        b"h STARTTLS\r\n", b"STLS\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
        b"\x16\x03\x03\xff\xff" + b"\x80" * 300, b"\x15\x03\x03\x00\x02\x02\x00",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"\r\n\r\n\r\n", b"\n.\n", b"\r.\r", bytes(512)]


def mutate(rng, sent):
    """One thing done to what is said."""
    at = rng.randrange(len(sent)) if sent else 0
    what = rng.randrange(11)
    if not sent or what == 0:
        sent.insert(at, rng.choice(LIES))
    elif what == 1:
        sent[at] = sent[at][:rng.randrange(len(sent[at]) + 1)]
    elif what == 2:
        sent[at:at + 1] = [sent[at]] * rng.randrange(2, 40)
    elif what == 3:
        other = rng.randrange(len(sent))
        sent[at], sent[other] = sent[other], sent[at]
    elif what == 4:
        octets = bytearray(sent[at] or b"x")
        for _ in range(rng.randrange(1, 6)):
            octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
        sent[at] = bytes(octets)
    elif what == 5:
        sent[at] = sent[at].rstrip(b"\r\n") + b"x" * rng.choice((600, 3000, 20000, 120000)) + b"\r\n"
    elif what == 6:
        sent[at] = re.sub(rb"\d+", lambda m: b"%d" % rng.choice(
            (0, 1, 2**31, 2**32, 2**63, 2**64 - 1, int(m[0][:15]) + 1)), sent[at])
    elif what == 7:
        sent[at] = rng.choice((b"\r", b"\n", b"\0", b"\xff\xf4", b" ")).join(sent[at].split(b" "))
    elif what == 8:
        sent.insert(at, rng.randbytes(rng.randrange(1, 400)))
    elif what == 9:
        del sent[at:]
    else:
        sent[at:at] = [sent[rng.randrange(len(sent))] for _ in range(5)]


LOGINS = {"imap": [b"h LOGIN %s pass\r\n"], "pop3": [b"USER %s\r\n", b"PASS pass\r\n"],
          "smtp": [b"EHLO h.example\r\n"]}


def says(rng, kind, script):
    """What one session sends.  Wrong passwords cost the vault real work, so a log-in that
    the dialogue holds is mostly left whole."""
    sent = list(rng.choice(script))
    if rng.random() < 0.4:
        sent[:0] = [line.replace(b"%s", rng.choice((b"alice", b"bob"))) for line in LOGINS[kind]]
    heads = [i for i, line in enumerate(sent) if re.search(rb"(?i)login|^auth|^pass|^user|authenticate", line)]
    start = heads[-1] + 1 if heads and rng.random() < 0.97 else 0
    rest = sent[start:]
    for _ in range(rng.randrange(1, 6)):
        mutate(rng, rest)
    if start == 0 and heads and rng.random() < 0.9:
        rest = [line for line in rest if b"pass" not in line]
    return sent[:start] + rest


# ---- those who say it ------------------------------------------------------------------

async def drain(reader, quiet_s):
    """Reads until the server has closed (True) or says nothing more."""
    with contextlib.suppress(TimeoutError):
        while True:
            if not await asyncio.wait_for(reader.read(65536), quiet_s):
                return True
    return False


async def attack(rng, service, port, script, tls):
    kind = DOORS[service]
    is_tls = service in ("submissions", "imaps", "pop3s")
    speaks_tls = tls if is_tls != (rng.random() < 0.05) else None
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection("127.0.0.1", port, ssl=speaks_tls), 20)
    try:
        sent = says(rng, kind, script)
        step = rng.choice((1, 1, 2, 5, 1000))  # how much is pipelined
        for at in range(0, len(sent), step):
            writer.write(b"".join(sent[at:at + step]))
            await asyncio.wait_for(writer.drain(), 5)
            if step < 1000 and await drain(reader, 0.005):
                break
        if rng.random() < 0.2 and writer.can_write_eof():
            writer.write_eof()
        if rng.random() < 0.8:
            await drain(reader, 0.02)
    finally:
        writer.transport.abort()


async def attack_many(seed, numbers, base):
    scripts = {kind: dialogues(kind) for kind in ("smtp", "imap", "pop3")}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    services = list(DOORS)
    refused = 0

    async def some():
        nonlocal refused
        for number in numbers:
            rng = random.Random(f"{seed} {number}")
            service = services[number % len(services)]
            try:
                await attack(rng, service, base + lab.SERVICES[service], scripts[DOORS[service]], tls)
            except ConnectionRefusedError:
                refused += 1
            except (OSError, asyncio.TimeoutError, EOFError):
                pass  # the server closed on us, as it may

    await asyncio.gather(*(some() for _ in range(TOGETHER)))
    return refused


def attacker(seed, first, last, which, base, results):
    numbers = iter(range(first + which, last, WORKERS))
    results.put(asyncio.run(attack_many(seed, numbers, base)))


def attack_all(seed, first, last, base):
    """Sessions first to last; how many found nobody listening."""
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=attacker, args=(seed, first, last, which, base, results))
               for which in range(WORKERS)]
    for worker in workers:
        worker.start()
    refused = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return sum(refused)


# ---- those who must not be disturbed ---------------------------------------------------

class Witness(threading.Thread):
    """One who behaves: a connection of one's own that lasts, and is used all the time."""

    def __init__(self, name, connect, use, again):
        super().__init__(daemon=True)
        self.name, self.connect, self.use, self.again = name, connect, use, again
        self.turns, self.longest, self.error, self.is_over = 0, 0.0, None, False

    def run(self):
        try:
            client = self.connect()
            while not self.is_over:  # the connection goes when this ends
                begun = time.monotonic()
                self.use(client, self.turns)
                if self.turns % self.again == self.again - 1:
                    client = self.connect()
                self.longest = max(self.longest, time.monotonic() - begun)
                self.turns += 1
                time.sleep(0.2)
        except Exception as error:  # told by the main thread
            self.error = f"turn {self.turns}: {type(error).__name__}: {error}"


def letter(number, sender="x@load.example"):
    return f"From: <{sender}>\r\nSubject: witness {number}\r\n\r\nhello\r\n"


def witnesses(server):
    def smtp():
        return smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=WITHIN_S)

    def lmtp():
        return smtplib.LMTP("127.0.0.1", server.port("lmtp"), timeout=WITHIN_S)

    def person(client):
        client.login("user2", "pass")
        return client

    def submission():
        return person(smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=WITHIN_S))

    def submissions():
        return person(smtplib.SMTP_SSL("127.0.0.1", server.port("submissions"), timeout=WITHIN_S))

    def sends(sender):
        def use(client, number):
            refused = client.sendmail(sender, ["user1@postrider.test"], letter(number, sender))
            assert not refused, refused
        return use

    def imap(tls):
        def connect():
            kind = imaplib.IMAP4_SSL if tls else imaplib.IMAP4
            client = kind("127.0.0.1", server.port("imaps" if tls else "imap"), timeout=WITHIN_S)
            client.login("user6" if tls else "user3", "pass")
            client.select("INBOX")
            return client
        return connect

    def reads(client, number):
        assert client.noop()[0] == "OK"
        client.append("INBOX", None, None, letter(number).encode())
        assert client.search(None, "SUBJECT", f'"witness {number}"')[1][0], "not found"
        if number % 20 == 19:
            client.store("1:*", "+FLAGS", "(\\Deleted)")
            client.expunge()

    def pop3(tls):
        def connect():
            kind = poplib.POP3_SSL if tls else poplib.POP3
            client = kind("127.0.0.1", server.port("pop3s" if tls else "pop3"), timeout=WITHIN_S)
            client.user("user4" if tls else "user5")
            client.pass_("pass")
            return client
        return connect

    def looks(client, _):
        client.noop()
        assert client.stat() == (0, 0), "somebody else's mail"
        client.uidl()

    never = 1 << 60  # POP3 holds a lock, so it stays
    return [Witness("smtp", smtp, sends("x@load.example"), 50),
            Witness("lmtp", lmtp, sends("x@load.example"), 50),
            Witness("submission", submission, sends("user2@postrider.test"), 50),
            Witness("submissions", submissions, sends("user2@postrider.test"), 50),
            Witness("imap", imap(False), reads, 50), Witness("imaps", imap(True), reads, 50),
            Witness("pop3", pop3(False), looks, never), Witness("pop3s", pop3(True), looks, never)]


# ---- what it has cost ------------------------------------------------------------------

def anonymous_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Pss_Anon:\s+(\d+)", text)[1])


def sizes(server, sessions):
    """{pid: KiB of its own memory}, a while after the last session."""
    time.sleep(7 if sessions <= 10000 else 25)  # idle stacks and buffers go back, by and by
    return {pid: anonymous_kb(pid) for pid in server.children()}


def descriptors(server):
    return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in server.children()}


def clean(server):
    """What hostile sessions have stored goes, so that memory is compared at the same size."""
    for user in ("alice", "bob", "user1"):
        client = server.imap(user)
        for line in client.list()[1]:
            name = line.split(b' "/" ', 1)[1]
            if name != b"INBOX":
                client.delete(name.decode("latin-1"))
        client.select("INBOX")
        client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
        client.expunge()
        client.logout()
    dropped = server.ctl("queue", "drop", "--yes")
    assert dropped.returncode == 0, dropped.stderr


def warm(server):
    """The largest transaction that the index may have: LMDB keeps the pages of it for the next."""
    path = f"{server.folder}/mbox"
    with open(path, "wb") as mbox:
        for number in range(LARGEST_ROWS):
            mbox.write(b"From x Sun Nov 22 00:00:00 2026\nSubject: %d\n\nA line.\n\n" % number)
    done = server.ctl("import", "mbox", "user5@postrider.test", path, timeout=600)
    assert done.returncode == 0, done.stderr
    client = server.imap("user5")
    client.select("INBOX")
    client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
    client.expunge()
    client.logout()


def run(server, report, sessions, seed):
    if sessions > 10000:
        warm(server)
        print(f"     after the largest transaction: {sizes(server, sessions)} KiB")
    children, open_before = server.children(), descriptors(server)
    people = witnesses(server)
    for witness in people:
        witness.start()
    steps = 5 if sessions > 10000 else 2
    begun, refused, history = time.monotonic(), 0, []
    for step in range(steps):  # alike, since processes keep what the biggest took (LMDB its pages)
        refused += attack_all(seed, sessions * step // steps, sessions * (step + 1) // steps, server.base)
        clean(server)
        history.append(sizes(server, sessions))
        if server.children() != children:
            break
    took = time.monotonic() - begun
    for witness in people:
        witness.is_over = True
    for witness in people:
        witness.join(2 * WITHIN_S)
        report.check(f"the witness of {witness.name} was never disturbed",
                     not witness.error and witness.turns > 3 and not witness.is_alive(),
                     witness.error or f"{witness.turns} turns")
        print(f"     {witness.turns} turns, the longest {witness.longest * 1000:.0f} ms")
    print(f"     {sessions} sessions in {took:.0f} s, seed {seed}")
    report.check("every door listened all the time", refused == 0, str(refused))
    report.check("no process died", server.children() == children, str(server.children()))
    gc.collect()
    # The DNS library opens three for itself when it is first asked, and one for each packet
    # whose answer it waits for: up to 120 s where a server has been silent before.
    spare = {pid: 3 if role == "resolverd" else 0 for pid, role in children.items()}

    def grown():
        now = descriptors(server)
        return {pid: now.get(pid, -1) - open_before[pid] for pid in children}

    lab.wait_for(lambda: all(0 <= n <= spare[pid] for pid, n in grown().items()), 150, 0.5)
    open_after = grown()
    for pid, role in children.items():
        course = [str(step.get(pid, 0)) for step in history]
        print(f"     {role} {pid}: KiB {' '.join(course)}")
        report.check(f"{role} is as small as before", int(course[-1]) <= int(course[0]) + MARGIN_KB,
                     " -> ".join(course))
        report.check(f"{role} has let go all descriptors",
                     0 <= open_after[pid] <= spare[pid], f"{open_after[pid]:+}")
    log = pathlib.Path(server.log).read_text(errors="replace")
    bad = [line for line in log.splitlines() if re.search(r" ERROR |panic|process ended", line)]
    report.check("the log tells of no trouble", not bad, "\n".join(bad[:10]))


words = argparse.ArgumentParser()
words.add_argument("--sessions", type=int, default=100000)
words.add_argument("--seed", default="1")
options = words.parse_args()
report = lab.Report()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
with lab.Server(accounts=6) as running:
    run(running, report, options.sessions, options.seed)
report.close()
