#!/usr/bin/python3
"""Every mail of an mbox (plain or .xz) goes in by SMTP and comes out by IMAP and POP3 byte
for byte below the trace fields; what is not valid on the wire is refused.

    list_archive.py MBOX [COUNT]
"""
import imaplib, lzma, poplib, re, socket, sys, time

import lab

report = lab.Report()


def mails(path):
    data = lzma.open(path).read() if path.endswith(".xz") else open(path, "rb").read()
    for mail in re.split(rb"(?m)^From [^\n]*\n", data)[1:]:
        if b"\r\n" not in mail:
            mail = mail.replace(b"\n", b"\r\n")
        yield mail[:-2] if mail.endswith(b"\r\n\r\n") else mail


class Smtp:
    """The bare dialogue, so that no library repairs what we send."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.input = self.socket.makefile("rb")
        self.reply()
        self.say(b"EHLO test.example")

    def reply(self):
        line = self.input.readline()
        while line[3:4] == b"-":
            line = self.input.readline()
        return int(line[:3])

    def say(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.reply()

    def send(self, mail):
        self.say(b"MAIL FROM:<list@test.example>")
        self.say(b"RCPT TO:<alice@postrider.test>")
        if self.say(b"DATA") != 354:
            return 0
        self.socket.sendall(re.sub(rb"(?m)^\.", b"..", mail) + b".\r\n")
        return self.reply()


def without_return_path(mail):
    """A Return-Path that came along is removed before final delivery adds its own."""
    end = mail.find(b"\r\n\r\n") + 2
    head = re.sub(rb"(?mi)^Return-Path:[^\n]*\n(?:[ \t][^\n]*\n)*", b"", mail[:end])
    return head + mail[end:]


def is_valid(mail):
    return not re.search(rb"\r(?!\n)|(?<!\r)\n", mail)


count = int(sys.argv[2]) if len(sys.argv) > 2 else None
all_mails = list(mails(sys.argv[1]))[:count]
with lab.Server() as server:
    smtp, sent, refused = Smtp(server.port("smtp")), [], 0
    started = time.time()
    for mail in all_mails:
        code = smtp.send(mail)
        if is_valid(mail):
            sent.append(without_return_path(mail))
            if code != 250:
                report.check("a valid mail is taken", False, f"{code}: {mail[:80]!r}")
        else:
            refused += 1
            report.check("a bare CR or LF is refused", code // 100 == 5, str(code))
    print(f"{len(sent)} sent, {refused} refused in {time.time() - started:.1f} s")

    client = server.imap()
    client.select("INBOX", readonly=True)
    data = client.fetch("1:*", "(BODY.PEEK[])")[1]
    got = [part[1] for part in data if isinstance(part, tuple)]
    report.check("IMAP has as many as were sent", len(got) == len(sent), str(len(got)))
    wrong = [i for i, mail in enumerate(sent) if i >= len(got) or lab.below_trace(got[i]) != mail]
    report.check("IMAP gives them back byte for byte", not wrong, f"{len(wrong)}: {wrong[:5]}")
    sizes = [int(re.search(rb"RFC822.SIZE (\d+)", part)[1])
             for part in client.fetch("1:*", "(RFC822.SIZE)")[1]]
    report.check("RFC822.SIZE is the true size", sizes == [len(mail) for mail in got])
    client.logout()

    poplib._MAXLINE = 1 << 20
    pop = poplib.POP3("127.0.0.1", server.port("pop3"))
    pop.user("alice")
    pop.pass_("pass")
    wrong = 0
    for number, mail in enumerate(sent, 1):
        text = b"\r\n".join(pop.retr(number)[1]) + b"\r\n"
        wrong += lab.below_trace(text) != mail
    pop.quit()
    report.check("POP3 gives them back byte for byte", wrong == 0, str(wrong))
report.close()
