#!/usr/bin/env python3
"""Plays the dialogues in this folder against a server and checks what it answers.

    run.py HOST BASEPORT [WORD...]      only scripts whose path holds one of the words

A script is lines of:
    # comment; the first says what is promised
    OPEN name service    connects; service: smtp submission submissions pop3 pop3s imap imaps lmtp
    ON name              the following lines are for that connection
    C: text              sends the text and CRLF;  C> text sends it without
    S: prefix            reads a reply (all its lines); its last line starts so
    S: /regex/           the same; the whole reply, lines joined by \\n, holds a match
    M: prefix            reads a reply whose text goes on until a line "." (POP3)
    T: prefix            reads what comes up to the line that starts with the same tag (IMAP)
    HAS text, HASNT text whether a line of that last reply starts so (the CRs are gone)
    HAS /regex/          whether the reply holds a match
    SCRAM name password gs2 [WORD]
                         the rest of a SCRAM-SHA-256 exchange after the command and its empty
                         challenge, with this GS2 header ("n,,", "p=tls-server-end-point,,");
                         WORD spoils something: BINDING, NONCE, SIGNATURE (gives up at the end)
    TLS                  the client side of a TLS handshake
    DEFLATE              both sides compress from here on (RFC 4978)
    LAST: text, LAST> text  the same as C: and C>, and the last that we compress; LAST: ends the
                         stream, LAST> only flushes it, and text behind \0PLAIN\0 goes along plain
    CLOSE                the server closes
    LEAVE                we close, and give the server a moment
    REPEAT n ... END     the lines between, n times
    LINES n text         sends the text and CRLF n times
In sent texts \\r \\n \\t \\0 \\xNN \\\\ are the octets, {name} what a regex caught as
(?P<name>...); {unique} is a word never used before."""
import base64, hashlib, hmac, pathlib, re, socket, ssl, sys, time, uuid, zlib

SERVICES = {"smtp": 25, "submission": 587, "submissions": 465, "pop3": 110, "pop3s": 995,
            "imap": 143, "imaps": 993, "lmtp": 24}
WAIT_S = 30


class Broken(Exception):
    pass


class Peer:
    def __init__(self, host, port, is_pop3, is_tls):
        self.socket = socket.create_connection((host, port), WAIT_S)
        self.is_pop3 = is_pop3
        self.input = b""
        self.packer = self.unpacker = None
        if is_tls:
            self.start_tls()

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if self.input:
            raise Broken(f"the server spoke before TLS: {self.input!r}")
        self.socket = context.wrap_socket(self.socket)

    def start_deflate(self):
        if self.input:
            raise Broken(f"the server spoke before DEFLATE: {self.input!r}")
        self.packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.unpacker = zlib.decompressobj(-15)

    def send(self, octets):
        if self.packer:
            octets = self.packer.compress(octets) + self.packer.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(octets)

    def send_last(self, octets, flush):
        """What stands behind in the same write is plain."""
        plain = b""
        if b"\0PLAIN\0" in octets:
            octets, plain = octets.split(b"\0PLAIN\0")
        self.socket.sendall(self.packer.compress(octets) + self.packer.flush(flush) + plain)
        self.packer = None

    def receive(self):
        """Some text; b"" only when the server has closed."""
        while True:
            more = self.socket.recv(65536)
            if not more or not self.unpacker:
                return more
            text = self.unpacker.decompress(more)
            if self.unpacker.eof:
                text += self.unpacker.unused_data
                self.unpacker = None
            if text:
                return text

    def read_line(self):
        while b"\r\n" not in self.input:
            more = self.receive()
            if not more:
                raise Broken(f"the server has closed after {self.input!r}")
            self.input += more
        line, self.input = self.input.split(b"\r\n", 1)
        return line.decode("utf-8", "replace")

    def read_reply(self):
        lines = [self.read_line()]
        while not self.is_pop3 and re.match(r"\d{3}-", lines[-1]):
            lines.append(self.read_line())
        return lines

    def read_text(self):
        lines = [self.read_line()]
        while lines[0].startswith("+OK"):
            line = self.read_line()
            if line == ".":
                break
            lines.append(line[1:] if line.startswith(".") else line)
        return lines

    def read_tagged(self, tag):
        lines = [self.read_line()]
        while not lines[-1].startswith(tag + " "):
            lines.append(self.read_line())
        return lines

    def say64(self, octets):
        self.socket.sendall(base64.b64encode(octets) + b"\r\n")

    def read_challenge(self):
        """The text of a challenge; None, and the line stays, if it is something else."""
        line = self.read_line()
        if not line.startswith(("334 ", "+ ")):
            self.input = line.encode() + b"\r\n" + self.input
            return None
        return base64.b64decode(line.split(" ", 1)[1])

    def scram(self, name, password, gs2, spoil=""):
        """RFC 5802 §3, RFC 7677, RFC 5929 §4.  With an empty challenge it begins."""
        def mac(key, text):
            return hmac.digest(key, text, "sha256")

        bare = f"n={name},r={uuid.uuid4().hex}".encode()
        self.say64(gs2.encode() + bare)
        first = self.read_challenge()
        if first is None:
            return
        fields = dict(part.split(b"=", 1) for part in first.split(b","))
        binding = gs2.encode()
        if gs2.startswith("p=tls-server-end-point"):
            binding += hashlib.sha256(self.socket.getpeercert(binary_form=True)).digest()
        if spoil == "BINDING":
            binding += b"x"
        final = b"c=" + base64.b64encode(binding) + b",r=" + fields[b"r"]
        if spoil == "NONCE":
            final += b"x"
        auth = bare + b"," + first + b"," + final
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields[b"s"]),
                                     int(fields[b"i"]))
        key = mac(salted, b"Client Key")
        sign = mac(hashlib.sha256(key).digest(), auth)
        proof = bytes(a ^ b for a, b in zip(key, sign))
        self.say64(final + b",p=" + base64.b64encode(proof))
        last = self.read_challenge()
        if last is None:
            return
        if last != b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), auth)):
            raise Broken(f"the server proved nothing: {last!r}")
        self.socket.sendall(b"*\r\n" if spoil == "SIGNATURE" else b"\r\n")

    def expect_close(self):
        try:
            rest = self.input + self.receive()
        except (ConnectionResetError, ssl.SSLError):
            return
        if rest:
            raise Broken(f"the server said {rest!r} instead of closing")


def octets(text, caught):
    text = filled(text, caught)
    names = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
    out, at = b"", 0
    for found in re.finditer(r"\\(x[0-9a-f]{2}|.)", text):
        out += text[at:found.start()].encode()
        out += bytes([int(found[1][1:], 16)]) if found[1][0] == "x" else names[found[1]]
        at = found.end()
    return out + text[at:].encode()


def filled(text, caught):
    """The text with what was caught in place of {name}."""
    return re.sub(r"\{(\w+)\}", lambda m: caught.get(m[1], m[0]), text)


def holds(lines, want, caught, where):
    """Whether one of the lines (by where) starts with want, or all match the /regex/."""
    if len(want) > 1 and want[0] == want[-1] == "/":
        found = re.search(filled(want[1:-1], caught), "\n".join(lines))
        if found:
            caught.update(found.groupdict())
        return bool(found)
    return any(line.startswith(filled(want, caught)) for line in lines[where])


class Play:
    def __init__(self, host, base):
        self.host, self.base = host, base
        self.peers, self.peer, self.reply = {}, None, []
        self.caught = {"unique": "u" + uuid.uuid4().hex[:16]}

    def open(self, name, service):
        self.peer = Peer(self.host, self.base + SERVICES[service], service.startswith("pop3"),
                         service in ("submissions", "pop3s", "imaps"))
        self.peers[name] = self.peer

    def check(self, lines, want, where=slice(-1, None)):
        self.reply = lines
        if not holds(lines, want, self.caught, where):
            raise Broken(f"wanted {want!r}, got {lines!r}")

    def step(self, word, rest):
        if word == "OPEN":
            self.open(*rest.split())
        elif word == "ON":
            self.peer = self.peers[rest]
        elif word == "C:":
            self.peer.send(octets(rest, self.caught) + b"\r\n")
        elif word == "C>":
            self.peer.send(octets(rest, self.caught))
        elif word == "LAST:":
            self.peer.send_last(octets(rest, self.caught) + b"\r\n", zlib.Z_FINISH)
        elif word == "LAST>":
            self.peer.send_last(octets(rest, self.caught), zlib.Z_SYNC_FLUSH)
        elif word == "LINES":
            count, text = rest.split(" ", 1)
            self.peer.send((octets(text, self.caught) + b"\r\n") * int(count))
        elif word == "S:":
            self.check(self.peer.read_reply(), rest)
        elif word == "M:":
            self.check(self.peer.read_text(), rest, slice(0, 1))
        elif word == "T:":
            self.check(self.peer.read_tagged(rest.lstrip("/^").split()[0]), rest)
        elif word == "HAS":
            self.check(self.reply, rest, slice(None))
        elif word == "HASNT":
            if holds(self.reply, rest, self.caught, slice(None)):
                raise Broken(f"did not want {rest!r}, got {self.reply!r}")
        elif word == "TLS":
            self.peer.start_tls()
        elif word == "DEFLATE":
            self.peer.start_deflate()
        elif word == "SCRAM":
            if self.peer.read_challenge() != b"":
                raise Broken("there is no empty challenge")
            self.peer.scram(*rest.split())
        elif word == "CLOSE":
            self.peer.expect_close()
        elif word == "LEAVE":
            self.peer.socket.close()
            time.sleep(0.2)  # the server needs a moment to see it
        else:
            raise Broken(f"no such word: {word}")

    def run(self, lines):
        at = 0
        while at < len(lines):
            number, line = lines[at]
            word, _, rest = line.partition(" ")
            at += 1
            if word == "REPEAT":
                end = next(i for i in range(at, len(lines)) if lines[i][1] == "END")
                for _ in range(int(rest)):
                    self.run(lines[at:end])
                at = end + 1
                continue
            try:
                self.step(word, rest)
            except (Broken, OSError, KeyError) as error:
                raise Broken(f"line {number} ({line}): {error}") from error

    def close(self):
        for peer in self.peers.values():
            peer.socket.close()


def main():
    host, base = sys.argv[1], int(sys.argv[2])
    folder = pathlib.Path(__file__).parent
    passed = failed = 0
    for path in sorted(folder.rglob("*.txt")):
        name = str(path.relative_to(folder).with_suffix(""))
        if len(sys.argv) > 3 and not any(word in name for word in sys.argv[3:]):
            continue
        lines = [(n, line) for n, line in enumerate(path.read_text().splitlines(), 1)
                 if line and not line.startswith("#")]
        play, start = Play(host, base), time.time()
        try:
            play.run(lines)
            passed += 1
            print(f"ok   {name} ({time.time() - start:.2f} s)", flush=True)
        except Broken as error:
            failed += 1
            print(f"FAIL {name}: {error}", flush=True)
        play.close()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
