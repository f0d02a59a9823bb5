#!/usr/bin/python3
"""IMAP is quick where people notice: IDLE tells of a mail at once, in whichever process
the session lives, and lists of messages are shown without opening a single body."""
import email.message, email.policy, json, os, re, select, smtplib, socket, statistics, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

DELIVERIES, WITHIN_S = 50, 0.150
report = lab.Report()


def letter(number):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "x@load.example", "alice@postrider.test", f"no {number}"
    mail["Date"] = "Sun, 22 Nov 2026 10:00:00 +0000"
    mail.set_content("Hello\n")
    mail.add_attachment(os.urandom(30000), maintype="application", subtype="octet-stream", filename="f")
    return mail


class Idler:
    """A session in IDLE, and the process that serves it."""

    def __init__(self, server):
        before = os.path.getsize(server.log)
        self.socket = socket.create_connection(("127.0.0.1", server.port("imap")), 20)
        self.input = b""
        for line in (b"a LOGIN alice pass", b"b SELECT INBOX"):
            self.socket.sendall(line + b"\r\n")
            self.read_until(b"\r\n" + line[:2] + b"OK")
        with open(server.log) as log:
            log.seek(before)
            self.process = re.search(r"imapd\[(\d+)\]: login ", log.read())[1]
        self.socket.sendall(b"c IDLE\r\n")
        self.read_until(b"+ ")
        self.input = b""

    def read_until(self, text):
        while text not in self.input:
            more = self.socket.recv(65536)
            assert more, "the server has closed"
            self.input += more


def idlers(server):
    """One session in each of the processes that serve IMAP."""
    expected = sum(role == "imapd" for role in server.children().values())
    found = {}
    for _ in range(60):
        idler = Idler(server)
        found.setdefault(idler.process, idler)
        if len(found) == expected:
            break
    return expected, list(found.values())


def delays(server, sessions):
    """Seconds from each 250 to the EXISTS of each session."""
    taken = []
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=20) as client:
        for number in range(DELIVERIES):
            client.sendmail("x@load.example", ["alice@postrider.test"], letter(number).as_bytes(policy=email.policy.SMTP))
            accepted = time.monotonic()
            waiting = {session.socket: session for session in sessions}
            while waiting:
                ready = select.select(list(waiting), [], [], 10)[0]
                assert ready, "nothing was told in 10 s"
                for ready_socket in ready:
                    session = waiting[ready_socket]
                    session.input += ready_socket.recv(65536)
                    if b"EXISTS" not in session.input:
                        continue
                    taken.append(max(0, time.monotonic() - accepted))
                    session.input = b""
                    del waiting[ready_socket]
    return taken


def tells_at_once(server):
    expected, sessions = idlers(server)
    report.check("every imapd serves a session", len(sessions) == expected > 1,
                 f"{len(sessions)} of {expected}")
    for _ in range(2):  # others use this machine too: one more try, but the same bound
        taken = delays(server, sessions)
        print(f"     IDLE: median {statistics.median(taken) * 1000:.1f} ms, "
              f"longest {max(taken) * 1000:.1f} ms of {len(taken)}")
        if max(taken) <= WITHIN_S:
            break
    report.check("IDLE tells of each mail within 150 ms of its 250", max(taken) <= WITHIN_S)


def bodies_read(server):
    done = server.ctl("store", "stats", "--json")
    return json.loads(done.stdout)["bodies_read"]


def opens_no_body(server):
    client = server.imap()
    client.select("INBOX")
    before = bodies_read(server)
    for items in ("(UID FLAGS INTERNALDATE RFC822.SIZE)", "ENVELOPE", "BODYSTRUCTURE", "BODY",
                  "BODY.PEEK[HEADER]", "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM DATE)]",
                  "BODY.PEEK[HEADER.FIELDS.NOT (RECEIVED)]"):
        data = client.fetch("1:*", items)[1]
        read = bodies_read(server) - before
        report.check(f"FETCH {items} opens no body", len(data) >= DELIVERIES and read == 0, str(read))
    client.search(None, "SUBJECT", '"no 7"', "FROM", "load", "SENTSINCE", "1-Jan-2026")
    report.check("SEARCH in headers opens no body", bodies_read(server) == before)
    client.fetch("1", "BODY.PEEK[TEXT]")
    report.check("a body that is read is counted", bodies_read(server) == before + 1)
    client.logout()


with lab.Server() as running:
    tells_at_once(running)
    opens_no_body(running)
report.close()
