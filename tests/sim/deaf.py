#!/usr/bin/python3
"""Clients that asked to be told of everything and do not read: while 100,000 changes happen they
cost bounded memory.  Who reads again in time ends up with the mailbox as it is; who was away for
longer than the log of changes reaches is told so, by BYE or NOTIFICATIONOVERFLOW.

    deaf.py [CHANGES]"""
import os, pathlib, re, socket, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

MESSAGES = 1000
CHANGES = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
ROWS = 27000  # the log of changes keeps 20,000 to 25,000
WRITERS = 8
SESSIONS, BOUND_KB = 6, 1024  # of each way; what one of them may cost
BOX, WORD = b"/".join([b"x" * 250] * 15), b"k" * 100  # long, so that the kernel's buffers are soon full
ENTRY = b"/shared/vendor/postrider/" + b"x" * 200
LOGIN, SELECT = b"a LOGIN alice pass\r\n", b"b SELECT %s\r\n" % BOX
WAYS = {
    "IDLE": [SELECT, b"c IDLE\r\n"],
    "IDLE with QRESYNC": [b"q ENABLE QRESYNC\r\n", SELECT, b"c IDLE\r\n"],
    "NOTIFY of the selected mailbox": [
        SELECT, b"c NOTIFY SET (selected (MessageNew (FLAGS ENVELOPE) MessageExpunge FlagChange))\r\n"],
    "NOTIFY of others": [
        b"c NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))\r\n"],
    "NOTIFY of annotations": [b"c NOTIFY SET (personal (MailboxMetadataChange))\r\n"],
}
report = lab.Report()


class Client:
    def __init__(self, *said):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", server.port("imap")))
        for line in (LOGIN, *said):
            self.do(line)

    def do(self, text, end=None):
        """Sends it; what comes up to its end, which for a command is its tagged response."""
        self.socket.sendall(text)
        end = b"\n" + (end or (b"+ " if b"IDLE" in text else text.split(b" ", 1)[0] + b" "))
        got, last = [], b"\n"
        while end not in last or not last.endswith(b"\n"):
            more = self.socket.recv(1 << 16)
            if not more:
                break
            got.append(more)
            last = last[-2000:] + more
        return b"".join(got)


class Deaf(Client):
    def __init__(self, way):
        super().__init__(*WAYS[way])
        self.way = way

    def listen(self):
        """Reads all there is, and asks for what may still be to come."""
        done = b"DONE\r\n" if "IDLE" in self.way else b"d NOOP\r\n"
        got = self.do(done, b"c " if "IDLE" in self.way else b"d ")
        return got + self.do(b"e NOOP\r\n") if b"* BYE" not in got else got


def change(n, sets):
    if n % 10 == 5:
        return b"x%d SETMETADATA %s (%s \"%d\")\r\n" % (n, BOX, ENTRY, n)
    return b"x%d STORE %s %sFLAGS.SILENT (\\Flagged)\r\n" % (n, sets[n // 2 % len(sets)], b"-" if n % 2 else b"+")


def toggle(client, sets, times):
    """So many changes: of an annotation, or by STORE, adding or removing \\Flagged of one of the sets in turn."""
    for first in range(0, times, 500):
        some = range(first, min(first + 500, times))
        client.do(b"".join(change(n, sets) for n in some), b"x%d " % some[-1])


def anonymous_kb():
    total = 0
    for pid, role in server.children().items():
        if role == "imapd":
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"Pss_Anon:\s+(\d+)", text)[1])
    return total


def sampled(work):
    """The most memory that was seen while work() ran."""
    most, is_over = [anonymous_kb()], threading.Event()

    def sample():
        while not is_over.wait(0.1):
            most.append(anonymous_kb())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        work()
    finally:
        is_over.set()
        thread.join()
    return max(most)


def fill():
    client = Client()
    text = b"Subject: x\r\n\r\nx\r\n"
    client.do(b"f CREATE %s\r\n" % BOX)
    client.do(b"".join(b"f%d APPEND %s (%s) {%d+}\r\n%s\r\n" % (n, BOX, WORD, len(text), text) for n in range(MESSAGES)),
              b"f%d " % (MESSAGES - 1))
    return client


def flags_of(said):
    """What a client believes that was told this: flags by UID; \\Recent is of its session."""
    return {int(uid): set(flags.split()) - {b"\\Recent"} for uid, flags in
            re.findall(rb"\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\)", said)}


def agrees(deaf, said, truth):
    """Whether what was said last of each message, or of the mailbox, is so."""
    if deaf.way == "NOTIFY of annotations":
        return b"* METADATA " in said and ENTRY in said
    if deaf.way == "NOTIFY of others":
        found = re.findall(rb"\* STATUS \S+ \(.*UNSEEN (\d+)", said)
        return bool(found) and int(found[-1]) == sum(b"\\Seen" not in flags for flags in truth.values())
    return flags_of(said) == truth


def is_clear(said):
    return b"* BYE [UNAVAILABLE]" in said or b"[NOTIFICATIONOVERFLOW]" in said


def truth_now(client):
    return flags_of(client.do(b"t UID FETCH 1:* (FLAGS)\r\n"))


def everything(client, rounds):
    """Each of the messages changes so many times, and once more to what it will be."""
    toggle(client, [b"1:*"], rounds // 2 * 2)
    client.do(b"y STORE 1:%d +FLAGS.SILENT (\\Seen)\r\n" % (MESSAGES // 2))


def one_by_one():
    clients = [Client(SELECT) for _ in range(WRITERS)]
    threads = [threading.Thread(target=toggle, args=(c, [b"%d" % (WRITERS * n + i + 1) for n in range(100)],
                                                     ROWS // WRITERS))
               for i, c in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


with lab.Server(accounts=2) as server:
    busy = fill()
    busy.do(SELECT)
    group = [Deaf(way) for way in WAYS for _ in range(SESSIONS)]
    late = [Deaf(way) for way in WAYS for _ in range(SESSIONS)]
    count = len(group) + len(late)
    time.sleep(1)
    before, begun = anonymous_kb(), time.monotonic()
    most = sampled(lambda: everything(busy, (CHANGES - ROWS) // MESSAGES))
    print(f"     {CHANGES - ROWS} changes in {time.monotonic() - begun:.1f} s: {count} sessions took "
          f"{(most - before) / count:.0f} KB each")
    truth = truth_now(busy)
    for way in WAYS:
        wrong = [d for d in group if d.way == way and not agrees(d, d.listen(), truth)]
        report.check(f"{way}: who reads again knows the mailbox as it is", not wrong, f"{len(wrong)} do not")
    begun = time.monotonic()
    most = max(most, sampled(one_by_one))
    print(f"     {ROWS} changes one by one in {time.monotonic() - begun:.1f} s: "
          f"{(most - before) / count:.0f} KB each at most")
    report.check(f"a client that does not read costs {BOUND_KB} KB at most",
                 most - before <= BOUND_KB * count, f"{(most - before) // count} KB")
    time.sleep(5)  # the log is trimmed when there is time
    truth, told = truth_now(busy), {}
    for deaf in late:
        said = deaf.listen()
        told.setdefault(deaf.way, []).append("clear" if is_clear(said) else
                                             "agrees" if agrees(deaf, said, truth) else said[-200:])
    for way, ends in told.items():
        report.check(f"{way}: who was away for too long knows the mailbox as it is, or that it does not",
                     set(ends) <= {"agrees", "clear"}, str(ends))
        print(f"     {ends.count('agrees')} agree, {ends.count('clear')} were told")
    report.check("each way has somebody who was away for too long",  # annotations change too seldom for that
                 all("clear" in ends for way, ends in told.items() if way != "NOTIFY of annotations"))
    report.check("the server goes on", len(truth) == MESSAGES)
report.close()
