"""Somebody with a mailbox of a few hundred real messages, for programs that people read their mail
with; what a program saw and did is compared with what IMAP says is there."""
import collections, hashlib, os, pathlib, re, socket, textwrap

import lab

COPIES = 3


def real_messages():
    """The messages of tests/mail (see its README.md), each a few times, under a number."""
    found = {}
    for path in sorted((lab.ROOT / "tests/mail").rglob("*")):
        if path.suffix in (".eml", ".msg"):
            text = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            found.setdefault(hashlib.sha1(text).digest(), text)
    return [b"X-Number: %d\r\n" % number + text for number, text in enumerate(list(found.values()) * COPIES)]


MESSAGES = real_messages()
FEW = len(MESSAGES) // COPIES  # for aerc, which knows of a message what is on the screen


def number_of(text):
    return int(re.match(rb"X-Number: (\d+)", text)[1])


class Person:
    """Somebody with an account, and what is in it."""

    def __init__(self, server, name, count):
        self.server, self.name = server, name
        self.folder = os.path.join(server.folder, "reader-" + name)
        os.makedirs(self.folder)
        self.more = count  # the numbers of messages that come later
        self.texts = dict(enumerate(MESSAGES[:count]))
        self.fill()

    def fill(self):
        """Some are seen, some flagged, some answered."""
        command = b"x APPEND INBOX"
        for number, text in self.texts.items():
            flags = [flag for flag, each in (("\\Seen", 2), ("\\Flagged", 5), ("\\Answered", 7)) if number % each == 0]
            command += b' (%s) "22-Nov-2026 10:%02d:%02d +0000" {%d+}\r\n' % (
                " ".join(flags).encode(), number // 60, number % 60, len(text)) + text
        with socket.create_connection(("127.0.0.1", self.server.port("imap")), 60) as client:
            client.sendall(b"y LOGIN %s pass\r\n" % self.name.encode() + command + b"\r\nz CREATE Kept\r\nq LOGOUT\r\n")
            said = b"".join(iter(lambda: client.recv(65536), b""))
        assert b"\r\nx OK" in said and b"\r\nz OK" in said, said[-300:]

    def elsewhere(self):
        """Another client of theirs."""
        return self.server.imap(self.name)

    def bring(self, box="INBOX", flags=""):
        """Another client brings a message; its number."""
        number, self.more = self.more, self.more + 1
        text = (f"X-Number: {number}\r\nFrom: Ann <ann@example.org>\r\nTo: {self.name}@postrider.test\r\n"
                f"Subject: number {number}\r\nMessage-ID: <{number}@test.example>\r\n"
                "Date: Sun, 22 Nov 2026 11:00:00 +0000\r\n\r\nHello\r\n").encode()
        self.texts[number] = text
        client = self.elsewhere()
        assert client.append(box, flags, None, text)[0] == "OK"
        client.logout()
        return number

    def change(self, what, numbers, *arguments, box="INBOX"):
        """Another client does something to messages with these numbers."""
        client = self.elsewhere()
        client.select(box)
        uids = {number: uid for uid, (number, _) in self.uids(box).items()}
        chosen = ",".join(str(uids[number]) for number in numbers)
        assert client.uid(what, chosen, *arguments)[0] == "OK"
        if "\\Deleted" in "".join(arguments):
            client.uid("EXPUNGE", chosen)
        client.logout()

    def uids(self, box="INBOX"):
        """{UID: (number, flags)}: the truth."""
        client = self.elsewhere()
        client.select(box, readonly=True)
        found, data = {}, client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (X-NUMBER)])")[1]
        for part in data:
            if isinstance(part, tuple):
                uid = int(re.search(rb"UID (\d+)", part[0])[1])
                flags = re.search(rb"FLAGS \(([^)]*)\)", part[0])[1].decode().split()
                found[uid] = (number_of(part[1]), frozenset(flags) - {"\\Recent"})  # that is of one session
        client.logout()
        return found

    def there(self, box="INBOX"):
        """{number: flags}, and nothing is there twice."""
        pairs = list(self.uids(box).values())
        assert len(dict(pairs)) == len(pairs), [n for n, c in collections.Counter(n for n, _ in pairs).items() if c > 1]
        return dict(pairs)


def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pathlib.Path(path).write_text(textwrap.dedent(text))
    os.chmod(path, mode)
    return path


def same(seen, truth):
    """Compares {number: flags}, and says what differs."""
    differs = {n: (seen.get(n), truth.get(n)) for n in seen.keys() | truth.keys() if seen.get(n) != truth.get(n)}
    assert not differs, dict(list(differs.items())[:5])
