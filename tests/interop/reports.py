#!/usr/bin/python3
"""Delivery status notifications as Python's email package reads them, asked for and made by
the whole server."""
import email, email.policy, smtplib, ssl, time

import lab

report = lab.Report()
CONTEXT = ssl._create_unverified_context()


def submit(server, user, mail, rcpts, mail_options=(), rcpt_options=()):
    client = smtplib.SMTP_SSL("127.0.0.1", server.port("submissions"), context=CONTEXT)
    client.login(user, "pass")
    client.sendmail(user + "@postrider.test", rcpts, mail, mail_options, rcpt_options)
    client.quit()


def wait_for(server, user, count, seconds=20):
    """All mails of the INBOX, as soon as there are so many."""
    until = time.time() + seconds
    while True:
        client = server.imap(user)
        client.select("INBOX", readonly=True)
        numbers = client.search(None, "ALL")[1][0].split()
        mails = [client.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in numbers]
        client.logout()
        if len(mails) >= count or time.time() > until:
            return [email.message_from_bytes(m, policy=email.policy.default) for m in mails]
        time.sleep(0.2)


def blocks_of(mail):
    """The groups of fields of message/delivery-status."""
    return [dict(block) for block in mail.get_payload()[1].get_payload()]


def success(server):
    text = ("From: alice@postrider.test\r\nTo: bob@postrider.test\r\nSubject: asked\r\n"
            "Message-ID: <asked@test.example>\r\n\r\nSecret text.\r\n")
    submit(server, "alice", text, ["bob@postrider.test"], ["RET=FULL", "ENVID=ab+2Bcd"],
           ["NOTIFY=SUCCESS", "ORCPT=rfc822;Bob@Postrider.test"])
    mails = wait_for(server, "alice", 1)
    if not report.check("a report comes for NOTIFY=SUCCESS", len(mails) == 1, str(len(mails))):
        return
    mail = mails[0]
    report.check("it is a multipart/report",
                 mail.get_content_type() == "multipart/report" and
                 mail.get_param("report-type") == "delivery-status")
    report.check("nothing is wrong with its form", not mail.defects, str(mail.defects))
    report.check("it has three parts of the right kinds",
                 [p.get_content_type() for p in mail.iter_parts()] ==
                 ["text/plain", "message/delivery-status", "text/rfc822-headers"])
    report.check("it is marked as automatic", mail["Auto-Submitted"] == "auto-replied")
    report.check("it has no reverse-path", mail["Return-Path"] == "<>", str(mail["Return-Path"]))
    report.check("it answers the mail", mail["In-Reply-To"] == "<asked@test.example>")
    report.check("it is addressed to the sender", mail["To"].addresses[0].addr_spec == "alice@postrider.test")
    groups = blocks_of(mail)
    report.check("the envelope id comes back decoded", groups[0]["Original-Envelope-Id"] == "ab+cd")
    report.check("one recipient was delivered",
                 len(groups) == 2 and groups[1]["Action"] == "delivered" and groups[1]["Status"] == "2.1.5")
    report.check("and is named as its sender named it",
                 groups[1]["Original-Recipient"] == "rfc822; Bob@Postrider.test" and
                 groups[1]["Final-Recipient"] == "rfc822; bob@postrider.test", str(groups[1]))
    report.check("the text is not given back", "Secret text" not in mail.as_string())


def hold(server):
    before = len(wait_for(server, "bob", 0))
    text = "From: alice@postrider.test\r\nSubject: held\r\n\r\nLater.\r\n"
    sent = time.time()
    submit(server, "alice", text, ["bob@postrider.test"], ["HOLDFOR=3"])
    time.sleep(1)
    report.check("mail with HOLDFOR is not there at once", len(wait_for(server, "bob", 0)) == before)
    mails = wait_for(server, "bob", before + 1)
    report.check("and is there afterwards", len(mails) == before + 1 and time.time() - sent >= 3)


def main():
    with lab.Server(accounts=2) as server:
        for part in (success, hold):
            try:
                part(server)
            except Exception as error:  # the report goes on with the next part
                report.check(part.__name__, False, repr(error))
    report.close()


if __name__ == "__main__":
    main()
