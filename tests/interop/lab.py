"""What the interop tests share: a server of our own on free loopback ports, a count of
promises kept and broken, and readers of its mail.  Only Python's standard library."""
import contextlib, ctypes, imaplib, os, pathlib, random, shutil, signal, socket, subprocess, sys
import tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("POSTRIDER", str(ROOT / "build" / "postrider"))
SERVICES = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993,
            "pop3": 110, "pop3s": 995, "lmtp": 24}

UNSURE = "look whether it was done"  # IMAP says so where something may have happened or not


class Report:
    """Counts promises; close() prints the line that the summing tool reads."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, promise, is_kept, detail=""):
        if is_kept:
            self.passed += 1
            print(f"ok   {promise}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {promise} {detail}", flush=True)
        return is_kept

    @contextlib.contextmanager
    def case(self, promise):
        """The block keeps the promise unless it raises."""
        try:
            yield
        except Exception as error:  # the report goes on with the next promise
            self.check(promise, False, f"{type(error).__name__}: {error}")
        else:
            self.check(promise, True)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(self.failed != 0)


def free_base():
    """A base port N such that N + each service's port is free."""
    for _ in range(200):
        base = random.randrange(10000, 31700, 50)  # below those that the system hands out
        try:
            for port in SERVICES.values():
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + port))
            return base
        except OSError:
            continue
    raise RuntimeError("no free ports")


def ends_with_us(more=None):
    """What a child runs before it is executed: it ends when we do, even if we are killed."""
    libc, parent = ctypes.CDLL(None), os.getpid()

    def prepare():
        libc.prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
        if more:
            more()

    return prepare


class Server:
    """`postrider dev` in a folder of its own; started by the main thread."""

    def __init__(self, accounts=0, folder=None, args=(), env=None, preexec_fn=None, under=()):
        self.folder = folder or tempfile.mkdtemp(prefix="postrider-test-")
        self.is_ours = folder is None
        self.base = free_base()
        self.args = ["dev", "--dir", self.folder + "/data", "--base-port", str(self.base),
                     "--accounts", str(accounts), *args]
        self.preexec_fn = preexec_fn
        self.under = under  # a program that starts it, such as strace
        self.env = dict(os.environ, **(env or {}))
        self.log = self.folder + "/log"
        self.process = None

    def start(self):
        for _ in range(3):
            self.log_file = open(self.log, "ab")
            self.process = subprocess.Popen([*self.under, BINARY, *self.args], stdout=subprocess.PIPE,
                                            stderr=self.log_file, env=self.env,
                                            preexec_fn=ends_with_us(self.preexec_fn))
            if self.await_ready():
                return self
            self.stop()
            if not self.moves():
                break
        raise RuntimeError("the server did not get ready; see " + self.log)

    def moves(self):
        """To other ports, if another test took one of them after they were found free."""
        if "--base-port" not in self.args or "Address already in use" not in pathlib.Path(self.log).read_text()[-300:]:
            return False
        self.base = free_base()
        self.args[self.args.index("--base-port") + 1] = str(self.base)
        return True

    def await_ready(self):
        deadline = time.time() + 60
        line = b""
        while line != b"ready\n":
            line = self.process.stdout.readline()
            if not line or time.time() > deadline:
                return False
        return True

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        self.log_file.close()
        return code

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        self.stop()
        if self.is_ours and not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def port(self, service):
        return self.base + SERVICES[service]

    def children(self):
        """{pid: role} of the supervisor's children."""
        found = {}
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        for pid in pathlib.Path(task).read_text().split():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                found[int(pid)] = words[2].decode() if len(words) > 2 else ""
        return found

    def imap(self, user="alice", password="pass"):
        client = imaplib.IMAP4("127.0.0.1", self.port("imap"))
        client.login(user, password)
        return client

    def ctl(self, *words, timeout=60):
        return subprocess.run([BINARY, *words, "--dir", self.folder + "/data"],
                              capture_output=True, text=True, timeout=timeout)


def run(command, timeout=60, **more):
    """Runs a client; its output is in the error when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: "
                           f"{done.stdout[-600:]}{done.stderr[-600:]}")
    return done.stdout


def wait_for(condition, seconds=10, step=0.02):
    """True as soon as condition() is, False after that many seconds."""
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(step)
    return bool(condition())


def below_trace(message):
    """The message without the fields that final delivery put in front of it."""
    ours = (b"Return-Path:", b"Received:", b"Delivered-To:")
    lines = message.split(b"\r\n")
    at = seen_received = 0
    while at < len(lines):
        if lines[at].startswith(b" ") or lines[at].startswith(b"\t"):
            at += 1
        elif lines[at].startswith(ours) and not seen_received:
            seen_received = lines[at].startswith(b"Received:")
            at += 1
        else:
            break
    return b"\r\n".join(lines[at:])
