#!/usr/bin/env python3
"""MESSAGELIMIT (RFC 9738): one command goes through so many messages, from the highest down,
and says where it stopped.

    limits.py IMAP_FAKE"""
import re, socket, subprocess, sys

from dialogues import free_base, wait_for

LIMIT, MESSAGES = 10, 25


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.reader = self.socket.makefile("rb")
        self.reader.readline()

    def do(self, command):
        """The untagged lines and the tagged one."""
        self.socket.sendall(b"a " + command + b"\r\n")
        lines = []
        while True:
            line = self.reader.readline().rstrip(b"\r\n")
            assert line, "the server has closed"
            if line.startswith(b"a "):
                return lines, line
            lines.append(line)


def uids(lines):
    return [int(found[1]) for line in lines for found in [re.search(rb"UID (\d+)", line)] if found]


def play(client):
    assert b" MESSAGELIMIT=10" in client.do(b"LOGIN alice pass")[1]
    client.do(b"CREATE a"), client.do(b"CREATE b")
    for count in (LIMIT, LIMIT, MESSAGES - 2 * LIMIT):
        done = client.do(b"APPEND a" + b" {17+}\r\nSubject: 1\r\n\r\n1\r\n" * count)[1]
        assert b"a OK [APPENDUID" in done, done
    done = client.do(b"APPEND a" + b" {17+}\r\nSubject: 1\r\n\r\n1\r\n" * (LIMIT + 1))[1]
    assert b"a NO [MESSAGELIMIT 10]" in done, done
    client.do(b"SELECT a")

    lines, done = client.do(b"UID FETCH 1:* (FLAGS)")
    assert uids(lines) == list(range(16, 26)) and b"a OK [MESSAGELIMIT 10 16]" in done, (lines, done)
    lines, done = client.do(b"UID FETCH 1:15 (FLAGS)")
    assert uids(lines) == list(range(6, 16)) and b"a OK [MESSAGELIMIT 10 6]" in done, (lines, done)
    lines, done = client.do(b"FETCH 1:5 (UID)")
    assert uids(lines) == list(range(1, 6)) and b"LIMIT" not in done, (lines, done)
    lines, done = client.do(b"UID FETCH 1:3,5:9,11:13,20 (FLAGS)")
    assert uids(lines) == [3, 5, 6, 7, 8, 9, 11, 12, 13, 20], lines
    assert b"a OK [MESSAGELIMIT 10 3]" in done, done
    lines, done = client.do(b"FETCH 1:2,4:11 (UID)")
    assert len(uids(lines)) == LIMIT and b"LIMIT" not in done, (lines, done)

    lines, done = client.do(b"SEARCH ALL")
    assert lines[-1] == b"* SEARCH " + b" ".join(b"%d" % n for n in range(16, 26)), lines
    assert b"a OK [MESSAGELIMIT 10 16]" in done, done
    lines, done = client.do(b"UID SEARCH UIDBEFORE 16 UIDAFTER 8")
    assert lines[-1] == b"* SEARCH 9 10 11 12 13 14 15" and b"LIMIT" not in done, (lines, done)

    lines, done = client.do(b"UID STORE 1:12 +FLAGS (\\Deleted)")
    assert uids(lines) == list(range(3, 13)) and b"a OK [MESSAGELIMIT 10 3]" in done, (lines, done)
    lines, done = client.do(b"UID STORE 1:12 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)")
    assert b"* NO [MESSAGELIMIT 10 3]" in b"\n".join(lines) and b"a OK [MODIFIED" in done, (lines, done)
    client.do(b"UID STORE 1:2 +FLAGS (\\Deleted)")
    lines, done = client.do(b"UID COPY 1:* b")
    assert b"a NO [MESSAGELIMIT 10]" in done, done
    assert b"MESSAGES 0" in client.do(b"STATUS b (MESSAGES)")[0][0]
    assert b"a OK [COPYUID" in client.do(b"UID COPY 1:10 b")[1]

    lines, done = client.do(b"UID EXPUNGE 1:25")  # of 12
    assert sum(b"EXPUNGE" in line for line in lines) == LIMIT and b"a OK [MESSAGELIMIT 10 3]" in done, (lines, done)
    lines, done = client.do(b"UID EXPUNGE 1:25")
    assert sum(b"EXPUNGE" in line for line in lines) == 2 and b"LIMIT" not in done, (lines, done)
    lines, done = client.do(b"UID MOVE 1:* b")  # of 13
    assert re.search(rb"COPYUID \d+ 16[,:]([\d,]+,)?25 ", lines[0]), lines
    assert b"a OK [MESSAGELIMIT 10 16]" in done, done
    client.do(b"UID MOVE 1:* b")
    assert b"MESSAGES 0" in client.do(b"STATUS a (MESSAGES)")[0][0]

    client.do(b"SELECT b")  # what has no limit: EXPUNGE, and CLOSE
    client.do(b"UID STORE 1:13 +FLAGS.SILENT (\\Deleted)"), client.do(b"UID STORE 14:* +FLAGS.SILENT (\\Deleted)")
    lines, done = client.do(b"EXPUNGE")
    assert sum(b"EXPUNGE" in line for line in lines) > LIMIT and b"LIMIT" not in done, (lines, done)


def main():
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base), str(LIMIT)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        play(Client(base + 143))
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait()


main()
