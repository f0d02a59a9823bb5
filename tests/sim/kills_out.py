#!/usr/bin/python3
"""kill -9 at random moments while mail leads out: each recipient of an acknowledged mail gets it, none is
forgotten, and twice it comes only where its carrier was killed before it had settled it.

    kills_out.py [ROUNDS] [SEED] [ROLE]

The victims are the carrier, the store, the resolver, and all processes at once.  Twenty sessions
submit mails to up to thirty recipients in eight domains, all with a name of their own, which a
server that a script plays takes and notes.
"""
import collections, json, os, pathlib, smtplib, sys, tempfile, threading, time

import kills
import internet, lab

DOMAINS, RCPTS_MAX, SUBMITTERS = 8, 30, 20
WAITING_MAX = 400  # recipients; then the submitters wait, or rows go back for the carrier has enough
CARRIERS = ("mta", "all")  # who dies with what it knows of mails sent and not settled
PORT = internet.free_port("127.0.0.30")
report = kills.report
lost_mails = lambda names: f"{len(names)}: {sorted(names)[:5]}"


class Sink(internet.Remote):
    """Takes all, and remembers when each recipient came, of mails that are whole."""
    arrivals = collections.defaultdict(list)

    def keep(self, text):
        is_whole = text.endswith(b"line\r\n")
        with self.lock:
            for address in self.to:
                self.arrivals[address if is_whole else "damaged"].append(time.time())


class Load(kills.Traffic):
    def __init__(self, server):
        self.rcpts = 0  # of acknowledged mails
        super().__init__(server, *[self.submit] * SUBMITTERS)

    def waiting(self):
        return self.rcpts - len(Sink.arrivals)

    def submit(self):
        user = f"user{1 + threading.get_ident() % kills.USERS}"
        dice = kills.random.Random(threading.get_ident())
        while not self.is_over:
            try:
                with smtplib.SMTP("127.0.0.1", self.server.port("submission"),
                                  timeout=40) as client:
                    client.login(user, "pass")
                    while not self.is_over:
                        self.mail(client, user + "@postrider.test", dice)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)

    def mail(self, client, sender, dice):
        if self.waiting() > WAITING_MAX:
            time.sleep(0.05)
            return
        name = self.name()
        rcpts = [f"{name}.{i}@d{dice.randrange(DOMAINS)}.sink.test"
                 for i in range(dice.randint(1, RCPTS_MAX))]
        text = f"From: {sender}\r\nSubject: {name}\r\n\r\n" + "line\r\n" * 20
        is_acked = was_refused = False
        self.fly(len(rcpts))
        try:
            is_acked = not client.sendmail(sender, rcpts, text)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException:
            was_refused = True
            raise
        finally:
            self.fly(-len(rcpts))
            if is_acked:
                self.rcpts += len(rcpts)
            self.note(name, rcpts, is_acked, was_refused)


def queued(server):
    done = server.ctl("queue", "list", "--json")
    return json.loads(done.stdout)["queue"] if done.returncode == 0 else None


def told(server):
    """How many mails the senders were sent: each would be a report of failure."""
    return sum(int(server.imap(f"user{n}").select("INBOX", readonly=True)[1][0])
               for n in range(1, kills.USERS + 1))


def is_explained(times, deaths):
    """Between two arrivals the carrier was killed."""
    times = sorted(times)
    return all(any(first - 1 <= death <= second for death in deaths)
               for first, second in zip(times, times[1:]))


def main(server):
    load = Load(server)
    killed, least = [], []
    for at, role, count in kills.rounds(server, load, kills.ROLES):
        killed.append((at, role))
        least.append(count + load.waiting())
    wanted = {rcpt for rcpts in load.acked.values() for rcpt in rcpts}
    lab.wait_for(lambda: wanted <= Sink.arrivals.keys(), 120, 0.5)
    lab.wait_for(lambda: queued(server) == [], 60, 1)
    arrivals = dict(Sink.arrivals)
    missing = wanted - arrivals.keys()
    doubles = {rcpt: times for rcpt, times in arrivals.items() if len(times) > 1}
    deaths = [at for at, role in killed if role in CARRIERS]
    odd = {rcpt: times for rcpt, times in doubles.items() if not is_explained(times, deaths)}
    strange = {rcpt for rcpt in arrivals if (name := rcpt.split(".")[0]) not in load.acked
               and name not in load.unanswered}
    print(f"{len(load.acked)} mails to {len(wanted)} recipients acknowledged, "
          f"{load.refused} refused, {len(load.unanswered)} unanswered; {len(arrivals)} recipients "
          f"came, {len(doubles)} of them twice or more, {len(deaths)} deaths of their carrier")
    report.check("each kill met at least 20 recipients under way", min(least) >= 20, least)
    report.check("mails were acknowledged", len(wanted) > 500, len(wanted))
    report.check("each recipient gets its mail", not missing, lost_mails(missing))
    report.check("twice only where the carrier was killed in between", not odd,
                 f"{len(odd)}: {[(rcpt, odd[rcpt]) for rcpt in sorted(odd)[:5]]} {killed}")
    report.check("none comes that was refused or damaged", not strange, lost_mails(strange))
    report.check("nothing stays in the queue", queued(server) == [], queued(server))
    report.check("no sender is told of failure", told(server) == 0, told(server))


kills.ROLES = sys.argv[3:] or ["mta", "storaged", "resolverd", "all"]
kills.ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 6
zone = internet.SOA + "*.sink.test. MX 10 mx.sink.test.\nmx.sink.test. A 127.0.0.30\n"
settings = {"mta.port": PORT, "queue.retry-first": "1 s", "queue.retry-max": "2 s",
            "limits.sessions-of-account": 1000}
words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
with tempfile.TemporaryDirectory(prefix="postrider-names-") as folder:
    sink = internet.Listener("sink", "127.0.0.30", PORT, handler=Sink)
    with (internet.Names(folder, {"sink.test": zone}) as names,
          lab.Server(accounts=kills.USERS, args=["--dns", f"127.0.0.1:{names.port}",
                                                 *words]) as server):
        main(server)
report.close()
