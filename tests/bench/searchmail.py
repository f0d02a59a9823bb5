#!/usr/bin/env python3
"""searchmail.py OUT COUNT [MBOX]: writes COUNT mails to the file OUT, each behind its length (u32,
little-endian), for searchbench.  They are those of the mbox again and again, with a quarter of
their words exchanged for others', new names, dates and identifiers, and in several charsets and
encodings; without an mbox they are made of invented words.  "xqzzyrare" is in five of them."""
import base64, mailbox, quopri, random, re, struct, sys

SYLLABLES = "ba be bi bo bu da de di do du fa fe ga ge ka ke ki la le li lo ma me mi mo na ne ni " \
            "no pa pe pi po ra re ri ro sa se si so ta te ti to va ve vi vo za ze".split()
ACCENTS = str.maketrans("aeou", "äéöü")
PLAIN = 'Content-Type: text/plain; charset='


def invented(r):
    words = ["".join(r.choice(SYLLABLES) for _ in range(r.randint(1, 4))) for _ in range(20000)]
    weights = [1 / (i + 1) for i in range(len(words))]
    return [" ".join(r.choices(words, weights, k=r.randint(30, 800))) for _ in range(2000)]


def real(path):
    texts = []
    for mail in mailbox.mbox(path):
        if not mail.is_multipart():
            texts.append((mail.get_payload(decode=True) or b"").decode("utf-8", "replace"))
    return texts


def text_of(r, texts, words):
    found = re.split(r"(\s+)", r.choice(texts)[:20000])
    for i in range(0, len(found), 2):
        if r.random() < 0.25:
            found[i] = r.choice(words)
    return "".join(found).replace("\r", "").replace("\n", "\r\n")


def body_of(r, text):
    kind = r.random()
    if kind < 0.55:
        return f"{PLAIN}utf-8\r\n\r\n".encode() + text.encode()
    if kind < 0.65:
        text = text.translate(ACCENTS).encode("iso-8859-1", "replace")
        return (f"{PLAIN}iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".encode() +
                quopri.encodestring(text).replace(b"\n", b"\r\n").replace(b"\r\r", b"\r"))
    if kind < 0.75:
        coded = base64.encodebytes(text.translate(ACCENTS).encode()).replace(b"\n", b"\r\n")
        return f"{PLAIN}utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + coded
    html = ("<html><body><p>" + text.replace("\r\n\r\n", "</p>\r\n<p class=\"x\">") + "</p></body></html>")
    if kind < 0.92:
        return (b"Content-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n" +
                f"{PLAIN}utf-8\r\n\r\n{text}\r\n--bb\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
                f"{html}\r\n--bb--\r\n".encode())
    data = base64.encodebytes(r.randbytes(r.randint(2000, 60000))).replace(b"\n", b"\r\n")
    return (b"Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n" +
            f"{PLAIN}utf-8\r\n\r\n{text}\r\n--bb\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\n".encode() + data + b"--bb--\r\n")


def main():
    r = random.Random(7)
    count = int(sys.argv[2])
    texts = real(sys.argv[3]) if len(sys.argv) > 3 else invented(r)
    words = [w for t in texts for w in t.split()[:80] if len(w) < 20]
    people = ["".join(r.choice(SYLLABLES) for _ in range(3)) for _ in range(3000)]
    with open(sys.argv[1], "wb") as out:
        for i in range(count):
            one, other = r.choice(people), r.choice(people)
            text = text_of(r, texts, words)
            if i % (count // 5) == count // 10:
                text += "\r\nhere is xqzzyrare for you\r\n"
            head = (f"Received: from mx{i % 97}.example.org ([192.0.2.{i % 251}])\r\n\tby here.test with ESMTPS id "
                    f"{r.getrandbits(60):x};\r\n\tMon, {i % 28 + 1} Sep 2025 1{i % 10}:00:0{i % 7} +0000\r\n"
                    f"From: {one.title()} <{one}@{other}.example>\r\nTo: {other.title()} <{other}@here.test>\r\n"
                    f"Subject: {' '.join(r.choice(words) for _ in range(r.randint(2, 8)))}\r\n"
                    f"Date: Mon, {i % 28 + 1} Sep 2025 10:00:00 +0000\r\n"
                    f"Message-ID: <{r.getrandbits(64):x}.{i}@{other}.example>\r\nMIME-Version: 1.0\r\n")
            mail = head.encode("utf-8", "replace") + body_of(r, text)
            out.write(struct.pack("<I", len(mail)) + mail)


main()
