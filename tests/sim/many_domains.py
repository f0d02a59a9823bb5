#!/usr/bin/python3
"""Mail for many domains at once, of which some are dead, some slow, and some all at one hoster:
the others get theirs as if those were not there.  A real name server (knot), and servers that a
script plays, each at a loopback address of its own.

    tests/sim/many_domains.py                  in short: what comes first, whatever it takes
    tests/sim/many_domains.py --ratio [--runs 3]
                                               10,000 recipients in 500 domains, of which 50 are
                                               dead and 50 slow: the time that the others take,
                                               to that without these
"""
import argparse, asyncio, collections, os, pathlib, shutil, signal, smtplib, socket, statistics
import subprocess, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import lab

SENDER, HOSTER_MAX = "alice@postrider.test", 20
GREETING, OFFERS = b"220 ready\r\n", b"250-mx\r\n250-PIPELINING\r\n250 SIZE 5000000\r\n"


class World:
    """The domains, where their servers are, and what came to them."""

    def __init__(self, healthy, dead, slow, hosted, slow_s, hosted_s):
        self.kind, self.address, self.delay = {}, {}, {}
        self.port, self.dns_port = lab.free_base() + 26, lab.free_base() + 27
        add = self.add
        for i in range(healthy):  # ten domains share a server
            add(f"h{i}.test", "healthy", f"127.1.{i // 10 // 250}.{i // 10 % 250 + 1}", 0)
        for i in range(dead):
            kind = ("refuses", "silent", "deaf")[i % 3]
            add(f"x{i}.test", kind, f"127.2.{i // 250}.{i % 250 + 1}", 0)
        for i in range(slow):
            add(f"s{i}.test", "slow", f"127.3.{i // 250}.{i % 250 + 1}", slow_s)
        for i in range(hosted):
            add(f"o{i}.test", "hosted", "127.4.0.1", hosted_s)
        self.got = collections.defaultdict(collections.Counter)  # kind: recipient: times
        self.last = {}  # kind: when the last came
        self.asked, self.most = collections.Counter(), 0
        self.sockets = []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-domains-"))

    def add(self, domain, kind, address, delay):
        self.kind[domain], self.address[domain] = kind, address
        self.delay[address] = delay

    def domains(self, *kinds):
        return [domain for domain, kind in self.kind.items() if not kinds or kind in kinds]

    def listen(self, address, backlog):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((address, self.port))
        one.listen(backlog)
        self.sockets.append(one)
        return one

    def start(self):
        os.chmod(self.folder, 0o755)
        records = "".join(f"{domain[:-5]} MX 10 mx.{domain[:-5]}\nmx.{domain[:-5]} A {address}\n"
                          for domain, address in self.address.items())
        (self.folder / "test.zone").write_text(
            "$ORIGIN test.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
            f"ns A 127.0.0.1\n{records}")
        (self.folder / "db").mkdir()
        (self.folder / "knot.conf").write_text(
            f"server:\n    listen: 127.0.0.1@{self.dns_port}\n    rundir: {self.folder}\n"
            f"database:\n    storage: {self.folder}/db\n"
            f"zone:\n  - domain: test\n    file: {self.folder}/test.zone\n")
        self.dns = subprocess.Popen(["knotd", "-c", self.folder / "knot.conf"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    preexec_fn=lab.ends_with_us())
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.serve(), self.loop).result()

    async def serve(self):
        for address in {a for d, a in self.address.items()
                        if self.kind[d] in ("healthy", "slow", "hosted")}:
            await self.loop.create_server(lambda: Remote(self), sock=self.listen(address, 1000))
        for domain in self.domains("silent"):  # it takes connections and says nothing
            await self.loop.create_server(asyncio.Protocol,
                                          sock=self.listen(self.address[domain], 1000))
        for domain in self.domains("deaf"):  # not even that: its backlog is full
            self.listen(self.address[domain], 0)
            for _ in range(2):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex((self.address[domain], self.port))
                self.sockets.append(one)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for one in self.sockets:
            one.close()
        self.dns.terminate()
        self.dns.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arrived(self, kind):
        return sum(self.got[kind].values())

    def look(self, address):
        """How many connections lead there now, as the kernel has it: SYN_SENT and
        ESTABLISHED.  Its list is read piece by piece, so that some that are gone by the end may
        stand there beside those that came instead; what is in two lists was there at once."""
        to = f"{socket.inet_aton(address)[::-1].hex().upper()}:{self.port:04X}"

        def there():
            lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
            return {words[1] for words in (line.split() for line in lines)
                    if words[2] == to and words[3] in ("01", "02")}

        self.most = max(self.most, len(there() & there()))


class Remote(asyncio.Protocol):
    """One connection to a server, each reply of which comes after its delay."""

    def __init__(self, world):
        self.world, self.input, self.rcpts, self.is_text, self.last_at = world, b"", [], False, 0

    def connection_made(self, transport):
        self.transport, self.at = transport, transport.get_extra_info("sockname")[0]
        self.world.asked[self.at] += 1
        self.say([GREETING])

    def say(self, replies):
        delay = self.world.delay[self.at]
        if delay == 0:
            return self.transport.write(b"".join(replies))
        for reply in replies:
            self.last_at = max(self.last_at, self.world.loop.time()) + delay
            self.world.loop.call_at(self.last_at, self.reply, reply)
        return None

    def reply(self, reply):
        if reply == b"250 kept\r\n":
            self.keep()
        self.transport.write(reply)

    def keep(self):
        for rcpt in self.rcpts:
            kind = self.world.kind[rcpt.split("@")[1]]
            self.world.got[kind][rcpt] += 1
            self.world.last[kind] = time.monotonic()
        self.rcpts = []

    def data_received(self, data):
        self.input += data
        replies = []
        while (end := self.input.find(b"\r\n.\r\n" if self.is_text else b"\r\n")) >= 0:
            line, self.input = self.input[:end], self.input[end + (5 if self.is_text else 2):]
            replies.append(self.answer(line))
        self.say([reply for reply in replies if reply])

    def answer(self, line):
        if self.is_text:
            self.is_text = False
            if self.world.delay[self.at] == 0:
                self.keep()
            return b"250 kept\r\n"
        word = line[:4].upper()
        if word == b"EHLO":
            return OFFERS
        if word == b"RCPT":
            self.rcpts.append(line.split(b"<")[1].split(b">")[0].decode())
        self.is_text = word == b"DATA"
        return b"354 go on\r\n" if self.is_text else b"250 ok\r\n"


def mta_of(server):
    return next(pid for pid, role in server.children().items() if role == "mta")


def send(server, mails, domains):
    """Mail i goes to one recipient in each domain."""
    with smtplib.SMTP("127.0.0.1", server.port("submission"), timeout=60) as client:
        client.login(SENDER, "pass")
        for i in range(mails):
            client.sendmail(SENDER, [f"u{i}@{domain}" for domain in domains],
                            f"From: {SENDER}\r\nSubject: {i}\r\n\r\nhello\r\n")


def run(world, mails, domains, judge):
    """Queues it all while nothing is sent, lets the sending begin, and asks judge(server,
    since)."""
    with lab.Server(args=["--dns", f"127.0.0.1:{world.dns_port}", "--set",
                          f"mta.port={world.port}"]) as server:
        os.kill(mta_of(server), signal.SIGSTOP)
        try:
            send(server, mails, domains)
        finally:
            began = time.monotonic()
            os.kill(mta_of(server), signal.SIGCONT)
        result = judge(server, began)
    return result


def short():
    report, mails = lab.Report(), 20
    world = World(healthy=40, dead=5, slow=5, hosted=30, slow_s=15, hosted_s=0.05)
    count = lambda kind: mails * len(world.domains(kind))

    def judge(server, began):
        def come(kind, seconds):
            return lab.wait_for(lambda: world.look("127.4.0.1") or
                                world.arrived(kind) >= count(kind), seconds)

        report.check("the healthy domains have their mail", come("healthy", 60),
                     world.arrived("healthy"))
        report.check("... before a slow one has any", world.arrived("slow") == 0,
                     world.arrived("slow"))
        report.check("... though it was asked",
                     lab.wait_for(lambda: all(world.asked[world.address[domain]] > 0
                                              for domain in world.domains("slow")), 10),
                     world.asked)
        report.check("the hoster's domains have theirs", come("hosted", 120),
                     world.arrived("hosted"))
        report.check(f"... by at most {HOSTER_MAX} connections at a time",
                     1 < world.most <= HOSTER_MAX, world.most)
        report.check("nothing came twice",
                     all(n == 1 for kind in ("healthy", "hosted")
                         for n in world.got[kind].values()))
        log = pathlib.Path(server.log).read_text()
        report.check("nothing crashed", "process ended" not in log)

    world.start()
    try:
        run(world, mails, world.domains(), judge)
    finally:
        world.stop()
    report.close()


def ratio(runs):
    shape = {"healthy": 400, "dead": 50, "slow": 50, "hosted": 0, "slow_s": 3, "hosted_s": 0}
    mails = 10000 // 500

    def judge(world):
        wanted = mails * shape["healthy"]

        def wait(server, began):
            if not lab.wait_for(lambda: world.arrived("healthy") >= wanted, 300, 0.1):
                raise RuntimeError(f"only {world.arrived('healthy')} arrived")
            return world.last["healthy"] - began
        return wait

    ratios = []
    for number in range(runs):
        seconds = []
        for kinds in (["healthy"], []):
            world = World(**shape)
            world.start()
            try:
                seconds.append(run(world, mails, world.domains(*kinds), judge(world)))
            finally:
                world.stop()
        ratios.append(seconds[1] / seconds[0])
        print(f"run {number + 1}: alone {seconds[0]:.2f} s, with dead and slow ones "
              f"{seconds[1]:.2f} s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--ratio", action="store_true")
    words.add_argument("--runs", type=int, default=3)
    options = words.parse_args()
    if options.ratio:
        ratio(options.runs)
    else:
        short()
