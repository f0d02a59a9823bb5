"""The two that are measured, each with the same few calls: ours, and Postfix + Dovecot; and
Postfix's smtp-sink, which takes what they relay."""
import glob, json, os, pathlib, re, shutil, socket, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import lab, peer

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid):
    found = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            for child in pathlib.Path(path).read_text().split():
                found += tree(int(child))
        except OSError:
            pass
    return found


def pids_of(side):
    return {pid for root in side.roots for pid in tree(root)}


def cpu_s(side):
    """Of all its processes, and of those that they waited for."""
    ticks = 0
    for pid in pids_of(side):
        try:
            words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, words[11:15]))
        except OSError:
            pass
    return ticks / TICKS


def pss_kb(side):
    total = 0
    for pid in pids_of(side):
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def written_bytes():
    """By the whole machine."""
    total = 0
    for path in glob.glob("/sys/block/[vsnx]*/stat"):
        total += int(pathlib.Path(path).read_text().split()[6]) * 512
    return total


class Ours:
    name = "postrider"
    user, recipient = "user%d@postrider.test", "user%d@postrider.test"

    def __init__(self, users, flush_ms=0, under=(), relay_to=None, args=()):
        fault = {}
        if flush_ms:  # an index commit is two flushes
            fault = {"POSTRIDER_FAULT": f"storaged=pack.flush:1+:delay={flush_ms},"
                                        f"index.commit:1+:delay={2 * flush_ms}"}
        if relay_to:
            args = ["--set", f"mta.smarthost=smtp:[127.0.0.1]:{relay_to}"]
        self.server = lab.Server(accounts=users, env=fault, args=args, under=under).start()
        self.roots = [self.server.process.pid]
        self.own_kb = 0  # the most memory that the store was seen to have

    def port(self, service):
        return self.server.port(service)

    def count(self):
        done = self.server.ctl("store", "stats", "--json")
        if done.returncode != 0:
            raise RuntimeError("the store does not say what it has: " + done.stdout + done.stderr)
        return json.loads(done.stdout)["messages"]

    def settle(self):
        """Until the search index has all."""
        done = self.server.ctl("store", "index", "wait", "--json", timeout=3600)
        if done.returncode != 0 or json.loads(done.stdout)["waiting"]:
            raise RuntimeError("the search index is not made: " + done.stdout + done.stderr)

    def forget(self):
        """Nothing is kept of what clients asked before."""

    def relays(self, count):
        """The form of so many addresses from which mail goes on to the next server."""
        for i in range(1, count + 1):
            self.server.ctl("alias", "add", f"relay{i}@postrider.test", f"u{i}@relay.test")
        return "relay%d@postrider.test"

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.server.folder, ignore_errors=True)


class Peer:
    name = "Postfix + Dovecot"
    user, recipient = "u%04d@sdbox.test", "u%04d@sdbox.test"

    def __init__(self, users, flush_ms=0, relay_to=None, settings=None, services=""):
        """settings, services: more of Postfix's."""
        folder = tempfile.mkdtemp(prefix="peer-")
        self.folder = pathlib.Path(folder)
        env = {}
        if flush_ms:
            env = {"LD_PRELOAD": compiled("slowflush", "-shared", "-fPIC", "-ldl"),
                   "FLUSH_DELAY_US": str(1000 * flush_ms)}
        settings = {**peer.ALONE, **(settings or {})}
        if relay_to:
            settings["relayhost"] = f"[127.0.0.1]:{relay_to}"
        self.peer = peer.Peer(folder, users=users, env=env, settings=settings,
                              services=services).start()
        self.roots = self.peer.pids()

    def port(self, service):
        return self.peer.port(service)

    def count(self):
        return self.peer.count()

    def settle(self):
        pass

    def forget(self):
        """What Dovecot keeps of mails that were read."""
        for cache in self.folder.rglob("dovecot.index.cache*"):
            cache.unlink()

    def relays(self, count):
        return "u%d@relay.test"

    def stop(self):
        self.peer.stop()


class Sink:
    """Takes all mail and forgets it."""

    def __init__(self):
        subprocess.check_call([lab.ROOT / "tools" / "deps", "test"])
        self.port = lab.free_base() + 26
        self.counters = tempfile.NamedTemporaryFile(prefix="sink-")
        self.process = subprocess.Popen(
            ["smtp-sink", "-c", "-u", "nobody", f"127.0.0.1:{self.port}", "1000"],
            stdout=self.counters, preexec_fn=lab.ends_with_us())

    def count(self):
        """Of mails so far; it says so after each."""
        with open(self.counters.name, "rb") as file:
            file.seek(max(0, os.stat(self.counters.name).st_size - 200))
            found = re.findall(rb"mesg=\s*(\d+)", file.read())
        return int(found[-1]) if found else 0

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.counters.close()


def seconds(call, times=1):
    """The median of so many calls."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


class Client:
    """IMAP with as little of its own as may be, so that the server is what is timed: octets
    are counted, and looked at only where the last line may be."""

    LINE_MAX = 4096

    def __init__(self, port, user):
        self.port, self.user = port, user
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.room = memoryview(bytearray(1 << 20))
        self.until(b"* OK")
        self.order(f'LOGIN "{user}" "pass"'.encode())

    def another(self):
        return Client(self.port, self.user)

    def until(self, start, keep=False):
        """How many octets came before the line that starts so (or they themselves), and it.
        It is the last that comes."""
        size, kept, tail = 0, [], b""
        while True:
            count = self.socket.recv_into(self.room)
            if not count:
                raise ConnectionError("closed")
            size += count
            if keep:
                kept.append(bytes(self.room[:count]))
            tail = (tail + self.room[max(0, count - self.LINE_MAX):count])[-self.LINE_MAX:]
            if not tail.endswith(b"\r\n"):
                continue
            line = tail[:-2].rpartition(b"\r\n")[2]
            if line.startswith(start):
                size -= len(line) + 2
                return b"".join(kept)[:size] if keep else size, line

    def order(self, words):
        self.socket.sendall(b"t " + words + b"\r\n")
        size, line = self.until(b"t ")
        if not line.startswith(b"t OK"):
            raise RuntimeError(line.decode())
        return size


def compiled(name, *flags):
    """The path of tests/bench/NAME.c compiled."""
    return peer.compiled(HERE / f"{name}.c", *flags)
