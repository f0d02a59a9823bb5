#!/usr/bin/python3
"""What an IMAP connection costs in memory: before log-in 64 KiB at most, whatever is sent, and
a compressed session that waits little more than one that is not compressed."""
import contextlib, os, pathlib, re, socket, ssl, sys, time, zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

STRANGERS, STRANGER_KB = 500, 64
ACCOUNTS, EACH = 12, 12
COMPRESSED_KB = 12  # more than a plain session that waits
report = lab.Report()
trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE

WORST = b"a LOGIN {23000+}\r\n"  # all of it has to be kept until the rest comes
# What is said before log-in and then goes on for ever, or as long as the server listens.
HEADS = [b"", b"a ", b"a LOGIN ", WORST, b"a LOGIN {11000+}\r\n" + b"x" * 11000 + b" {11000+}\r\n",
         b"a APPEND INBOX {24000+}\r\n", b"a ID (" + b'"a" "b" ' * 100, b"a AUTHENTICATE PLAIN\r\n",
         b"a AUTHENTICATE SCRAM-SHA-256 biws\r\n", b"a LOGIN {23000}\r\n", b"a COMPRESS DEFLATE\r\n",
         b"a NOOP\r\n" * 10, b"a REPLACE 1 INBOX {23000+}\r\n", b"a LOGIN {1+}\r\nx" * 500, b"\0" * 100]
# So much of it that no command ends and none is too long; and then much more.
AMOUNTS = [2000, 11000, 15800, 22900, 1 << 20]


def doors(server):
    return {pid for pid, role in server.children().items() if role == "imapd"}


def anonymous_kb(server):
    total = 0
    for pid in doors(server):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"Pss_Anon:\s+(\d+)", text)[1])
    return total


def guesser(server, number, service):
    """Its password is as long as can be; the answer comes late."""
    client = socket.create_connection(("127.0.0.1", server.port(service)), 20)
    if service == "imaps":
        client = trust.wrap_socket(client)
    client.sendall(b"a LOGIN user%d {23000+}\r\n" % number + b"x" * 23000 + b"\r\n")
    return client


def stranger(server, number, service):
    client = socket.create_connection(("127.0.0.1", server.port(service)), 20)
    if service == "imaps":
        client = trust.wrap_socket(client)
    client.settimeout(0.2)
    head, amount = HEADS[number % len(HEADS)], AMOUNTS[number // len(HEADS) % len(AMOUNTS)]
    with contextlib.suppress(OSError):  # it may have closed
        client.sendall(head)
        sent = 0
        while sent < amount:
            piece = b"x" * min(1500, amount - sent)
            client.sendall(piece)
            sent += len(piece)
    return client


def strangers(server, service):
    """All kinds together, then the worst of them alone.  They stay, so that who comes later
    needs memory of his own."""
    clients = [stranger(server, number, service) for number in range(len(HEADS) * len(AMOUNTS))]
    worst = HEADS.index(WORST) + len(HEADS) * AMOUNTS.index(22900)
    for who, numbers in ((stranger, range(STRANGERS)), (stranger, [worst] * STRANGERS),
                         (guesser, range(STRANGERS))):
        time.sleep(1)
        before = anonymous_kb(server)
        clients += [who(server, number, service) for number in numbers]
        time.sleep(0.1 if who == guesser else 1)
        each = (anonymous_kb(server) - before) / STRANGERS
        print(f"     {each:.1f} KiB each of {STRANGERS}")
        report.check(f"a stranger at {service} costs at most {STRANGER_KB} KiB", each <= STRANGER_KB,
                     f"{each:.1f}")
    for client in clients:
        client.close()
    with report.case(f"{service} serves people afterwards"):
        server.imap().logout()


class Session:
    """Logged in, with a mailbox open, after a few commands."""

    def __init__(self, server, user, compresses):
        self.socket = socket.create_connection(("127.0.0.1", server.port("imaps")), 20)
        self.socket = trust.wrap_socket(self.socket)
        self.input, self.packer = b"", None
        self.until(b"\r\n")
        self.do(b"LOGIN " + user + b" pass")
        if compresses:
            self.do(b"COMPRESS DEFLATE")
            self.packer, self.unpacker = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        for command in (b'LIST "" *', b"SELECT INBOX", b"FETCH 1:* (FLAGS ENVELOPE)", b"UID SEARCH UNSEEN"):
            self.do(command)
        self.say(b"i IDLE\r\n")
        self.until(b"+ idling\r\n")

    def say(self, text):
        if self.packer:
            text = self.packer.compress(text) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(text)

    def until(self, text):
        while text not in self.input:
            more = self.socket.recv(65536)
            assert more, "the server has closed"
            self.input += self.unpacker.decompress(more) if self.packer else more
        said, self.input = self.input, b""
        return said

    def do(self, command):
        self.say(b"x " + command + b"\r\n")
        said = self.until(b"\r\nx " if command[:4] in (b"LIST", b"SELE", b"FETC", b"UID ") else b"x ")
        assert b"x OK" in said, said


def waiting(server, compresses, kept):
    """KiB of each session that idles.  They stay."""
    before = anonymous_kb(server)
    sessions = [Session(server, b"user%d" % (1 + number % ACCOUNTS), compresses)
                for number in range(ACCOUNTS * EACH)]
    time.sleep(7)  # idle stacks and buffers go back
    kept += sessions
    return (anonymous_kb(server) - before) / len(sessions)


def compressed(server):
    for user in range(1, ACCOUNTS + 1):
        client = server.imap(f"user{user}")
        for number in range(20):
            client.append("INBOX", None, None, b"From: Ann <ann@example.org>\r\nSubject: no %d\r\n\r\nx\r\n" % number)
        client.logout()
    sessions = []
    waiting(server, False, sessions)  # what the first ones need stays for all
    plain, packed = waiting(server, False, sessions), waiting(server, True, sessions)
    print(f"     waiting with TLS: {plain:.1f} KiB, compressed: {packed:.1f} KiB")
    report.check(f"compressed, a session that waits costs at most {COMPRESSED_KB} KiB more",
                 packed - plain <= COMPRESSED_KB, f"{packed - plain:.1f}")
    for session in sessions:
        session.say(b"DONE\r\n")
        session.until(b"i OK")
        session.socket.close()


with lab.Server(accounts=ACCOUNTS) as running:
    compressed(running)
    for each_service in ("imaps", "imap"):
        strangers(running, each_service)
    report.check("nothing crashed", running.process.poll() is None)
report.close()
