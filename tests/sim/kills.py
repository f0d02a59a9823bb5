#!/usr/bin/python3
"""kill -9 of children and of their parent at random moments under load: every acknowledged mail is there
exactly once.

    kills.py [ROUNDS] [SEED] [ROLE]

The victims go round the roles, in an order of chance; or all are of ROLE.

Forty sessions send mails (some to several recipients), each mail with a name of its
own, eight of them as people who have logged in, while four more append by IMAP.  Nobody repeats what was not answered: it is counted
apart, and may be there once or not at all.
"""
import base64, collections, contextlib, functools, imaplib, os, random, re, signal, socket, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
ROLES = sys.argv[3:] or ["storaged", "vaultd", "smtpd", "deliverd", "imapd", "supervisor"]
SENDERS, PEOPLE, APPENDERS, USERS = 40, 8, 4, 8
report = lab.Report()


class Traffic:
    """Sends until told to stop; knows what was acknowledged."""

    def __init__(self, server, *works):
        self.server, self.is_over, self.lock = server, False, threading.Lock()
        self.acked, self.unanswered, self.refused = {}, set(), 0
        self.in_flight, self.next = 0, 0
        self.threads = [threading.Thread(target=work) for work in works]
        for thread in self.threads:
            thread.daemon = True  # if the test ends early, so do they
            thread.start()

    def name(self):
        with self.lock:
            self.next += 1
            return f"mail-{SEED}-{self.next}"

    def note(self, name, users, is_acked, was_refused=False):
        with self.lock:
            if is_acked:
                self.acked[name] = users
            elif was_refused:
                self.refused += 1
            else:
                self.unanswered.add(name)

    def fly(self, step):
        with self.lock:
            self.in_flight += step

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Load(Traffic):
    def __init__(self, server):
        people = [functools.partial(self.send, i < PEOPLE) for i in range(SENDERS)]
        super().__init__(server, *people, *[self.append] * APPENDERS)

    def send(self, is_person):
        dice = random.Random(threading.get_ident())
        port = self.server.port("submission" if is_person else "smtp")
        while not self.is_over:
            try:
                with socket.create_connection(("127.0.0.1", port), 20) as s:
                    s.settimeout(40)
                    self.dialogue(s, s.makefile("rb"), dice, is_person)
            except OSError:
                time.sleep(0.02)

    def dialogue(self, s, input_, dice, is_person):
        def reply():
            line = input_.readline()
            while line[3:4] == b"-":
                line = input_.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError("closed")
            return int(line[:3])

        if reply() != 220:
            return
        s.sendall(b"EHLO load.example\r\n")
        reply()
        sender = "x@load.example"
        if is_person:
            name = f"user{dice.randint(1, USERS)}"
            sender = name + "@postrider.test"
            s.sendall(b"AUTH PLAIN " + base64.b64encode(f"\0{name}\0pass".encode()) + b"\r\n")
            if reply() != 235:
                time.sleep(0.1)
                return
        while not self.is_over:
            users = dice.sample(range(1, USERS + 1), dice.choice((1, 1, 1, 3)))
            name = self.name()
            lines = 300 if dice.randrange(100) else 100000  # some are handed over in parts
            text = f"From: <{sender}>\r\nSubject: {name}\r\n\r\n" + "line\r\n" * lines + ".\r\n"
            orders = [f"MAIL FROM:<{sender}>"]
            orders += [f"RCPT TO:<user{n}@postrider.test>" for n in users]
            for order in orders:
                s.sendall(order.encode() + b"\r\n")
                if reply() // 100 != 2:
                    return
            s.sendall(b"DATA\r\n")
            if reply() != 354:
                return
            self.fly(1)
            code = None
            try:
                s.sendall(text.encode())
                code = reply()
            finally:
                self.fly(-1)
                self.note(name, users, code == 250, code is not None)

    def append(self):
        user = 1 + threading.get_ident() % USERS
        while not self.is_over:
            try:
                client = imaplib.IMAP4("127.0.0.1", self.server.port("imap"), timeout=40)
                client.login(f"user{user}", "pass")
                while not self.is_over:
                    name, answer, why = self.name(), None, b""
                    text = f"From: <x@load.example>\r\nSubject: {name}\r\n\r\nappended\r\n"
                    self.fly(1)
                    try:
                        answer, (why, *_) = client.append("INBOX", None, None, text.encode())
                    finally:
                        self.fly(-1)
                        is_open = answer is None or lab.UNSURE.encode() in why
                        self.note(name, [user], answer == "OK", not is_open)
            except (OSError, imaplib.IMAP4.error):
                time.sleep(0.02)


def found(server):
    """{name: [user, ...]} of all that is in the mailboxes."""
    names = collections.defaultdict(list)
    for user in range(1, USERS + 1):
        client = server.imap(f"user{user}")
        client.select("INBOX", readonly=True)
        for part in client.fetch("1:*", "(BODY.PEEK[])")[1] or []:
            if isinstance(part, tuple):
                name = re.search(rb"(?m)^Subject: (mail-\S+)\r$", part[1])
                whole = part[1].endswith(b"line\r\n") or part[1].endswith(b"appended\r\n")
                names[name[1].decode() if whole else "damaged"].append(user)
        client.logout()
    return names


def wait_until_busy(load):
    """How many operations are in flight: at least 20, or as many as there are after 90 s (a
    process that died often rests for 30 s before its next start)."""
    end = time.time() + 90
    while (count := load.in_flight) < 20 and time.time() < end:
        time.sleep(0.001)
    return count


def pids(server, role):
    if role == "supervisor":
        return [server.process.pid]
    if role == "all":
        return [server.process.pid, *server.children()]
    return sorted(pid for pid, r in server.children().items() if r == role)


def kill(server, role, victims):
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if role in ("supervisor", "all"):
        start_again(server)


def start_again(server):
    """What is left of the killed server ends by itself; nobody tells it to."""
    server.process.wait()
    server.process.stdout.close()
    server.log_file.close()
    for _ in range(50):
        try:
            server.start()
            return
        except RuntimeError:  # its children still have the ports
            time.sleep(0.1)
    raise RuntimeError("the server did not start again; see " + server.log)


def rounds(server, load, roles):
    """Kills one after the other; yields (when, role, how many operations were in flight)."""
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    dice.shuffle(roles)
    before = 0
    for i in range(ROUNDS):
        time.sleep(dice.uniform(0.3, 1.2))
        role = roles[i % len(roles)]
        # It may be resting between two starts, and the others wait for it.
        lab.wait_for(lambda: pids(server, role) and len(load.acked) > before, 60)
        busy = wait_until_busy(load)
        victims = pids(server, role)
        if role != "all":
            victims = [dice.choice(victims)]
        print(f"kill {role} with {busy} in flight, {len(load.acked)} acknowledged", flush=True)
        yield time.time(), role, busy
        kill(server, role, victims)
        before = len(load.acked)
    time.sleep(2)
    load.stop()


def main(server):
    load = Load(server)
    busy = [count for _, _, count in rounds(server, load, ROLES)]
    wanted = collections.Counter((n, u) for n, users in load.acked.items() for u in users)

    def is_settled():
        there = found(server)
        return all(u in there.get(n, ()) for n, u in wanted)

    lab.wait_for(is_settled, 60, 1)
    there = found(server)
    counts = collections.Counter((n, u) for n, users in there.items() for u in users)
    missing = [k for k in wanted if counts[k] == 0]
    double = [k for k in counts if counts[k] > 1]
    strange = [n for n in there if n not in load.acked and n not in load.unanswered]
    print(f"{len(load.acked)} acknowledged, {load.refused} refused, {len(load.unanswered)} "
          f"unanswered, of those {sum(n in there for n in load.unanswered)} there")
    report.check("each kill met at least 20 operations in flight", min(busy) >= 20, str(busy))
    report.check("mails were acknowledged", len(load.acked) > 100)
    report.check("every acknowledged mail is there", not missing, str(missing[:5]))
    report.check("none is there twice", not double, str(double[:5]))
    report.check("none is there that was refused or damaged", not strange, str(strange[:5]))


if __name__ == "__main__":
    with lab.Server(accounts=USERS) as server:
        main(server)
    report.close()
