"""The two that are measured, each with the same few calls: ours, and Postfix + Dovecot."""
import glob, json, os, pathlib, shutil, subprocess, sys, tempfile

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

    def __init__(self, users, flush_ms=0, under=()):
        fault = {}
        if flush_ms:  # an index commit is two flushes
            fault = {"POSTRIDER_FAULT": f"storaged=pack.flush:1+:delay={flush_ms},"
                                        f"index.commit:1+:delay={2 * flush_ms}"}
        self.server = lab.Server(accounts=users, env=fault, under=under).start()
        self.roots = [self.server.process.pid]
        self.own_kb = 0  # the most memory that the store was seen to have

    def port(self, service):
        return self.server.port(service)

    def count(self):
        return json.loads(self.server.ctl("store", "stats", "--json").stdout)["messages"]

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.server.folder, ignore_errors=True)


class Peer:
    name = "Postfix + Dovecot"
    user, recipient = "u%04d@sdbox.test", "u%04d@sdbox.test"

    def __init__(self, users, flush_ms=0):
        folder = tempfile.mkdtemp(prefix="peer-")
        env = {}
        if flush_ms:
            env = {"LD_PRELOAD": compiled("slowflush", "-shared", "-fPIC", "-ldl"),
                   "FLUSH_DELAY_US": str(1000 * flush_ms)}
        self.peer = peer.Peer(folder, users=users, env=env).start()
        self.roots = self.peer.pids()

    def port(self, service):
        return self.peer.port(service)

    def count(self):
        return self.peer.count()

    def stop(self):
        self.peer.stop()


def compiled(name, *flags):
    """The path of tests/bench/NAME.c compiled."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"postrider-bench-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    subprocess.check_call(["cc", "-O2", "-D_GNU_SOURCE", "-pthread", str(HERE / f"{name}.c"),
                           "-o", str(folder / name), *flags])
    return str(folder / name)
