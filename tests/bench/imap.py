"""IMAP's commands on a large mailbox: ours and Dovecot's, each in turn (bench.py imap)."""
import base64, random, statistics

from sides import Client, seconds

LARGE_COUNT, LARGE_BYTES = 200, 1 << 20
TOGETHER = 500  # mails in one APPEND
RARE = b"xqzzyrare"


def vocabulary(dice):
    return ["".join(dice.choice("bcdfghklmnprstvw") + dice.choice("aeiou")
                    for _ in range(dice.randint(1, 4))) for _ in range(5000)]


WORDS = vocabulary(random.Random(7))


def prose(dice, octets):
    lines, size = [], 0
    while size < octets:
        lines.append(" ".join(dice.choices(WORDS, k=11)))
        size += len(lines[-1]) + 2
    return "\r\n".join(lines) + "\r\n"


def letter(number, texts):
    """A mail of 4 KB; every three are a conversation, one in 20,000 has the rare word."""
    root, dice = number // 3, random.Random(number)
    subject = " ".join(random.Random(root).choices(WORDS, k=5))
    head = (f"Received: from mail{number % 7}.example.org by mx.example.com with ESMTPS id "
            f"{number:x}; Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <m{number}@example.org>\r\n"
            f"Date: Sat, {1 + number % 28} Oct 2026 {number // 3600 % 24:02}:{number // 60 % 60:02}:"
            f"{number % 60:02} +0000\r\nFrom: \"{dice.choice(WORDS)}\" <s{number % 97}@example.org>\r\n"
            f"To: <ann@example.com>\r\nSubject: {'Re: ' if number % 3 else ''}{subject}\r\n")
    if number % 3:
        head += (f"In-Reply-To: <m{3 * root}@example.org>\r\n"
                 f"References: <m{3 * root}@example.org>\r\n")
    rare = RARE.decode() + "\r\n" if number % 20000 == 11111 else ""
    return (head + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + texts[number % len(texts)]
            + rare).encode()


def large(number):
    """One with an attachment that cannot be made smaller."""
    dice = random.Random(number)
    text = base64.encodebytes(dice.randbytes(LARGE_BYTES * 3 // 4)).replace(b"\n", b"\r\n")
    return (b"Subject: large %d\r\nFrom: <ann@example.org>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" % number
            + text)


def append(client, mailbox, letters):
    parts = b"".join(b" {%d+}\r\n%b" % (len(text), text) for text in letters)
    client.socket.sendall(b"t APPEND " + mailbox + parts + b"\r\n")
    line = client.until(b"t ")[1]
    if not line.startswith(b"t OK"):
        raise RuntimeError(line.decode())


def fill(client, count, large_count=LARGE_COUNT):
    dice = random.Random(1)
    texts = [prose(dice, 3500) for _ in range(1000)]
    for first in range(0, count, TOGETHER):
        append(client, b"INBOX", [letter(n, texts) for n in range(first, min(first + TOGETHER, count))])
    client.order(b"CREATE large")
    for number in range(large_count):
        append(client, b"large", [large(number)])
    client.order(b"CREATE copies")
    client.order(b"CREATE moved")


def every(words, mailbox=b"INBOX"):
    return lambda client: once(client, words, mailbox)


def once(client, words, mailbox=b"INBOX"):
    client.order(b"SELECT " + mailbox)
    return seconds(lambda: client.order(words))


def select(client):
    client.order(b"UNSELECT")
    return seconds(lambda: client.order(b"SELECT INBOX"))


def select_first(client):
    """On a connection of its own."""
    other = client.another()
    took = seconds(lambda: other.order(b"SELECT INBOX"))
    other.socket.close()
    return took


def store(client):
    once(client, b"STORE 1:* -FLAGS.SILENT (\\Seen)")
    return seconds(lambda: client.order(b"STORE 1:* +FLAGS (\\Seen)"))


def move(client):
    once(client, b"COPY 1:1000 copies")
    client.order(b"SELECT copies")
    return seconds(lambda: client.order(b"MOVE 1:1000 moved"))


def expunge(client):
    once(client, b"COPY 1:1000 moved")
    client.order(b"SELECT moved")
    client.order(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    return seconds(lambda: client.order(b"EXPUNGE"))


# Name, what is timed, how often: what is done first is not first again, and before it a
# server forgets what it may keep of other commands.
COMMANDS = [
    ("SELECT on a new connection", select_first, 0),
    ("SELECT again", select, 0),
    ("FETCH 1:* (UID FLAGS)", every(b"FETCH 1:* (UID FLAGS)"), 0),
    ("SORT (SUBJECT DATE), first", every(b"SORT (SUBJECT DATE) UTF-8 ALL"), 1),
    ("SORT, later", every(b"SORT (SUBJECT DATE) UTF-8 ALL"), 0),
    ("THREAD REFERENCES, first", every(b"THREAD REFERENCES UTF-8 ALL"), 1),
    ("THREAD, later", every(b"THREAD REFERENCES UTF-8 ALL"), 0),
    ("FETCH 1:* ENVELOPE, first", every(b"FETCH 1:* ENVELOPE"), 1),
    ("FETCH 1:* ENVELOPE, later", every(b"FETCH 1:* ENVELOPE"), 0),
    ("all bodies of 4 KB", every(b"FETCH 1:* BODY.PEEK[]"), 0),
    ("all bodies of 1 MB", every(b"FETCH 1:* BODY.PEEK[]", b"large"), 0),
    ("SEARCH BODY, a rare word", every(b"SEARCH BODY " + RARE), 0),
    ("SEARCH SUBJECT", every(b"SEARCH SUBJECT babe"), 0),
    ("STORE 1:* +FLAGS (\\Seen)", store, 0),
    ("COPY of 1,000", every(b"COPY 1:1000 copies"), 0),
    ("MOVE of 1,000", move, 0),
    ("EXPUNGE of 1,000 or more", expunge, 0),
]


def timed(clients, call, runs):
    """[seconds of each run] of each client."""
    found = [[] for _ in clients]
    for _ in range(runs):
        for client, times in zip(clients, found):
            times.append(call(client))
    return found


def shown(times):
    ms = 1000 * statistics.median(times)
    return f"{ms:.1f}" if ms >= 1 else f"{ms:.3f}"


def ratio(ours, theirs):
    pairs = [b / a for a, b in zip(ours, theirs)]
    return f"{statistics.median(pairs):.1f} ({min(pairs):.1f}-{max(pairs):.1f})"


def lines(options):
    """Rows of the table: the command, our ms, Dovecot's, and how often ours fits into it."""
    sides, count = [], int(100_000 * options.scale)
    try:
        for kind in options.kinds:
            sides.append(kind(2))
        clients = [Client(side.port("imap"), side.user % 1) for side in sides]
        for side, client in zip(sides, clients):
            print(f"{side.name}: {count:,} mails appended in "
                  f"{seconds(lambda: fill(client, count)):.0f} s", flush=True)
        for side, client in zip(sides, clients):
            side.settle()
            client.order(b"SELECT INBOX")
        for name, call, times in COMMANDS:
            for side, client in zip(sides, clients) if times == 1 else ():
                client.order(b"UNSELECT")
                side.forget()
            found = timed(clients, call, times or options.runs)
            print(name, *(shown(f) for f in found), flush=True)
            yield [name, *(shown(f) for f in found), ratio(*found) if len(found) > 1 else "-"]
    finally:
        for side in sides:
            side.stop()
