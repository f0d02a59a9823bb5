#!/usr/bin/python3
"""REPLACE is one step: there is always one draft, whatever dies meanwhile, and only what it
adds counts for the quota (RFC 8508)."""
import imaplib, os, re, signal, socket, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

SECONDS, KILL_EACH_S = 8, 0.4
report = lab.Report()


def mail(number, size=0):
    return b"Subject: %d\r\n\r\n" % number + b"x" * size + b"\r\n"


def replace(client, text, what=b"1"):
    """The untagged lines and the tagged one."""
    client.send(b"r REPLACE %s INBOX {%d+}\r\n%s\r\n" % (what, len(text), text))
    lines = []
    while not (line := client.readline()).startswith((b"r ", b"* BYE")):
        if not line:
            raise OSError("closed")
        lines.append(line)
    return lines, line


def drafts(server):
    client = server.imap()
    client.select("INBOX")
    found = re.findall(rb"Subject: (\d+)", b"".join(
        part[1] for part in client.fetch("1:*", "BODY.PEEK[HEADER]")[1] if isinstance(part, tuple)))
    client.logout()
    return [int(number) for number in found]


def quotas(server):
    client = server.imap("bob")
    assert server.ctl("account", "quota", "bob@postrider.test", "2", "1000").returncode == 0
    client.append("INBOX", None, None, mail(1, 100)), client.append("INBOX", None, None, mail(2, 100))
    client.select("INBOX")
    report.check("GETQUOTAROOT tells the limits",
                 client.getquotaroot("INBOX")[1][1] == [b"account (STORAGE 1 1 MESSAGE 2 2)"],
                 str(client.getquotaroot("INBOX")))
    report.check("GETQUOTA does, too", client.getquota("account")[1] == [b"account (STORAGE 1 1 MESSAGE 2 2)"],
                 str(client.getquota("account")))
    report.check("an APPEND beyond the quota is refused",
                 b"[OVERQUOTA]" in client.append("INBOX", None, None, mail(3))[1][0])
    lines, line = replace(client, mail(4, 500))
    report.check("a REPLACE within it is not", line.startswith(b"r OK") and b"APPENDUID" in b"".join(lines), str(line))
    lines, line = replace(client, mail(5, 900))
    report.check("a REPLACE beyond it is refused", line.startswith(b"r NO [OVERQUOTA]"), str(line))
    subjects = client.fetch("1:*", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]")[1]
    report.check("and changes nothing", [part[1].split()[1] for part in subjects if isinstance(part, tuple)] == [b"2", b"4"],
                 str(subjects))
    client.logout()


def kill_now_and_then(server, is_over):
    count = 0
    while not is_over.wait(KILL_EACH_S):
        count += 1
        for pid, role in server.children().items():
            if role == ("imapd" if count % 3 == 0 else "storaged"):
                os.kill(pid, signal.SIGKILL)


def survives(server):
    client = server.imap()
    client.append("INBOX", None, None, mail(0))
    client.logout()
    is_over, number, told, refused, odd = threading.Event(), 0, 0, 0, []
    killer = threading.Thread(target=kill_now_and_then, args=(server, is_over))
    killer.start()
    client, until = None, time.time() + SECONDS
    while time.time() < until:
        try:
            if not client:
                client = server.imap()
                client.select("INBOX")
            number += 1
            line = replace(client, mail(number))[1]
            told += line.startswith(b"r OK")
            refused += not line.startswith(b"r OK")
            if line.startswith(b"* BYE"):
                client = None
        except (OSError, imaplib.IMAP4.error):
            client = None
    is_over.set()
    killer.join()
    with report.case("the server goes on"):
        lab.wait_for(lambda: drafts(server) is not None, 20)
    there = drafts(server)
    print(f"     of {number} replacements {told} were done, {refused} were not; the draft: {there}")
    report.check("many were replaced while processes were killed", told > 20, str(told))
    report.check("there is one draft", len(there) == 1, str(there))


with lab.Server(accounts=2) as running:
    quotas(running)
    survives(running)
report.close()
