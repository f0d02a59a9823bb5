#!/usr/bin/python3
"""What NOTIFY costs does not grow with the account: an event in one of 5,000 mailboxes takes about as
much CPU as in one of two.  More mailboxes than that are refused, and end what was agreed, with
NOTIFICATIONOVERFLOW (RFC 5465 §3.1, §5.8); so is a wish that is too long to be kept."""
import os, pathlib, socket, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

MOST, EVENTS, TIMES = 5000, 1500, 4
WISH = b"n NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))\r\n"
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
report = lab.Report()


class Client:
    def __init__(self, user):
        self.socket = socket.create_connection(("127.0.0.1", server.port("imap")), 60)
        self.lines = self.socket.makefile("rb")
        self.do(b"a LOGIN %s pass\r\n" % user)

    def do(self, text, end=None):
        """What comes up to its tagged response."""
        self.socket.sendall(text)
        end, got = end or text.split(b" ", 1)[0] + b" ", b""
        while not got.startswith(end):
            got = self.line()
        return got

    def line(self):
        got = self.lines.readline()
        assert got, "the server has closed"
        return got


def cpu_ms(roles=("imapd", "store")):
    ticks = 0
    for pid, role in server.children().items():
        if role.startswith(roles):
            words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(words[11]) + int(words[12])
    return ticks * TICK_MS


def cost(user):
    """CPU ms of so many events, each of which is told before the next happens."""
    listener, actor = Client(user), Client(user)
    listener.do(WISH)
    actor.do(b"f APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n")
    assert b"STATUS" in listener.line()
    actor.do(b"b SELECT INBOX\r\n")
    before = cpu_ms()
    for n in range(EVENTS):
        actor.do(b"x STORE 1 %sFLAGS.SILENT (\\Flagged)\r\n" % (b"-" if n % 2 else b"+"))
        said = listener.line()
        assert said.startswith(b"* STATUS"), said
    return cpu_ms() - before


def make(client, first, count):
    client.do(b"".join(b"m%d CREATE %05d\r\n" % (n, n) for n in range(first, first + count)),
              b"m%d " % (first + count - 1))


with lab.Server(accounts=2) as server:
    bob = Client(b"bob")
    begun = time.monotonic()
    make(bob, 0, MOST)  # with INBOX and the like, more than can be followed
    print(f"     {MOST} mailboxes made in {time.monotonic() - begun:.1f} s")
    said = bob.do(WISH)
    report.check("more mailboxes than can be followed are refused", b"NO [NOTIFICATIONOVERFLOW]" in said, said)
    said = bob.do(b"o NOTIFY SET (mailboxes (%s) NONE)\r\n" % b" ".join(b"x%0300d" % n for n in range(150)))
    report.check("a wish that is too long is refused", b"NO [NOTIFICATIONOVERFLOW]" in said, said)
    bob.do(b"".join(b"d%d DELETE %05d\r\n" % (n, n) for n in range(20)), b"d19 ")
    said = bob.do(WISH)
    report.check("as many as can be followed are", said.startswith(b"n OK"), said)
    few, many = cost(b"alice"), cost(b"bob")
    print(f"     {EVENTS} events: {few:.0f} ms of CPU in a small account, {many:.0f} ms in one of {MOST} mailboxes")
    report.check("an event costs no look at the other mailboxes", many < TIMES * max(few, 50),
                 f"{few:.0f} and {many:.0f} ms")
    listener = Client(b"bob")
    listener.do(WISH)
    make(bob, MOST, 40)
    while b"\"0" in (said := listener.line()) or b" 0" in said:
        pass  # those that were still within the bound
    report.check("who has more in the end is told that it is over", b"OK [NOTIFICATIONOVERFLOW]" in said, said)
    make(bob, MOST + 40, 1)
    said = listener.do(b"p NOOP\r\n")
    report.check("and is told nothing any more", said.startswith(b"p OK"), said)
report.close()
