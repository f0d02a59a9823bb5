#!/usr/bin/python3
"""A mailbox larger than any page of anything: every command still covers all of it."""
import os, socket, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

MESSAGES, AT_ONCE = 30000, 500
report = lab.Report()


class Client:
    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port("imap")), 60)
        self.reader = self.socket.makefile("rb")
        self.reader.readline()

    def do(self, command):
        """The untagged lines."""
        self.socket.sendall(b"a " + command + b"\r\n")
        lines = []
        while not (line := self.reader.readline()).startswith(b"a "):
            assert line, "the server has closed"
            assert not line.startswith(b"* BYE"), line
            lines.append(line)
        assert line.startswith(b"a OK"), line
        return lines


def count(lines, word):
    return sum(word in line for line in lines)


with lab.Server() as running:
    client = Client(running)
    client.do(b"LOGIN alice pass")
    client.do(b"CREATE copies")
    with report.case("mails are appended, %d at once" % AT_ONCE):
        for _ in range(MESSAGES // AT_ONCE):
            client.do(b"APPEND INBOX" + b" {17+}\r\nSubject: 1\r\n\r\n1\r\n" * AT_ONCE)
    with report.case("SELECT counts them"):
        assert b"* %d EXISTS\r\n" % MESSAGES in client.do(b"SELECT INBOX")
    for items in (b"(UID FLAGS)", b"ENVELOPE", b"(RFC822.SIZE BODY.PEEK[])"):
        with report.case(f"FETCH 1:* {items.decode()} gives all"):
            assert count(client.do(b"FETCH 1:* " + items), b"FETCH (") == MESSAGES
    with report.case("STORE changes all"):
        assert count(client.do(b"STORE 1:* +FLAGS (\\Seen)"), b"\\Seen") == MESSAGES
    with report.case("SEARCH finds all"):
        assert len(client.do(b"SEARCH SEEN SUBJECT 1")[0].split()) == MESSAGES + 2
    with report.case("COPY copies all"):
        client.do(b"COPY 1:* copies")
        assert b"MESSAGES %d)" % MESSAGES in client.do(b"STATUS copies (MESSAGES)")[0]
    with report.case("EXPUNGE removes all that it should"):
        client.do(b"STORE 2:%d +FLAGS.SILENT (\\Deleted)" % (MESSAGES - 1))
        assert count(client.do(b"EXPUNGE"), b" EXPUNGE") == MESSAGES - 2
        assert len(client.do(b"FETCH 1:* UID")) == 2
report.close()
