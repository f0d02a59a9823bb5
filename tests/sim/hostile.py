#!/usr/bin/python3
"""Hostile mail costs bounded time and memory: each kind is sent by SMTP, in two sizes, and read
by IMAP and POP3 in every way that parses it.

    hostile.py [-v] [KIND …]

Time is the processor time of the server's processes, so that a busy machine does not matter;
twice the size may cost little more than twice the time.  Every case names its promise, which
docs/SECURITY.md refers to.
"""
import base64, io, json, os, pathlib, re, socket, subprocess, sys, time, zipfile, zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

STEP_S = 4          # of any one step, for the bigger size
TWICE, SLACK_S = 2.6, 0.25
PEAK_MB = {"smtpd": 240, "deliverd": 240, "imapd": 320, "storaged": 120, "indexd": 240, "extractd": 420}
LIMITED = {"attachments_long": {"BODYSTRUCTURE"}}  # what is more than a response may be
CRLF = b"\r\n"
report = lab.Report()
is_verbose = "-v" in sys.argv


# ---- the mails: octets for about n of something ------------------------------------------------

def mail(header=b"", body=b"hello\r\n"):
    return b"From: <x@load.example>\r\nSubject: hostile\r\n" + header + CRLF + body


def mime(content_type, body, more=b""):
    return mail(b"MIME-Version: 1.0\r\nContent-Type: " + content_type + CRLF + more, body)


def lines(text, width=900):
    return CRLF.join(text[at:at + width] for at in range(0, len(text), width)) + CRLF


def nested_multiparts(n):
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(n))
    return b"From: <x@load.example>\r\nMIME-Version: 1.0\r\n" + head + b"\r\nhello\r\n"


def nested_messages(n):
    return b"From: <x@load.example>\r\nContent-Type: message/rfc822\r\n\r\n" * n + b"\r\nhello\r\n"


def boundary_prefixes(n):
    """A hundred open multiparts whose boundaries begin alike, and lines that nearly are theirs."""
    names = [b"x" * 60 + b"y" * i for i in range(1, 100)]
    head = b"".join(b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n" % (x, x) for x in names)
    return b"From: <x@load.example>\r\n" + head + CRLF + (b"--" + b"x" * 60 + b"z\r\n") * n


def parts(n):
    return mime(b"multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n" * n + b"--b--\r\n")


def attachments_long(n):
    one = b"--b\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\nx\r\n" % (b"n" * 900)
    return mime(b"multipart/mixed; boundary=b", one * n + b"--b--\r\n")


def attachments(n):
    one = (b"--b\r\nContent-Type: text/plain; charset=utf-8; name=\"=?utf-8?q?n=C3=A4me?=\"\r\n"
           b"Content-Disposition: attachment; filename*=utf-8''n%C3%A4me\r\n\r\nx\r\n")
    return mime(b"multipart/mixed; boundary=b", one * n + b"--b--\r\n")


def documents(n):
    """Archives and PDF, one beside the other; the bigger mail has the same number, which is bounded."""
    packed = zlib.compress(b" " * (n << 20), 9)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("word/document.xml", b"<d><p><t>" + b"x " * (n << 17))
        made.writestr("content.xml", b"<p>" * (n << 10))
    pdf = (b"%PDF-1.5\n1 0 obj <</Pages 2 0 R>> endobj\n2 0 obj <</Kids [3 0 R 2 0 R] /Count 2>> endobj\n"
           b"3 0 obj <</Type /Page /Contents 4 0 R /Resources <</XObject <</X 5 0 R>>>>>> endobj\n"
           b"4 0 obj <</Length 60>> stream\n" + b"/X Do " * 10 + b"\nendstream endobj\n"
           b"5 0 obj <</Subtype /Form /Length 60>> stream\n" + b"/X Do " * 10 + b"\nendstream endobj\n"
           b"6 0 obj <</Length %d /Filter /FlateDecode>> stream\n" % len(packed) + packed +
           b"\nendstream endobj\ntrailer <</Root 1 0 R>>\n")
    parts = b"".join(b"--b\r\nContent-Type: application/x; name=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n" %
                     (name, base64.encodebytes(octets).replace(b"\n", CRLF)) for name, octets in
                     ((b"a.docx", archive.getvalue()), (b"b.pdf", pdf), (b"c.odt", bytes(n << 10))))
    return mime(b"multipart/mixed; boundary=b", parts + b"--b--\r\n")


KINDS = {
    # name: (its promise, sizes' first (the second is twice that), maker)
    "header_field": ("one header field of megabytes", 1 << 20,
                     lambda n: mail(b"X-Long:" + b"\r\n word" * (n // 7) + CRLF)),
    "header_fields": ("a hundred thousand header fields", 50000, lambda n: mail(b"X: y\r\n" * n)),
    "header_same": ("the same field over and over", 30000,
                    lambda n: mail(b"To: <a@load.example>\r\nReferences: <a@b>\r\n" * n)),
    "header_name": ("a field name that does not end", 2 << 20, lambda n: b"X" * n + CRLF + mail()),
    "header_names": ("lines that are no fields", 100000, lambda n: mail(b"no field at all\r\n" * n)),
    "addresses": ("a hundred thousand addresses", 50000,
                  lambda n: mail(b"To: " + b",\r\n ".join(b"\"N %d\" <a%d@load.example>" % (i, i) for i in range(n)) + CRLF)),
    "address_comments": ("comments in comments", 500000, lambda n: mail(b"To: " + lines(b"(" * n).replace(CRLF, b"\r\n ") + b"x\r\n")),
    "address_quotes": ("quoted strings that do not end", 300000,
                       lambda n: mail(b"Cc: " + lines(b"\"a\\\" <" * (n // 6)).replace(CRLF, b"\r\n ") + b"x\r\n")),
    "address_groups": ("groups and routes", 100000,
                       lambda n: mail(b"Cc: " + lines(b"a:<@b,@c:" * (n // 9)).replace(CRLF, b"\r\n ") + b"x\r\n")),
    "references": ("a hundred thousand references", 50000, lambda n: mail(b"References:" + b"\r\n <a@b>" * n + CRLF)),
    "date_comments": ("a date of comments", 200000, lambda n: mail(b"Date: " + lines(b"(a)" * n).replace(CRLF, b"\r\n ") + b"x\r\n")),
    "encoded_words": ("encoded words without number", 100000, lambda n: mail(b"X-Subject: y\r\nTo:" + b"\r\n =?utf-8?q?=41?= <a@b>," * (n // 2) + b"\r\nComments:" + b"\r\n =?iso-2022-jp?b?GyRC?=" * (n // 2) + CRLF)),
    "encoded_words_open": ("encoded words that do not end", 1 << 20,
                           lambda n: mail(b"Subject: " + lines(b"=?utf-8?q?" * (n // 10)).replace(CRLF, b"\r\n ") + b"x\r\n")),
    "multiparts": ("multiparts ten thousand deep", 5000, nested_multiparts),
    "messages": ("messages in messages, ten thousand deep", 5000, nested_messages),
    "parts": ("a hundred thousand parts", 50000, parts),
    "attachments": ("parts with names of every form", 10000, attachments),
    "attachments_long": ("more names than a response may hold", 2500, attachments_long),
    "boundary_prefixes": ("boundaries that begin like others", 30000, boundary_prefixes),
    "boundary_long": ("a boundary far beyond 70 octets", 1 << 20,
                      lambda n: mime(b"multipart/mixed; boundary=\"" + b"b" * n + b"\"", (b"--" + b"b" * n + CRLF) * 2)),
    "boundary_empty": ("lines of dashes", 1 << 20, lambda n: mime(b"multipart/mixed; boundary=\"\"", b"--\r\n" * (n // 4))),
    "parameters": ("a hundred thousand parameters", 50000,
                   lambda n: mime(b"text/plain" + b"".join(b";\r\n a%d=b" % i for i in range(n)), b"x\r\n")),
    "continuations": ("parameter continuations without end", 50000,
                      lambda n: mime(b"text/plain" + b"".join(b";\r\n name*%d*=%%41" % i for i in range(n)), b"x\r\n")),
    "continuations_same": ("one continuation over and over", 50000,
                           lambda n: mime(b"multipart/mixed; boundary=b" + b";\r\n boundary*0=c;\r\n boundary*1=d" * n, b"--b\r\n\r\nx\r\n--b--\r\n")),
    "line": ("a line of megabytes", 20 << 20, lambda n: mail(body=b"x" * n + CRLF)),
    "short_lines": ("nothing but line ends", 2 << 20, lambda n: mail(body=CRLF * n)),
    "dots": ("nothing but dots", 1 << 20, lambda n: mail(body=b".\r\n" * n)),
    "repetition": ("text that was a thousandth of it on disk", 20 << 20, lambda n: mail(body=b"the same again\r\n" * (n // 16))),
    "base64": ("garbage said to be base64", 4 << 20,
               lambda n: mime(b"text/plain; charset=utf-8", lines(b"@=A*" * (n // 4)), b"Content-Transfer-Encoding: base64\r\n")),
    "quoted_printable": ("garbage said to be quoted-printable", 4 << 20,
                         lambda n: mime(b"text/plain", lines(b"=\t =x=" * (n // 6)), b"Content-Transfer-Encoding: quoted-printable\r\n")),
    "charset": ("shifts between character sets", 2 << 20,
                lambda n: mime(b"text/plain; charset=iso-2022-jp", lines(b"\x1b$B!!\x1b(B" * (n // 8)))),
    "words": ("nothing but different words, and one that does not end", 150000,
              lambda n: mail(b"", lines(b" ".join(b"w%x" % i for i in range(n))) + b"z" * n + CRLF)),
    "charset_utf7": ("UTF-7 that does not end", 2 << 20, lambda n: mime(b"text/plain; charset=utf-7", lines(b"+AGE" * (n // 4)))),
    "html_tags": ("tags in tags", 2 << 20, lambda n: mime(b"text/html", lines(b"<div><b>" * (n // 8)))),
    "html_open": ("tags and comments that do not end", 2 << 20, lambda n: mime(b"text/html", lines(b"<!--<a \"<x" * (n // 10)))),
    "html_entities": ("entities that are none", 2 << 20, lambda n: mime(b"text/html", lines(b"&amp&#9999999999;&x" * (n // 19)))),
    "html_scripts": ("scripts that do not end", 2 << 20, lambda n: mime(b"text/html", lines(b"<script><style>" * (n // 15)))),
    "documents": ("documents that become huge, nest, and lead in circles", 200, documents),
    "junk": ("octets of chance", 4 << 20, lambda n: mail(body=lines(bytes((i * 7919 >> 3) % 254 + 1 for i in range(n // 64)).replace(b"\n", b"x").replace(b"\r", b"x") * 64))),
}


# ---- the server's cost -------------------------------------------------------------------------

def processor_s(server, roles=None):
    """Of all that work for who asks; the search index is made when it suits it (indexing() looks at it), and
    documents are read for both (tests/attachments/run does)."""
    total, apart = 0, ("indexd", "extractd")
    for pid in [pid for pid, role in server.children().items() if (role in roles if roles else role not in apart)]:
        for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(stat.read_text().split()[0])
            except OSError:
                pass  # a thread that has just ended
    return total / 1e9


def peaks_mb(server):
    found = {}
    for pid, role in server.children().items():
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) // 1024
        found[role] = max(found.get(role, 0), peak)
    return found


class Peer:
    def __init__(self, server, service):
        self.socket = socket.create_connection(("127.0.0.1", server.port(service)), 120)
        self.input = b""

    def send(self, octets):
        self.socket.sendall(octets)

    def until(self, ending):
        """All that comes until its end matches."""
        got = bytearray()
        while not re.search(ending, bytes(got[-4000:])):
            more = self.socket.recv(1 << 20)
            assert more, "the server has closed"
            got += more
        return bytes(got)

    def ask(self, line, ending):
        self.send(line + CRLF)
        return self.until(ending)


class Smtp(Peer):
    REPLY = rb"(?:^|\n)\d{3} [^\n]*\n$"

    def __init__(self, server):
        super().__init__(server, "smtp")
        self.until(self.REPLY)
        self.ask(b"EHLO load.example", self.REPLY)

    def deliver(self, text):
        for line in (b"MAIL FROM:<x@load.example>", b"RCPT TO:<alice@postrider.test>", b"DATA"):
            self.ask(line, self.REPLY)
        self.send((CRLF + text).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
        return self.until(self.REPLY)


class Imap(Peer):
    def __init__(self, server):
        super().__init__(server, "imap")
        self.until(rb"\n$")
        assert b"a OK" in self.do(b"LOGIN alice pass")

    def do(self, command):
        return self.ask(b"a " + command, rb"(?:^|\n)a (?:OK|NO|BAD)[^\n]*\n$")


def pop3(server):
    peer = Peer(server, "pop3")
    peer.until(rb"\n$")
    for line in (b"USER alice", b"PASS pass"):
        assert peer.ask(line, rb"\n$").startswith(b"+OK"), line
    return peer


# ---- the cases ---------------------------------------------------------------------------------

def reads(server, number, limited):
    """(what, do) for each way to read a message; do() is True if it was answered well."""
    imap, n = Imap(server), b"%d" % number
    imap.do(b"SELECT INBOX")

    def fetch(items):
        return lambda: b"\na OK" in imap.do(b"FETCH " + n + b" (" + items + b")")

    def structure():
        answer = imap.do(b"FETCH " + n + b" (UID BODYSTRUCTURE)")
        is_limited = b"\na NO [LIMIT]" in answer and b"FETCH (UID %d)" % number in answer
        return is_limited if "BODYSTRUCTURE" in limited else b"\na OK" in answer

    def search(keys):
        return lambda: b"\na OK" in imap.do(b"SEARCH " + n + b" " + keys)

    def order(words):
        return lambda: b"\na OK" in imap.do(words + b" UTF-8 " + n)

    def top(lines_):
        def do():
            peer = pop3(server)
            answer = peer.ask(b"TOP " + n + b" " + lines_, rb"\n\.\r\n$")
            peer.ask(b"QUIT", rb"\n$")
            return answer.startswith(b"+OK")
        return do

    return [("ENVELOPE", fetch(b"ENVELOPE")), ("BODYSTRUCTURE", structure),
            ("BODY[1.2.3]", fetch(b"BODY.PEEK[1.2.3] BODY.PEEK[1.1.1.MIME] BINARY.PEEK[1]")),
            ("BODY[HEADER.FIELDS]", fetch(b"BODY.PEEK[HEADER.FIELDS (TO)] PREVIEW")),
            ("BODY[]", fetch(b"BODY.PEEK[]")),
            ("SEARCH headers", search(b"OR SUBJECT nothere OR FROM nothere OR TO nothere HEADER X nothere")),
            ("SEARCH TEXT", search(b"TEXT nothere")), ("SEARCH BODY", search(b"BODY nothere")),
            ("SORT", order(b"SORT (SUBJECT DISPLAYFROM DISPLAYTO CC DATE)")), ("THREAD", order(b"THREAD REFERENCES")),
            ("TOP 0", top(b"0")), ("TOP 1000", top(b"1000"))]


def measured(server, do):
    before = processor_s(server)
    is_good = do()
    return is_good, processor_s(server) - before


def costs(server, smtp, text, number, limited):
    """{what: seconds}, and what was not answered well."""
    found, bad = {}, []
    answer, found["SMTP"] = measured(server, lambda: smtp.deliver(text))
    if not answer.startswith(b"250"):
        return found, [f"SMTP: {answer!r}"]
    for what, do in reads(server, number, limited):
        is_good, found[what] = measured(server, do)
        if not is_good:
            bad.append(what)
    return found, bad


def case(server, smtp, name, count):
    """How many messages there are afterwards."""
    promise, size, make = KINDS[name]
    once, twice = make(size), make(2 * size)
    small, bad = costs(server, smtp, once, count + 1, ())
    big, more = costs(server, smtp, twice, count + 2, LIMITED.get(name, ()))
    slow = [f"{what}: {big[what]:.2f} s" for what in big if big[what] > STEP_S]
    slow += [f"{what}: {small[what]:.2f} s, then {big[what]:.2f} s" for what in big
             if what in small and big[what] > TWICE * small[what] + SLACK_S]
    worst = max(big, key=big.get)
    report.check(f"{name}: {promise}", not bad and not more and not slow, "; ".join(bad + more + slow))
    if is_verbose:
        print(f"     {len(twice) / 1e6:.1f} MB, {worst} {big[worst]:.3f} s, {peaks_mb(server)}")
    return count + 2


def refusals(server):
    """What the rules do not let in costs nothing more than its reading."""
    for name, promise, text, words in (
            ("nul", "NUL in the text is refused", mail(body=b"a\0b\r\n"), b"5"),
            ("bare_lf", "a bare LF is refused", mail(body=b"a\nb\r\n"), b"5"),
            ("bare_cr", "a bare CR is refused", mail(body=b"a\rb\r\n"), b"5"),
            ("hops", "a mail that went through too many servers is refused", b"Received: x\r\n" * 1000 + mail(), b"554 5.4.6"),
            ("too_big", "a line of 100 MB is refused, and not kept", mail(body=b"x" * (100 << 20) + CRLF), b"552 5.3.4")):
        smtp = Smtp(server)
        answer, took = measured(server, lambda: smtp.deliver(text))
        report.check(f"{name}: {promise}", answer.startswith(words) and took < STEP_S, f"{answer[:80]!r} {took:.2f} s")
        smtp.socket.close()
    imap, odd = Imap(server), b"From: <x@y>\r\n\r\na\0b\rc\nd\r\n"
    imap.do(b"CREATE odd")
    imap.do(b"APPEND odd {%d+}\r\n" % len(odd) + odd)
    imap.do(b"SELECT odd")
    report.check("append_odd: bare line ends come back as they were appended, NUL as 0x80",
                 b"BODY[] {%d}\r\n%s)" % (len(odd), odd.replace(b"\0", b"\x80")) in imap.do(b"FETCH 1 (ENVELOPE BODYSTRUCTURE BODY.PEEK[])"))


def index(server, *words):
    told = subprocess.run([lab.BINARY, "store", "index", *words, "--json", "--dir", server.folder + "/data"],
                          capture_output=True, timeout=60, check=True)
    return json.loads(told.stdout)


def indexing(server):
    """All that came, taken in once more, costs no more than one step may."""
    def is_indexed():
        index(server, "renew")
        for _ in range(600):
            told = index(server)
            if told["waiting"] == 0:
                return told["messages"] > 0
            time.sleep(.1)
        return False

    before = processor_s(server, ("indexd",))
    is_good = is_indexed()
    took = processor_s(server, ("indexd",)) - before
    report.check("indexing: to make the search index of all this costs bounded time", is_good and took < STEP_S, f"{took:.2f} s")
    if is_verbose:
        print(f"     {took:.2f} s")


with lab.Server() as running:
    smtp, count = Smtp(running), 0
    for kind in [a for a in sys.argv[1:] if a != "-v"] or KINDS:
        count = case(running, smtp, kind, count)
    if len(sys.argv) <= 1 or is_verbose:
        refusals(running)
    indexing(running)
    peaks = peaks_mb(running)
    print(f"     peaks: {peaks} MB")
    for role, bound in PEAK_MB.items():
        report.check(f"memory_of_{role}: at most {bound} MB at any time", peaks[role] <= bound, f"{peaks[role]} MB")
    report.check("alive: no process has died", "process ended" not in pathlib.Path(running.log).read_text())
report.close()
