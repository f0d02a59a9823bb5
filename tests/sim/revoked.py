#!/usr/bin/python3
"""A password that changes ends the sessions that came in with the old one, for good."""
import imaplib, os, signal, smtplib, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

TEXT = "From: <alice@postrider.test>\r\nSubject: x\r\n\r\nx\r\n"
report = lab.Report()


def change_password(server, user, password):
    done = subprocess.run([lab.BINARY, "account", "passwd", f"{user}@postrider.test",
                           "--password-stdin", "--dir", server.folder + "/data"],
                          input=password + "\n", capture_output=True, text=True, timeout=30)
    report.check("the password is changed", done.returncode == 0, done.stderr)


def reads(client):
    try:
        return client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    except (imaplib.IMAP4.error, OSError):
        return False


def submits(client):
    try:
        client.sendmail("alice@postrider.test", ["bob@postrider.test"], TEXT)
        return True
    except (smtplib.SMTPException, OSError):
        return False


def old_sessions(server):
    """IMAP and submission sessions enough that each process has some."""
    readers = [server.imap() for _ in range(12)]
    for client in readers:
        client.select("INBOX")
    senders = []
    for _ in range(12):
        senders.append(smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=20))
        senders[-1].login("alice", "pass")
    return readers, senders


with lab.Server() as server:
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=20) as client:
        client.sendmail("x@load.example", ["alice@postrider.test"], TEXT)
    readers, senders = old_sessions(server)
    report.check("they read and send", all(map(reads, readers)) and all(map(submits, senders)))
    change_password(server, "alice", "another one")
    report.check("then no more", not any(map(reads, readers[:6])) and
                 not any(map(submits, senders[:6])))
    late = [server.imap("alice", "another one") for _ in range(12)]
    again = []
    for _ in range(12):
        again.append(smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=20))
        again[-1].login("alice", "another one")
    report.check("nor when somebody has come in with the new one",
                 not any(map(reads, readers)) and not any(map(submits, senders)))
    for client in late:
        client.select("INBOX")
    report.check("who can read and send", all(map(reads, late)) and all(map(submits, again)))
    for role in ("storaged", "vaultd"):
        victim = next(pid for pid, r in server.children().items() if r == role)
        os.kill(victim, signal.SIGKILL)
        report.check(f"nor after {role} has been started again",
                     lab.wait_for(lambda: reads(late[0]), 20) and
                     not any(map(reads, readers)) and not any(map(submits, senders)))
    try:
        server.imap("alice", "pass")
        report.check("the old password is refused", False)
    except imaplib.IMAP4.error:
        report.check("the old password is refused", True)
report.close()
