#!/usr/bin/env python3
"""SORT and THREAD of real mails, compared with what a second reading of RFC 5256, written here
in the plainest way, makes of the same mails.

    orders.py IMAP_FAKE                 the door over a store in memory, with the mails of tests/mail
    orders.py HOST PORT MBOX [COUNT]    any server with alice/pass, with the mails of an mbox (or .xz)"""
import email, email.header, email.policy, email.utils, itertools, lzma, pathlib, random, re, socket
import subprocess, sys, time, unicodedata

from dialogues import free_base, wait_for

MAILS = pathlib.Path(__file__).resolve().parent.parent / "mail"
EPOCH = 1_500_000_000


# ---- what RFC 5256 §2 says of a mail ----

def decoded(value):
    """RFC 2047, in one line."""
    value = re.sub(r"\r?\n(?=[ \t])", "", value)
    return str(email.header.make_header(email.header.decode_header(value)))


def decodes(value):
    try:
        return decoded(value.decode()) is not None
    except (LookupError, UnicodeError, email.errors.HeaderParseError):
        return False


def casemap(text):
    """RFC 5051."""
    def decompose(c):
        parts = unicodedata.decomposition(c).split()
        if parts and parts[0].startswith("<"):
            parts = parts[1:]
        return "".join(decompose(chr(int(p, 16))) for p in parts) if parts else c
    out = []
    for c in text:
        if 0xac00 <= ord(c) <= 0xd7a3:
            out.append(unicodedata.normalize("NFD", c))
            continue
        title = c.title() if len(c.title()) == 1 else c
        out.append(decompose(title))
    return "".join(out).encode("utf-8", "replace")


def base_subject(value):
    """RFC 5256 §2.1; the subject and whether it is one of a reply or forward."""
    text, is_reply = re.sub(r"[ \t\r\n]+", " ", decoded(value)), False
    blob, refwd = r"\[[^\[\]]*\][ \t]*", r"(?:re|fwd?)[ \t]*(?:\[[^\[\]]*\][ \t]*)?:"
    while True:
        while True:
            cut = re.sub(r"(?i)\(fwd\)[ \t]*$", "", text).rstrip(" ")
            is_reply |= text.rstrip(" ") != cut
            if cut == text:
                break
            text = cut
        while True:
            before = text
            text = text.lstrip(" ")
            found = re.match(rf"(?i)(?:{blob})*{refwd}", text)
            if found:
                is_reply, text = True, text[found.end():]
            else:
                found = re.match(blob, text)
                if found and found.end() < len(text):
                    text = text[found.end():]
            if text == before:
                break
        if not re.match(r"(?i)\[fwd:", text) or not text.endswith("]"):
            return text, is_reply
        text, is_reply = text[5:-1], True


def ids(value):
    """The identifiers in a field, without the quotes that need not be there."""
    return [re.sub(r'^"([^"\\ ]*)"@', r"\1@", one) for one in re.findall(r"<([^<>\s]+@[^<>\s]+)>", value or "")]


class Mail:
    def __init__(self, uid, raw, arrived):
        head = email.message_from_bytes(raw, policy=email.policy.compat32)
        self.uid, self.arrived, self.size = uid, arrived, len(raw)
        field = lambda name: str(head[name] or "")  # noqa: E731
        self.sent = arrived
        when = email.utils.parsedate_tz(field("Date"))
        if when:
            self.sent = email.utils.mktime_tz(when)
        self.subject, self.is_reply = base_subject(field("Subject"))
        self.subject = casemap(self.subject)
        self.ids = ids(field("Message-ID"))[:1]
        self.references = ids(field("References"))[-20:] or ids(field("In-Reply-To"))[:1]
        self.keys = {"ARRIVAL": arrived, "DATE": self.sent, "SIZE": self.size, "SUBJECT": self.subject}
        for name in ("From", "To", "Cc"):
            shown, address = (email.utils.getaddresses([field(name)]) or [("", "")])[0]
            self.keys[name.upper()] = casemap(address.rpartition("@")[0] or address)
            if name != "Cc":
                self.keys["DISPLAY" + name.upper()] = casemap(decoded(shown) or address)


WANTED = (b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"references", b"in-reply-to")
ADDRESS = rb"(?:[\w .=?+-]*<[\w.+-]+@[\w.-]+>|[\w.+-]+@[\w.-]+)"


def is_plain(raw):
    """Headers that leave no doubt; how the others are understood is tested elsewhere."""
    head = raw.split(b"\r\n\r\n")[0] + b"\r\n"
    found = re.findall(rb"(?ms)^([!-9;-~]+):(.*?)\r\n(?![ \t])", head)
    fields = {name.lower(): re.sub(rb"\r\n(?=[ \t])", b"", value).strip() for name, value in found}
    return (raw and all(sum(name.lower() == one for name, _ in found) < 2 for one in WANTED) and
            b"".join(name + b":" + value + b"\r\n" for name, value in found) == head and
            all(9 <= octet < 127 for octet in head) and
            all(decodes(fields.get(one, b"")) for one in WANTED) and
            re.fullmatch(rb"((\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}( \(\w+\))?)?",
                         fields.get(b"date", b"")) and
            all(re.fullmatch(rb"(%s(, *%s)*)?" % (ADDRESS, ADDRESS), fields.get(one, b""))
                for one in (b"from", b"to", b"cc")))


# ---- RFC 5256 §3 ----

class Node:
    def __init__(self, mail=None):
        self.mail, self.parent, self.children = mail, None, []

    def is_below(self, other):
        node = self
        while node and node is not other:
            node = node.parent
        return node is other

    def hang(self, parent):
        if self.parent:
            self.parent.children.remove(self)
        self.parent = parent
        if parent:
            parent.children.append(self)

    def all(self):
        return [self] + [node for child in self.children for node in child.all()]

    def place(self):
        """By sent date, and then in the order of the mailbox."""
        mail = self.mail or min(((c.mail.sent, c.mail.uid), c.mail) for c in self.children)[1]
        return mail.sent, mail.uid


def linked(mails):
    """Steps 1 and 2: those without parents."""
    table, nodes = {}, []

    def named(one):
        if one not in table:
            table[one] = Node()
            nodes.append(table[one])
        return table[one]

    for mail in mails:
        above = None
        for one in mail.references:
            node = named(one)
            if above and not node.parent and not above.is_below(node):
                node.hang(above)
            above = node
        if mail.ids and not named(mail.ids[0]).mail:
            node = named(mail.ids[0])
        else:
            node = Node()
            nodes.append(node)
        node.mail = mail
        node.hang(None)
        if above and not above.is_below(node):
            node.hang(above)
    return [node for node in nodes if not node.parent]


def pruned(node, at_root):
    """Step 3: what comes in its place."""
    children = [kept for child in node.children for kept in pruned(child, False)]
    for child in children:
        child.parent = node
    node.children = children
    if node.mail or (at_root and len(children) > 1):
        return [node]
    for child in children:
        child.parent = None
    return children


def merged(roots):
    """Step 5."""
    roots = sorted(roots, key=Node.place)

    def subject(node):
        return (node.mail or min(node.children, key=Node.place).mail).subject

    def is_reply(node):
        return bool(node.mail and node.mail.is_reply)

    table = {}
    for node in roots:
        old = table.get(subject(node))
        if subject(node) and (not old or (old.mail and (not node.mail or (is_reply(old) and not is_reply(node))))):
            table[subject(node)] = node
    for node in list(roots):
        if node not in roots or not subject(node) or table[subject(node)] is node:
            continue
        old, topic = table[subject(node)], subject(node)
        roots.remove(node)
        if not old.mail and not node.mail:
            for child in node.children[:]:
                child.hang(old)
        elif not old.mail or (is_reply(node) and not is_reply(old)):
            node.hang(old)
        else:
            dummy = Node()
            roots[roots.index(old)] = dummy
            old.hang(dummy)
            node.hang(dummy)
            table[topic] = dummy
    return roots


def written(node):
    children = sorted(node.children, key=Node.place)
    text = str(node.mail.uid) if node.mail else ""
    if not children:
        return text
    if len(children) == 1 and node.mail:
        return text + " " + written(children[0])
    return text + (" " if text else "") + "".join(f"({written(child)})" for child in children)


def threads(algorithm, mails):
    if algorithm == "ORDEREDSUBJECT":
        groups, roots = {}, []
        for mail in sorted(mails, key=lambda m: (m.sent, m.uid)):
            node = Node(mail)
            if mail.subject in groups:
                node.hang(groups[mail.subject])
            else:
                groups[mail.subject] = node
                roots.append(node)
    else:
        roots = [kept for root in linked(mails) for kept in pruned(root, True)]
    if algorithm == "REFERENCES":
        roots = merged(roots)
    roots.sort(key=Node.place)
    if algorithm == "REFS":
        roots.sort(key=lambda r: max((n.mail.arrived, n.mail.uid) for n in r.all() if n.mail))
    return "".join(f"({written(root)})" for root in roots)


# ---- the comparison ----

class Client:
    def __init__(self, address):
        self.socket = socket.create_connection(address, 60)
        self.input = self.socket.makefile("rb")
        self.input.readline()
        self.do(b"LOGIN alice pass")

    def do(self, command):
        self.socket.sendall(b"x " + command + b"\r\n")
        lines = []
        while not (line := self.input.readline()).startswith(b"x "):
            assert line, "the server has closed"
            lines.append(line.decode().rstrip("\r\n"))
        assert line.startswith(b"x OK"), (command[:100], line)
        return lines

    def one(self, command, word):
        return next(line[len(word):].strip() for line in self.do(command.encode()) if line.startswith(word))


def compare(client, raws):
    box = b"orders%d" % random.SystemRandom().randrange(10**9)
    client.do(b"CREATE " + box)
    dice, mails = random.Random(1), []
    for uid, raw in enumerate(raws, 1):
        arrived = EPOCH + dice.randrange(10**8)
        date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(arrived)).encode()
        client.do(b'APPEND %s "%s" {%d+}\r\n%s' % (box, date, len(raw), raw))
        mails.append(Mail(uid, raw, arrived))
    client.do(b"SELECT " + box)
    wrong = 0

    def same(what, is_, wanted):
        nonlocal wrong
        if is_ != wanted:
            wrong += 1
            at = next((i for i, (a, b) in enumerate(zip(is_.split(), wanted.split())) if a != b), -1)
            print(f"FAIL {what}: from {at} on {is_.split()[at:at + 6]}, not {wanted.split()[at:at + 6]}")

    names = list(mails[0].keys)
    orders = [(name,) for name in names] + list(itertools.permutations(("SUBJECT", "FROM", "DATE"))) + \
             [("TO", "REVERSE", "SIZE"), ("REVERSE", "DISPLAYFROM", "ARRIVAL"), ("REVERSE", "DATE"), ("CC", "SUBJECT", "REVERSE", "DATE")]
    for order in orders:
        wanted = list(mails)
        words = [(w, order[i - 1:i] == ("REVERSE",)) for i, w in enumerate(order) if w != "REVERSE"]
        for word, is_reverse in reversed(words):
            wanted.sort(key=lambda m: m.keys[word], reverse=is_reverse)
        text = " ".join(str(m.uid) for m in wanted)
        same(f"SORT {order}", client.one(f"UID SORT ({' '.join(order)}) UTF-8 ALL", "* SORT"), text)
        half = " ".join(str(m.uid) for m in wanted if m.uid % 2)
        odd = ",".join(str(m.uid) for m in mails if m.uid % 2)
        same(f"SORT {order} of half", client.one(f"SORT ({' '.join(order)}) UTF-8 {odd}", "* SORT"), half)
    for algorithm in ("ORDEREDSUBJECT", "REFERENCES", "REFS"):
        same(algorithm, client.one(f"THREAD {algorithm} UTF-8 ALL", "* THREAD"), threads(algorithm, mails))
        odd = [m for m in mails if m.uid % 3]
        same(algorithm + " of some", client.one(
            f"UID THREAD {algorithm} UTF-8 {','.join(str(m.uid) for m in odd)}", "* THREAD"), threads(algorithm, odd))
    client.do(b"DELETE " + box)
    print(f"{len(mails)} mails, {2 * len(orders) + 6} answers, {wrong} wrong")
    return wrong == 0


def with_crlf(raw):
    return re.sub(rb"\r?\n", b"\r\n", raw)


def of_mbox(path):
    data = lzma.open(path).read() if path.endswith(".xz") else open(path, "rb").read()
    return [with_crlf(raw) for raw in re.split(rb"(?m)^From [^\n]*\n", data)[1:]]


def conversations():
    """Mails made up so that they answer each other in every way, and in no order."""
    dice, made = random.Random(5), []
    topics = ["a", "[x] b", "c (fwd)", "", "Gr=?utf-8?q?=C3=BC?= n", "[fwd: a]", "b b", "a" * 300 + "1", "a" * 300 + "0"]
    for i in range(400):
        topic = dice.choice(topics)
        fields = [f"Subject: {dice.choice(['', 'Re: ', 'RE[2]: ', 'Fwd: ', '[l] Re: '])}{topic}",
                  f"From: N{dice.randrange(40)} <u{dice.randrange(30)}@example.org>", "To: x@example.org",
                  f"Date: {dice.randint(1, 28)} Jan 2020 {dice.randrange(24):02}:00:00 +0000"]
        if dice.random() < 0.9:
            fields.append(f"Message-ID: <{dice.randrange(500)}@example.org>")
        if dice.random() < 0.6:
            fields.append("References: " + " ".join(f"<{dice.randrange(500)}@example.org>" for _ in range(dice.randint(1, 4))))
        elif dice.random() < 0.3:
            fields.append(f"In-Reply-To: <{dice.randrange(500)}@example.org> of yesterday")
        made.append("\r\n".join(fields + ["", "x" * dice.randrange(50), ""]).encode())
    return made


def main():
    if len(sys.argv) > 2:
        client = Client((sys.argv[1], int(sys.argv[2])))
        sys.exit(not compare(client, [raw for raw in of_mbox(sys.argv[3]) if is_plain(raw)][:int((sys.argv + [600])[4])]))
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        client = Client(("127.0.0.1", base + 143))
        real = [with_crlf(path.read_bytes()) for path in sorted(MAILS.rglob("*"))
                if path.suffix in (".eml", ".msg", ".txt") and "LICENSE" not in path.name]
        real = [raw for raw in real if is_plain(raw)]
        good = compare(client, real) & compare(client, conversations())
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait()
    sys.exit(not good)


main()
