#!/usr/bin/python3
"""Mail for who has a Sieve script goes where that says: at once, and from the queue when the mail
has several recipients; what cannot go there stays in INBOX, and what goes round ends."""
import email, os, smtplib, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

ALICE = """require ["fileinto", "imap4flags", "copy", "envelope"];
if header :contains "subject" "list" { fileinto :flags ["\\\\Seen", "$label"] "Lists/A"; }
elsif header :contains "subject" "dropped" { discard; }
elsif header :contains "subject" "copied" { redirect :copy "bob@postrider.test"; }
elsif header :contains "subject" "moved" { redirect "bob@postrider.test"; }
elsif header :contains "subject" "both" { fileinto "Lists/A"; keep; }
elsif header :contains "subject" "astray" { fileinto "No/Such"; }
elsif header :contains "subject" "nowhere" { redirect "nobody@postrider.test"; }
elsif allof (envelope :is "from" "x@load.example", header :contains "received" "by") { keep; }
else { discard; }
"""
# What each subject comes to: (flags in INBOX, in Lists/A), for alice, and whether bob has it.
DOMAIN = "postrider.test"
WANTED = {"list": (None, "$label \\Seen", 0), "dropped": (None, None, 0), "copied": ("", None, 1),
          "moved": (None, None, 1), "both": ("", "", 0), "astray": ("", None, 0),
          "nowhere": ("", None, 0), "plain": ("", None, 0)}


def send(server, names, subject):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=30) as client:
        client.sendmail("x@load.example", [f"{name}@{DOMAIN}" for name in names],
                        f"From: <x@load.example>\r\nSubject: {subject}\r\n\r\nhello\r\n")


def box(server, name, mailbox="INBOX"):
    """{subject: (flags, message)} of a mailbox; two of one subject fail."""
    client, found = server.imap(name), {}
    client.select(mailbox)
    for number in client.search(None, "ALL")[1][0].split():
        head, text = client.fetch(number, "(FLAGS BODY.PEEK[])")[1][0]
        mail = email.message_from_bytes(text)
        flags = set(head.decode().split("FLAGS (")[1].split(")")[0].split()) - {"\\Recent"}
        assert mail["Subject"] not in found, f"{mail['Subject']} twice"
        found[mail["Subject"]] = (" ".join(sorted(flags)), mail)
    client.logout()
    return found


def script(server, name, text):
    path = f"{server.folder}/{name}.sieve"
    with open(path, "w") as out:
        out.write(text)
    return server.ctl("account", "sieve", f"{name}@{DOMAIN}", path)


def check_all(server, report, names, how):
    subjects = {f"{word} {how}": wanted for word, wanted in WANTED.items()}
    for subject in subjects:
        send(server, names, subject)
    if len(names) > 1:  # all has been tried, since rows are taken in their order, and bob's come last
        lab.wait_for(lambda: len(box(server, names[1])) >= len(subjects), 20, 0.2)
    at_bob = [subject for subject, (_, _, is_at_bob) in subjects.items() if is_at_bob]
    lab.wait_for(lambda: all(subject in box(server, "bob") for subject in at_bob), 20, 0.2)
    lab.wait_for(lambda: f"plain {how}" in box(server, "alice"), 20, 0.2)
    inbox, lists, bob = box(server, "alice"), box(server, "alice", "Lists/A"), box(server, "bob")
    for subject, (in_inbox, in_lists, is_at_bob) in subjects.items():
        found = (inbox.get(subject, (None,))[0], lists.get(subject, (None,))[0], int(subject in bob))
        report.check(f"{subject}: where its script says", found == (in_inbox, in_lists, is_at_bob), found)
    there = bob.get(f"moved {how}", (None, {}))[1]
    report.check(f"{how}: a redirected mail tells where it has been", there["Delivered-To"] ==
                 f"alice@{DOMAIN}" and there["Return-Path"] == "<x@load.example>", there.items())
    if len(names) > 1:
        others = box(server, names[1])
        report.check(f"{how}: the other recipient has all of them", all(s in others for s in subjects),
                     sorted(others))


def words(server, report):
    done = script(server, "alice", "keep\nkeep;")
    report.check("a script that is wrong is refused, with its line", done.returncode != 0 and
                 "Line 2" in done.stderr and "Nothing was changed" in done.stderr, done)
    done = script(server, "alice", "#" * 40000)
    report.check("one that is too long as well", done.returncode != 0 and "32768" in done.stderr, done)
    done = server.ctl("account", "sieve", f"alice@{DOMAIN}")
    report.check("nobody has a script at first", "has no script" in done.stdout, done)
    done = script(server, "alice", 'redirect "not an address";')
    report.check("so is an address that is none", done.returncode != 0 and "Line 1" in done.stderr, done)
    done = script(server, "alice", ALICE)
    report.check("a good one is taken", done.returncode == 0, done)
    done = server.ctl("account", "sieve", f"alice@{DOMAIN}")
    report.check("and shown", done.stdout.startswith('require ["fileinto"'), done)


def rounds(server, report):
    """Two who send each other all they get."""
    script(server, "user2", f'redirect "user3@{DOMAIN}";')
    script(server, "user3", f'redirect "user2@{DOMAIN}";')
    send(server, ["user2"], "round")
    came = lab.wait_for(lambda: "round" in box(server, "user2"), 20, 0.2)
    report.check("what goes round stays where it has been before", came and not box(server, "user3"))
    script(server, "user4", f'redirect "user4@{DOMAIN}";')
    send(server, ["user4"], "myself")
    report.check("so does what one sends to oneself", lab.wait_for(lambda: "myself" in box(server, "user4"), 20, 0.2))


def gone(server, report):
    done = server.ctl("account", "sieve", f"alice@{DOMAIN}", "none")
    send(server, ["alice"], "dropped no more")
    report.check("without its script an account has all in INBOX", done.returncode == 0 and
                 "dropped no more" in box(server, "alice"), done)


def crowd(server, report):
    """Everybody of a mail with many recipients has a script."""
    names = [f"user{number}" for number in range(5, 25)]
    for name in names:
        script(server, name, 'require ["fileinto", "copy"]; redirect :copy "user25@postrider.test"; stop;')
    send(server, names, "for all")
    done = lab.wait_for(lambda: all("for all" in box(server, name) for name in names), 30, 0.5)
    report.check("each of many has it once", done)
    client = server.imap("user25")
    lab.wait_for(lambda: client.select("INBOX")[1] == [b"20"], 20, 0.2)
    report.check("and each has sent it on once", client.select("INBOX")[1] == [b"20"], client.select("INBOX"))
    client.logout()


def main():
    report = lab.Report()
    with lab.Server(accounts=25) as server:
        client = server.imap("alice")
        for name in ("Lists", "Lists/A"):
            client.create(name)
        client.logout()
        with report.case("words: to the end"):
            words(server, report)
        with report.case("one recipient: to the end"):
            check_all(server, report, ["alice"], "alone")
        with report.case("two recipients: to the end"):
            check_all(server, report, ["alice", "user1"], "with another")
        with report.case("rounds: to the end"):
            rounds(server, report)
        with report.case("many scripts: to the end"):
            crowd(server, report)
        with report.case("none: to the end"):
            gone(server, report)
    report.close()


main()
