#!/usr/bin/python3
"""A mail that crashes the process which parses it is parsed twice, and then no more; its sender
notices nothing."""
import os, pathlib, smtplib, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

TEXT = "From: <x@load.example>\r\nSubject: poison\r\n\r\nhello\r\n"
report = lab.Report()


def send(server):
    """True if it was taken, False if the connection broke."""
    try:
        with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=20) as client:
            client.sendmail("x@load.example", ["alice@postrider.test"], TEXT)
        return True
    except (smtplib.SMTPServerDisconnected, OSError):
        return False


with lab.Server(env={"POSTRIDER_FAULT": "deliverd=smtp digest:1+:crash"}) as server:
    outcomes = [send(server) for _ in range(4)]
    log = pathlib.Path(server.log).read_text()
    report.check("two crashes, then it is taken unparsed",
                 outcomes == [True] * 4, str(outcomes))
    report.check("the report says in what", 'while in: smtp digest' in log)
    report.check("the log says that it is set aside", log.count("set aside, it crashed twice") == 1)
    report.check("it died twice", log.count('operation="smtp digest"') == 3, log[-2000:])
    client = server.imap()
    client.select("INBOX")
    found = client.fetch("1:*", "(ENVELOPE BODY[])")[1]
    report.check("and the mail is whole", sum(b"hello" in part[1] for part in found
                                              if isinstance(part, tuple)) == 4, str(found))
report.close()
