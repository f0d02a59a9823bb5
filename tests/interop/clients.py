#!/usr/bin/python3
"""Real clients send and read mail as their users would: swaks, curl, smtplib, imaplib,
poplib, mbsync, fetchmail, getmail, mutt."""
import email.message, email.policy, imaplib, io, os, poplib, smtplib, ssl, subprocess, textwrap, time, zlib

import lab

report = lab.Report()


def letter(subject, sender="alice@postrider.test", to="bob@postrider.test", text="Hello\n"):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{subject.replace(' ', '.')}@test.example>"
    mail["Date"] = "Sun, 22 Nov 2026 10:00:00 +0000"
    mail.set_content(text)
    return mail


def subjects(server, user, box="INBOX"):
    client = server.imap(user)
    client.select(box, readonly=True)
    found = client.search(None, "ALL")[1][0].split()
    lines = []
    for number in found:
        data = client.fetch(number, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        lines.append(data[0][1].decode().strip().removeprefix("Subject: "))
    client.logout()
    return lines


def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.write(textwrap.dedent(text))
    os.chmod(path, mode)
    return path


def swaks(server):
    common = ["swaks", "--server", "127.0.0.1", "--to", "bob@postrider.test", "--silent", "1"]
    with report.case("swaks hands a mail to port 25"):
        lab.run(common + ["--port", str(server.port("smtp")), "--from", "x@example.org",
                          "--header", "Subject: swaks 25"])
    with report.case("swaks submits with STARTTLS and PLAIN"):
        lab.run(common + ["--port", str(server.port("submission")), "--tls", "--auth", "PLAIN",
                          "--auth-user", "alice", "--auth-password", "pass",
                          "--from", "alice@postrider.test", "--header", "Subject: swaks 587"])
    with report.case("swaks submits over TLS with LOGIN"):
        lab.run(common + ["--port", str(server.port("submissions")), "--tls-on-connect",
                          "--auth", "LOGIN", "--auth-user", "alice@postrider.test",
                          "--auth-password", "pass", "--from", "alice@postrider.test",
                          "--header", "Subject: swaks 465"])
    refused = subprocess.run(common + ["--port", str(server.port("smtp")), "--from",
                                       "x@example.org", "--to", "y@example.net"],
                             capture_output=True, text=True)
    report.check("swaks is refused a relay", refused.returncode != 0)
    got = subjects(server, "bob")
    report.check("what swaks sent is there",
                 all(s in got for s in ("swaks 25", "swaks 587", "swaks 465")), str(got))


def curl(server, folder):
    path = write(folder, "curl.eml", letter("from curl").as_string().replace("\n", "\r\n"))
    with report.case("curl submits"):
        lab.run(["curl", "-sS", f"smtp://127.0.0.1:{server.port('submission')}", "--mail-from",
                 "alice@postrider.test", "--mail-rcpt", "bob@postrider.test", "-u",
                 "alice:pass", "-T", path])
    imap = f"imap://127.0.0.1:{server.port('imap')}/INBOX"
    out = lab.run(["curl", "-sS", "-u", "bob:pass", imap, "-X", "SEARCH SUBJECT curl"])
    numbers = out.split()[2:]
    report.check("curl finds it by IMAP", len(numbers) == 1, out)
    body = lab.run(["curl", "-sS", "-u", "bob:pass", f"{imap};MAILINDEX={numbers[0]}"])
    report.check("curl reads it by IMAP", "Subject: from curl" in body and "Hello" in body)
    secure = lab.run(["curl", "-sSk", "-u", "bob:pass",
                      f"imaps://127.0.0.1:{server.port('imaps')}/INBOX;MAILINDEX={numbers[0]}"])
    report.check("curl reads the same by IMAPS", secure == body)
    for service, scheme in (("pop3", "pop3"), ("pop3s", "pop3s")):
        listing = lab.run(["curl", "-sSk", "-u", "bob:pass",
                           f"{scheme}://127.0.0.1:{server.port(service)}/"])
        last = listing.strip().splitlines()[-1].split()[0]
        mail = lab.run(["curl", "-sSk", "-u", "bob:pass",
                        f"{scheme}://127.0.0.1:{server.port(service)}/{last}"])
        report.check(f"curl reads by {service}", "Subject: from curl" in mail)


class Compressing(imaplib.IMAP4_SSL):
    """imaplib over DEFLATE, which it does not know by itself (RFC 4978)."""

    class Inflated(io.RawIOBase):
        def __init__(self, sock):
            self.sock, self.unpacker, self.text = sock, zlib.decompressobj(-15), b""

        def readable(self):
            return True

        def readinto(self, room):
            while not self.text:
                more = self.sock.recv(65536)
                if not more:
                    return 0
                self.text = self.unpacker.decompress(more)
            count = min(len(room), len(self.text))
            room[:count], self.text = self.text[:count], self.text[count:]
            return count

    packer = None

    def compress(self):
        imaplib.Commands["COMPRESS"] = ("AUTH", "SELECTED")
        assert self._simple_command("COMPRESS", "DEFLATE")[0] == "OK"
        self.packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._file = io.BufferedReader(self.Inflated(self.sock))

    def read(self, size):
        return self._file.read(size) if self.packer else super().read(size)

    def readline(self):
        return self._file.readline() if self.packer else super().readline()

    def send(self, data):
        super().send(self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH) if self.packer else data)


def compressed(server, context):
    client = Compressing("127.0.0.1", server.port("imaps"), ssl_context=context)
    client.login("user2", "pass")
    client.compress()
    big = letter("a big one", text="".join(f"line {n * 7919}\n" for n in range(100000))).as_bytes(
        policy=email.policy.SMTP)
    for number in range(3):
        assert client.append("INBOX", None, None, big)[0] == "OK"
        assert client.append("INBOX", None, None, letter(f"no {number}").as_bytes())[0] == "OK"
    client.select("INBOX")
    for number in (1, 3, 5):
        assert client.fetch(str(number), "BODY.PEEK[]")[1][0][1] == big
    assert len(client.fetch("1:*", "(FLAGS ENVELOPE BODYSTRUCTURE)")[1]) == 6
    client.logout()


def python(server):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with report.case("smtplib submits after STARTTLS"):
        with smtplib.SMTP("127.0.0.1", server.port("submission")) as client:
            client.starttls(context=context)
            client.login("alice", "pass")
            client.send_message(letter("from smtplib"))
    with report.case("smtplib sends UTF-8 addresses"):
        with smtplib.SMTP_SSL("127.0.0.1", server.port("submissions"), context=context) as c:
            c.login("alice", "pass")
            assert c.has_extn("smtputf8")
            mail = letter("grüße", to="bøb@postrider.test")
            try:  # there is no such person, but the address is understood
                c.send_message(mail)
                raise AssertionError("accepted")
            except smtplib.SMTPRecipientsRefused as error:
                assert error.recipients["bøb@postrider.test"][0] == 550, error.recipients
            raw = letter("grüße").as_bytes(policy=email.policy.SMTPUTF8)
            c.sendmail("alice@postrider.test", ["bob@postrider.test"], raw,
                       ["SMTPUTF8", "BODY=8BITMIME"])
    with report.case("smtplib is refused somebody else's sender"):
        with smtplib.SMTP("127.0.0.1", server.port("submission")) as client:
            client.login("alice", "pass")
            try:
                client.sendmail("bob@postrider.test", "bob@postrider.test",
                                "From: bob@postrider.test\r\n\r\nx\r\n")
                raise AssertionError("accepted")
            except smtplib.SMTPSenderRefused as error:
                assert error.smtp_code // 100 == 5
    with report.case("imaplib stores, copies, moves and expunges"):
        client = imaplib.IMAP4_SSL("127.0.0.1", server.port("imaps"), ssl_context=context)
        client.login("bob", "pass")
        assert client.create("Work")[0] == "OK"
        client.select("INBOX")
        number = client.search(None, "SUBJECT", "smtplib")[1][0].split()[-1]
        assert client.store(number, "+FLAGS", r"(\Flagged kept)")[0] == "OK"
        assert client.copy(number, "Work")[0] == "OK"
        client.select("Work")
        flags = client.fetch("1", "(FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)")[1][0]
        assert b"Flagged" in flags and b"kept" in flags and b"from smtplib" in flags
        client.store("1", "+FLAGS", r"(\Deleted)")
        assert client.expunge()[0] == "OK"
        assert client.search(None, "ALL")[1][0] == b""
        stamp = imaplib.Time2Internaldate(time.time())
        assert client.append("Work", r"(\Seen)", stamp, letter("kept").as_bytes())[0] == "OK"
        client.logout()
    with report.case("imaplib compresses, over TLS"):
        compressed(server, context)
    with report.case("poplib lists, reads and deletes"):
        client = poplib.POP3("127.0.0.1", server.port("pop3"))
        client.stls(context=context)
        client.user("bob")
        client.pass_("pass")
        count = client.stat()[0]
        ids = client.uidl()[1]
        assert len(set(ids)) == count > 3
        assert b"Subject: " in b"\n".join(client.top(1, 0)[1])
        client.retr(count)
        client.dele(1)
        client.quit()
        again = poplib.POP3("127.0.0.1", server.port("pop3"))
        again.user("bob")
        again.pass_("pass")
        left = [line.split()[1] for line in again.uidl()[1]]
        again.quit()
        assert left == [line.split()[1] for line in ids[1:]]


def mbsync(server, folder):
    os.makedirs(folder + "/maildir", exist_ok=True)
    config = write(folder, "mbsyncrc", f"""\
        IMAPAccount postrider
        Host 127.0.0.1
        Port {server.port('imap')}
        User bob
        Pass pass
        SSLType None
        AuthMechs LOGIN

        IMAPStore far
        Account postrider

        MaildirStore near
        Path {folder}/maildir/
        Inbox {folder}/maildir/INBOX
        SubFolders Verbatim

        Channel all
        Far :far:
        Near :near:
        Patterns *
        Create Both
        Expunge Both
        SyncState *
        """)

    def listing():
        found = []
        for where, _, names in os.walk(folder + "/maildir"):
            found += [(where, name) for name in names if not name.startswith(".")]
        return sorted(found)

    with report.case("mbsync brings everything"):
        lab.run(["mbsync", "-c", config, "all"])
        assert len(listing()) >= len(subjects(server, "bob")) > 0
    before = listing()
    with report.case("mbsync changes nothing the second time"):
        out = lab.run(["mbsync", "-D", "-c", config, "all"])
        assert listing() == before, out
        assert "COMPRESS DEFLATE" in out, out
    with report.case("mbsync carries a flag and a new mail up"):
        name = next(n for w, n in before if "/INBOX/" in w + "/")
        where = next(w for w, n in before if n == name)
        kept = where[:-3] + "cur/" + name.split(":")[0] + ":2,FS"
        os.rename(os.path.join(where, name), kept)
        with open(folder + "/maildir/INBOX/new/1.1.up", "wb") as out:
            out.write(letter("carried up").as_bytes())
        lab.run(["mbsync", "-c", config, "all"])
        assert "carried up" in subjects(server, "bob")
        client = server.imap("bob")
        client.select("INBOX", readonly=True)
        assert client.search(None, "FLAGGED")[1][0] != b""
        client.logout()


def fetchmail(server, folder, protocol, user, count, how, is_kept=True):
    out, ids = f"{folder}/fetched-{protocol}", f"{folder}/ids-{protocol}"
    open(out, "w").close()
    uidl = "uidl" if protocol == "POP3" else ""
    config = write(folder, f"fetchmailrc-{protocol}", f"""\
        poll 127.0.0.1 protocol {protocol} port {server.port(protocol.lower())} {uidl}
          user "{user}" password "pass" {how} no sslcertck sslproto ''
          mda "cat >> {out}; echo >> {out}; echo =-=-= >> {out}"
        """)
    env = dict(os.environ, HOME=folder, FETCHMAILHOME=folder)
    words = ["fetchmail", "-f", config, "--idfile", ids, "-N", "-s"]
    with report.case(f"fetchmail fetches all by {protocol}, {how}"):
        lab.run(words, env=env)
        assert open(out, "rb").read().count(b"=-=-=") == count
        assert len(subjects(server, user)) == (count if is_kept else 0)
    with report.case(f"fetchmail finds nothing new the second time by {protocol}, {how}"):
        done = subprocess.run(words, env=env, capture_output=True, timeout=60)
        assert done.returncode == 1, done.stderr


def fetchers(server, folder):
    count = len(subjects(server, "bob"))
    fetchmail(server, folder, "POP3", "bob", count, "keep")
    for i in range(3):
        server.imap("user3").append("INBOX", None, None, letter(f"by IMAP {i}").as_bytes())
    fetchmail(server, folder, "IMAP", "user3", 3, "keep")  # what it has seen, it flags so
    fetchmail(server, folder, "IMAP", "user3", 3, "fetchall nokeep", is_kept=False)
    got = folder + "/got"
    take = write(folder, "take", f"#!/bin/sh\ncat >>{got}\necho =-=-= >>{got}\n", 0o700)
    for kind, service in (("SimplePOP3Retriever", "pop3"), ("SimpleIMAPRetriever", "imap")):
        write(folder, f"getmail-{service}", f"""\
            [retriever]
            type = {kind}
            server = 127.0.0.1
            port = {server.port(service)}
            username = bob
            password = pass
            [destination]
            type = MDA_external
            path = {take}
            allow_root_commands = true
            [options]
            delete = false
            read_all = false
            """)
        with report.case(f"getmail fetches all by {service}, once"):
            open(got, "w").close()
            for _ in range(2):
                lab.run(["getmail", "--getmaildir", folder, "--rcfile", f"getmail-{service}"],
                        env=dict(os.environ, HOME=folder))
            assert open(got, "rb").read().count(b"=-=-=") == count


def mutt(server, folder):
    config = write(folder, "muttrc", f"""\
        set folder = "imap://bob:pass@127.0.0.1:{server.port('imap')}/"
        set spoolfile = "+INBOX"
        set ssl_starttls = no
        set ssl_force_tls = no
        set sort = reverse-date-received
        set quit = yes
        set beep = no
        set mail_check = 1
        set timeout = 1
        set imap_deflate = yes
        """)
    debug = os.path.join(folder, ".muttdebug0")
    session = f"mutt-{os.getpid()}"

    def keys(*what):
        lab.run(["tmux", "-L", session, "send-keys", "-t", session, *what])

    def screen():
        return lab.run(["tmux", "-L", session, "capture-pane", "-p", "-t", session])

    lab.run(["tmux", "-L", session, "new-session", "-d", "-x", "120", "-y", "40", "-s", session,
             f"env HOME={folder} TERM=screen mutt -d 2 -F {config}"])
    try:
        report.check("mutt shows the list", lab.wait_for(lambda: "from curl" in screen(), 15),
                     screen())
        with smtplib.SMTP("127.0.0.1", server.port("smtp")) as client:
            client.send_message(letter("while mutt looks on"))
        report.check("mutt sees a mail arrive",
                     lab.wait_for(lambda: "while mutt looks on" in screen(), 20), screen())
        keys("l", "~s while", "Enter")
        time.sleep(0.5)
        keys("Enter")
        report.check("mutt opens it", lab.wait_for(lambda: "Hello" in screen(), 10), screen())
        said = open(debug, errors="replace").read()
        report.check("mutt and the server compress", "COMPRESS DEFLATE" in said and "OK DEFLATE" in said)
        keys("q")
    finally:
        subprocess.run(["tmux", "-L", session, "kill-server"], capture_output=True)


with lab.Server(accounts=3) as server:
    for name, step in (("swaks", lambda: swaks(server)),
                       ("curl", lambda: curl(server, server.folder)),
                       ("python", lambda: python(server)),
                       ("mbsync", lambda: mbsync(server, server.folder)),
                       ("fetchers", lambda: fetchers(server, server.folder)),
                       ("mutt", lambda: mutt(server, server.folder))):
        try:
            step()
        except Exception as error:  # the next client still has its turn
            report.check(f"{name} goes through", False, f"{type(error).__name__}: {error}")
    report.check("the server stops cleanly", server.stop() == 0)
    server.start()
report.close()
