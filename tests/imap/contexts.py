#!/usr/bin/env python3
"""Six clients, one of them with QRESYNC, one that compresses, two that said NOTIFY and one that
knows only UIDs, change one mailbox at random; each keeps the model of it that RFC 9051 §7.5.1
(RFC 9586 §3) lets it keep, and every response must fit its model.  What searches with UPDATE
found is kept, too (RFC 5267), and is what they would find at the end.  (model.py has more
clients, who do more, but search without UPDATE, and say no NOTIFY.)

    contexts.py IMAP_FAKE         starts the door over a store in memory
    contexts.py HOST PORT [SEED [STEPS]]    against any server with alice/pass"""
import itertools, random, re, socket, subprocess, sys, zlib

from dialogues import free_base, wait_for

SEARCHES = [b"UID SEARCH RETURN (UPDATE ALL) UNSEEN", b"SEARCH RETURN (UPDATE ALL) NOT DELETED",
            b"UID SORT RETURN (UPDATE ALL) (SUBJECT REVERSE ARRIVAL) UTF-8 UNSEEN",
            b"SORT RETURN (UPDATE ALL) (REVERSE SIZE) UTF-8 UID 3:* NOT DELETED"]


def message():
    dice = random.Random(next(MESSAGES))
    return b"Subject: %c\r\n\r\n%s\r\n" % (dice.choice(b"xyz"), b"b" * dice.randrange(5))


MESSAGES = itertools.count()


def listed(text):
    """A sequence set, in its order."""
    return [n for part in text.split(b",") if part for a, *b in [part.split(b":")]
            for n in range(int(a), int(b[0] if b else a) + 1)]


class Client:
    def __init__(self, address, mailbox, is_qresync=False, compresses=False, notify=b""):
        self.socket = socket.create_connection(address, 10)
        self.packer = self.unpacker = None
        self.input, self.tags, self.count, self.uids = b"", 0, 0, {}
        self.line()
        self.flags, self.said = {}, b""  # by UID; what SELECT said
        self.do(b"LOGIN alice pass")
        self.is_qresync = is_qresync
        self.is_told = notify == b"selected"  # at any moment (RFC 5465 §5.3)
        if notify:
            self.do(b"NOTIFY SET (%s (MessageNew (FLAGS) MessageExpunge FlagChange))" % notify)
        if is_qresync:
            self.do(b"ENABLE QRESYNC")
        if compresses:
            self.do(b"COMPRESS DEFLATE")
            self.packer, self.unpacker = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        self.mailbox = mailbox
        self.results = {}  # by tag: the command, and what it found in its order

    def line(self):
        while b"\r\n" not in self.input:
            more = self.socket.recv(65536)
            assert more, "the server has closed"
            self.input += self.unpacker.decompress(more) if self.unpacker else more
        line, self.input = self.input.split(b"\r\n", 1)
        return line

    def do(self, command):
        self.tags += 1
        tag = b"x%d " % self.tags
        text = tag + command + b"\r\n"
        if self.packer:
            text = self.packer.compress(text) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(text)
        while True:
            line = self.line()
            if line.startswith(tag):
                break
            self.learn(command, line)
        assert b" BAD" not in line or b"so many" in line, (command, line)
        numbers = sorted(self.uids)
        assert all(self.uids[a] < self.uids[b] for a, b in zip(numbers, numbers[1:])), command

    def vanished(self, command, earlier, ranges):
        gone = [uid for part in ranges.split(b",") for a, *b in [part.split(b":")]
                for uid in range(int(a), int(b[0] if b else a) + 1)]
        for uid in gone:
            self.flags.pop(uid, None)
        if earlier:
            return
        assert self.is_qresync and len(gone) <= self.count, (command, ranges)
        assert not command.startswith((b"FETCH", b"STORE", b"SEARCH")), (command, ranges)
        self.count -= len(gone)
        self.uids = {n - sum(g < uid for g in gone): uid
                     for n, uid in self.uids.items() if uid not in gone}

    def shift(self, gone):
        """Sequence numbers that were found are others when some before them are gone."""
        for tag, (command, found) in self.results.items():
            if command and not command.startswith(b"UID"):
                assert not set(found) & set(gone), (tag, found, gone)
                self.results[tag] = command, [n - sum(g < n for g in gone) for n in found]

    def result(self, line):
        """An ESEARCH response: what was found, or how that changes.  RFC 5267 §4.3."""
        tag, rest = re.match(rb'\* ESEARCH \(TAG "(\w+)"\)(?: UID)?(.*)', line).groups()
        command, found = self.results.get(tag, (b"", []))
        if not re.search(rb"ADDTO|REMOVEFROM", rest):
            self.results[tag] = command, listed((re.search(rb"ALL ([\d:,]+)", rest) or [b"", b""])[1])
            return
        for what, pairs in re.findall(rb"(ADDTO|REMOVEFROM) \(([^)]*)\)", rest):
            words = pairs.split()
            for at, numbers in zip(map(int, words[::2]), map(listed, words[1::2])):
                if what == b"REMOVEFROM":
                    assert at == 0 or found[at - 1:at - 1 + len(numbers)] == numbers, (tag, line, found)
                    assert set(numbers) <= set(found), (tag, line, found)
                    found = [n for n in found if n not in numbers]
                else:
                    assert not set(numbers) & set(found), (tag, line, found)
                    found = sorted(found + numbers) if at == 0 else found[:at - 1] + numbers + found[at - 1:]
        self.results[tag] = command, found

    def watch(self, command):
        """By UID only where VANISHED says what went, as not all numbers are known."""
        if self.is_qresync and not command.startswith(b"UID"):
            return
        self.results[b"x%d" % (self.tags + 1)] = command, []
        self.do(command)

    def agrees(self):
        """What is kept is what the same command finds now."""
        for tag, (command, found) in list(self.results.items()):
            self.results[b"x%d" % (self.tags + 1)] = b"", []
            self.do(command.replace(b"UPDATE ", b""))
            now = self.results.pop(b"x%d" % self.tags)[1]
            assert found == now, (command, found, now)

    def learn(self, command, line):
        if line.startswith(b"* ESEARCH"):
            self.result(line)
            return
        vanished = re.match(rb"\* VANISHED (\(EARLIER\) )?([\d:,]+)$", line)
        if vanished:
            self.vanished(command, *vanished.groups())
        if command.startswith(b"SELECT"):
            self.said += line
        flags = re.match(rb"\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\)", line)
        if flags:
            self.flags[int(flags[1])] = set(flags[2].split())
        found = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \(.*?UID (\d+))?", line)
        if not found:
            return
        number, what = int(found[1]), found[2]
        if what == b"EXISTS":
            if command.startswith(b"SELECT"):
                self.uids, self.count = {}, 0
            assert number >= self.count, (command, line, self.count)
            self.count = number
            return
        assert 1 <= number <= self.count, (command, line, self.count)
        if what == b"EXPUNGE":
            assert not self.is_qresync, (command, line)
            assert self.is_told or not command.startswith((b"FETCH", b"STORE", b"SEARCH")), (command, line)
            self.count -= 1
            self.shift([number])
            self.uids = {n - (n > number): uid for n, uid in self.uids.items() if n != number}
        elif found[3]:
            uid = int(found[3])
            assert self.uids.setdefault(number, uid) == uid, (command, line, self.uids[number])


class UidClient(Client):
    """With UIDONLY it hears of no message numbers, and knows the UIDs that it was told."""

    def __init__(self, address, mailbox):
        super().__init__(address, mailbox)
        self.do(b"ENABLE UIDONLY")
        self.is_qresync = True  # as far as VANISHED goes

    def learn(self, command, line):
        assert not re.match(rb"\* \d+ (FETCH|EXPUNGE)", line), (command, line)
        found = re.match(rb"\* (\d+) UIDFETCH \(.*?UID (\d+) FLAGS \(([^)]*)\)", line)
        if found:
            assert found[1] == found[2], (command, line)
            self.flags[int(found[1])] = set(found[3].split())
        else:
            super().learn(command, line)
        if command.startswith(b"SELECT") and line.endswith(b" EXISTS"):
            self.flags = {}

    def step(self, dice):
        uid = b"%d" % dice.choice(sorted(self.flags) or [1])
        self.do(dice.choice([b"UID FETCH 1:* FLAGS", b"UID STORE " + uid + b" +FLAGS (\\Seen)",
                             b"UID STORE " + uid + b" +FLAGS.SILENT (\\Deleted)", b"EXPUNGE", b"NOOP",
                             b"UID EXPUNGE " + uid, b"UID SEARCH UID " + uid, b"UID COPY " + uid + b" " + self.mailbox,
                             b"UID MOVE " + uid + b" " + self.mailbox]))


def some(client, dice):
    a, b = sorted(dice.randint(1, client.count) for _ in range(2))
    return dice.choice([b"%d" % a, b"%d:%d" % (a, b), b"*", b"1:*", b"%d:*" % a])


def step(client, dice):
    if isinstance(client, UidClient):
        return client.step(dice)
    if client.is_told:  # who does not count with sequence numbers
        return by_uid(client, dice)
    what = dice.randrange(13)
    if what < 4:
        mail = message()
        client.do(b"APPEND %s {%d+}\r\n" % (client.mailbox, len(mail)) + mail)
    elif client.count == 0:
        client.do(b"NOOP")
    else:
        one = dice.randint(1, client.count)
        client.do([b"FETCH " + some(client, dice) + b" (UID FLAGS)",
                   b"STORE " + some(client, dice) + b" +FLAGS (\\Seen)",
                   b"STORE %d +FLAGS.SILENT (\\Deleted)" % one,
                   b"EXPUNGE", b"NOOP", b"SEARCH " + some(client, dice),
                   b"UID FETCH 1:* FLAGS", b"NOOP",
                   b"COPY %d " % one + client.mailbox][what - 4])


def by_uid(client, dice):
    uid, mail = dice.choice([*client.uids.values(), 1]), message()
    client.do(dice.choice([b"NOOP", b"UID FETCH 1:* FLAGS", b"UID STORE %d +FLAGS (\\Flagged)" % uid,
                           b"UID STORE %d +FLAGS.SILENT (\\Deleted)" % uid, b"UID EXPUNGE %d" % uid,
                           b"APPEND %s {%d+}\r\n" % (client.mailbox, len(mail)) + mail]))


def snapshot(address, mailbox):
    """What a client knows when it leaves: for SELECT's QRESYNC, and the flags by UID."""
    client = Client(address, mailbox, True)
    client.do(b"SELECT " + mailbox)
    client.do(b"UID FETCH 1:* FLAGS")
    known = [re.search(rb"\[%s (\d+)\]" % word, client.said)[1] for word in (b"UIDVALIDITY", b"HIGHESTMODSEQ")]
    return b" ".join(known), client.flags


def comes_back(address, mailbox, known, flags):
    """What was known and what SELECT says of it are what is there."""
    client = Client(address, mailbox, True)
    client.flags = dict(flags)
    client.do(b"SELECT " + mailbox + b" (QRESYNC (%s))" % known)
    synchronised, client.flags = client.flags, {}
    client.do(b"UID FETCH 1:* FLAGS")
    assert synchronised == client.flags, (known, set(synchronised) ^ set(client.flags))


def play(address, seed, steps):
    dice = random.Random(seed)
    mailbox = b"model%d" % random.SystemRandom().randrange(10**9)
    clients = [Client(address, mailbox, number == 2, number == 1) for number in range(3)]
    clients += [Client(address, mailbox, notify=notify) for notify in (b"selected", b"selected-delayed")]
    clients.append(UidClient(address, mailbox))
    clients[0].do(b"CREATE " + mailbox)
    for client in clients:
        client.do(b"SELECT " + mailbox)
        client.do(b"UID FETCH 1:* FLAGS")
        for command in SEARCHES:
            client.watch(command)
    left = []
    for number in range(steps):
        if number % (steps // 5) == 0:
            left.append(snapshot(address, mailbox))
        step(dice.choice(clients), dice)
        if number % 50 == 0:
            client = dice.choice(clients)
            client.do(b"SELECT " + mailbox)
            client.results = {}  # only now: who said NOTIFY may have heard of them meanwhile
            for command in SEARCHES:
                client.watch(command)
    for known in left:
        comes_back(address, mailbox, *known)
    for client in clients:
        for command in (b"NOOP", b"UID FETCH 1:* FLAGS", b"NOOP"):
            client.do(command)
        client.agrees()
    assert all(c.uids == clients[0].uids and c.count == len(c.uids) for c in clients[:-1])
    assert sorted(clients[-1].flags) == sorted(clients[0].uids.values()) and clients[-1].count == clients[0].count
    print(f"seed {seed}: {steps} steps, {clients[0].count} messages at the end")
    clients[0].do(b"DELETE " + mailbox)


if len(sys.argv) == 2:
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        for seed in range(3):
            play(("127.0.0.1", base + 143), seed, 500)
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait()
else:
    play((sys.argv[1], int(sys.argv[2])), *map(int, sys.argv[3:] or ["0"]),
         *([] if len(sys.argv) > 4 else [1000]))
