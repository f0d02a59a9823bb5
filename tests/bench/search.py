"""SEARCH in a large mailbox: ours, with its index and before there is one, and Dovecot's, which
looks through all mail (bench.py search).  scale 1 is 100,000 mails of 4 KB."""
import imap
from sides import Client, seconds

COMMON = b"babe"
SEARCHES = [
    ("BODY, a rare word", b"BODY " + imap.RARE),
    ("BODY, part of it", b"BODY " + imap.RARE[2:8]),
    ("BODY, an absent word", b"BODY zqvwkjx"),
    ("TEXT, a common word", b"TEXT " + COMMON),
    ("TEXT, two words that are there", b'TEXT "%b %b"' % tuple(w.encode() for w in imap.WORDS[:2])),
    ("SUBJECT", b"SUBJECT " + COMMON),
    ("FROM, an address", b'FROM "s42@example.org"'),
    ("FUZZY TEXT, a misspelt word", b"FUZZY TEXT " + imap.RARE[:3] + imap.RARE[4:]),
]


def lines(options):
    sides, count = [], int(100_000 * options.scale)
    try:
        for kind in options.kinds:
            sides.append(kind(2))
        clients = [Client(side.port("imap"), side.user % 1) for side in sides]
        for side, client in zip(sides, clients):
            took = seconds(lambda: imap.fill(client, count, 0))
            print(f"{side.name}: {count:,} mails appended in {took:.0f} s; settled "
                  f"{seconds(side.settle):.0f} s later", flush=True)
            client.order(b"SELECT INBOX")
        for name, words in SEARCHES:
            found = imap.timed(clients, imap.every(b"SEARCH " + words), options.runs)
            print(name, *(imap.shown(f) for f in found), flush=True)
            yield [name, *(imap.shown(f) for f in found),
                   imap.ratio(*found) if len(found) > 1 else "-"]
    finally:
        for side in sides:
            side.stop()
