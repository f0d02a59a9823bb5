#!/usr/bin/env python3
"""Sessions that wait: those in IDLE, or told by NOTIFY, hear a word now and then, so that
translators of addresses keep their connections, all of an account at the same moment; all
of them end after 30 minutes of silence (RFC 9051 §5.4), with BYE and no sooner.

    waiting.py IMAP_FAKE     starts the door over a store in memory; time is in a hurry"""
import select, socket, subprocess, sys, time

from dialogues import free_base, wait_for

HURRY, WORD_S, END_S, SLACK_S = 120, 120, 1800, 0.7
LOGIN = b"a LOGIN alice pass\r\n"
WAYS = {"IDLE": b"b IDLE\r\n", "IDLE with a mailbox": b"b SELECT INBOX\r\nc IDLE\r\n",
        "NOTIFY": b"b NOTIFY SET (personal (MailboxName))\r\n", "neither": b"b NOOP\r\n"}


class Waiting:
    def __init__(self, address, name, text):
        self.name, self.begun, self.words, self.said, self.ended = name, time.monotonic(), [], b"", None
        self.socket = socket.create_connection(address, 10)
        self.socket.sendall(LOGIN + text)

    def take(self):
        more = self.socket.recv(65536)
        if b"* OK Still here\r\n" in more:
            self.words.append(time.monotonic())
        self.said += more
        if not more:
            self.ended = time.monotonic() - self.begun


def watch(sessions):
    until = time.monotonic() + END_S / HURRY + 10
    while any(s.ended is None for s in sessions) and time.monotonic() < until:
        for ready in select.select([s.socket for s in sessions if s.ended is None], [], [], 1)[0]:
            next(s for s in sessions if s.socket is ready).take()


def check(session):
    assert session.ended, f"{session.name}: it never ends"
    assert b"* BYE You were silent" in session.said, (session.name, session.said)
    late = session.ended - END_S / HURRY
    assert -0.1 < late < SLACK_S, f"{session.name}: ended {late:.2f} s late"
    if session.name == "neither":
        assert not session.words, "a word that nobody waits for"
        return
    assert 13 <= len(session.words) <= 15, f"{session.name}: {len(session.words)} words"
    gaps = [b - a for a, b in zip(session.words, session.words[1:])]
    assert max(abs(gap - WORD_S / HURRY) for gap in gaps) < SLACK_S, (session.name, gaps)


def main():
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base), "0", str(HURRY)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        sessions = [Waiting(("127.0.0.1", base + 143), name, text) for name, text in WAYS.items()]
        watch(sessions)
        for session in sessions:
            check(session)
        first, other = sessions[0].words, sessions[2].words
        together = sum(min(abs(a - b) for b in other) < 0.3 for a in first)
        assert together >= len(first) - 2, f"{together} of {len(first)} words come together"
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait()
    print(f"{len(sessions)} sessions waited, {len(first)} words each")


main()
