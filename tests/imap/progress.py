#!/usr/bin/env python3
"""INPROGRESS (RFC 9585): STORE, COPY, MOVE and EXPUNGE of many messages tell, every ten seconds
and at once, that they go on; those of few do not.

    progress.py IMAP_FAKE     starts the door over a store in memory; time is in a hurry"""
import socket, subprocess, sys, time

from dialogues import free_base, wait_for

HURRY, MESSAGES, MANY, SLOW_S, EACH_S = 100, 1100, 1000, 25, 10


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.reader = self.socket.makefile("rb")
        self.reader.readline()

    def do(self, command, tag=b"a"):
        """The lines up to the tagged one, and when they came."""
        begun, lines = time.monotonic(), []
        self.socket.sendall(tag + b" " + command + b"\r\n")
        while not lines or not lines[-1][0].startswith(tag + b" "):
            line = self.reader.readline().rstrip(b"\r\n")
            assert line, "the server has closed"
            lines.append((line, (time.monotonic() - begun) * HURRY))
        return lines


def told(lines, tag=b'"a"'):
    """When the client was told; its reply came no sooner than the work was done."""
    assert b" OK " in lines[-1][0] and lines[-1][1] >= SLOW_S, lines[-1]
    wanted = b"* OK [INPROGRESS (" + tag + b" NIL NIL)] Still at it"
    return [when for line, when in lines if line == wanted]


def fill(client):
    for _ in range(MESSAGES // 100):
        assert b"a OK" in client.do(b"APPEND slow" + b" {17+}\r\nSubject: 1\r\n\r\n1\r\n" * 100)[-1][0]
    assert b"a OK" in client.do(b"SELECT slow")[-1][0]


def play(client):
    client.do(b"LOGIN alice pass"), client.do(b"CREATE slow"), client.do(b"CREATE there")
    fill(client)
    for command in (b"STORE 1:* +FLAGS.SILENT (\\Flagged)", b"UID STORE 1:* +FLAGS (\\Seen)", b"COPY 1:* there",
                    b"COPY 1:%d there" % MANY):
        times = told(client.do(command))
        assert len(times) == 2, (command, times)
        assert all(EACH_S * n <= at < EACH_S * n + 4 for n, at in enumerate(times, 1)), (command, times)
    for command in (b"COPY 1:%d there" % (MANY - 1), b"STORE 5 +FLAGS (\\Deleted)"):
        assert not told(client.do(command)), command
    assert len(told(client.do(b"EXPUNGE"))) == 2
    lines = client.do(b"MOVE 1:* there", b"x]y")
    assert len(told(lines, b"NIL")) == 2 and sum(b"EXPUNGE" in line for line, _ in lines) == MESSAGES - 1
    assert any(b"MESSAGES %d " % (2 * MESSAGES + 2 * MANY - 2) in line
               for line, _ in client.do(b"STATUS there (MESSAGES UNSEEN)")), "not all are there"


def hangs_up(port):
    """Who leaves meanwhile, or does not read, ends only himself."""
    client = Client(port)
    client.do(b"LOGIN alice pass")
    fill(client)
    client.socket.sendall(b"b STORE 1:* +FLAGS.SILENT (\\Flagged)\r\n")
    time.sleep(EACH_S * .5 / HURRY)
    client.socket.close(), client.reader.close()
    time.sleep(SLOW_S * 1.5 / HURRY)
    assert b"a OK" in Client(port).do(b"LOGIN alice pass")[-1][0]


def main():
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base), "0", str(HURRY)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        play(Client(base + 143))
        hangs_up(base + 143)
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait()


main()
