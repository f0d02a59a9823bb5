#!/usr/bin/python3
"""Limits hold for all doors together: strangers come through a proxy that says who they are."""
import base64, contextlib, os, pathlib, signal, socket, ssl, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

CONNECTIONS, SESSIONS, FAILURES, ACCOUNT_FAILURES = 20, 6, 5, 12
report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-limits-"))
base = lab.free_base()
conf, log_path = folder / "postrider.conf", folder / "log"
listen = "\n".join(f"{name} = 127.0.0.1:{base + n}" + ("+proxy" if name != "lmtp" else "")
                   for name, n in lab.SERVICES.items())
conf.write_text(f"""[server]
data-directory = {folder}/data
hostname = mail.example.org
default-domain = example.org
[listen]
{listen}
proxies = 127.0.0.1
[limits]
connections-of-address = {CONNECTIONS}
sessions-of-account = {SESSIONS}
failures-of-address = {FAILURES}
failures-of-account = {ACCOUNT_FAILURES}
exempt = 192.0.2.128/25
""")
trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
TLS = ("submissions", "imaps", "pop3s")


class Stranger:
    """A connection from that address; closed is what its door says to those who are too many."""

    def __init__(self, service, address):
        family = "TCP6" if ":" in address else "TCP4"
        to = "::1" if ":" in address else "127.0.0.1"
        self.service = service
        self.socket = socket.create_connection(("127.0.0.1", base + lab.SERVICES[service]), 20)
        self.socket.sendall(f"PROXY {family} {address} {to} 4000 25\r\n".encode())
        self.is_in = True
        try:
            if service in TLS:
                self.socket = trust.wrap_socket(self.socket)
            self.is_in = self.line().startswith((b"220", b"* OK", b"+OK"))
        except OSError:
            self.is_in = False

    def line(self):
        got = b""
        while not got.endswith(b"\n"):
            more = self.socket.recv(1)
            if not more:
                raise OSError("closed")
            got += more
        return got

    def say(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.line().decode()

    def log_in(self, name, password):
        """What the door answers: OK, or its words."""
        if self.service == "imaps":
            self.socket.sendall(f"a LOGIN {name} \"{password}\"\r\n".encode())
            line = self.line().decode()
            return "OK" if line.startswith("a OK") else line
        if self.service == "pop3s":
            self.say(f"USER {name}")
            line = self.say(f"PASS {password}")
            return "OK" if line.startswith("+OK") else line
        self.socket.sendall(b"EHLO x.example\r\n")
        while self.line()[3:4] == b"-":
            pass
        plain = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        line = self.say(f"AUTH PLAIN {plain}")
        return "OK" if line.startswith("235") else line

    def close(self):
        self.socket.close()


refused = []


def settle():
    time.sleep(0.6)  # doors tell each other within milliseconds, on a machine at rest


def close_all(strangers):
    for stranger in strangers:
        stranger.close()
    settle()


def children():
    found = {}
    pids = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in pids:
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found[int(pid)] = words[2].decode() if len(words) > 2 else ""
    return found


def kill(role):
    victims = [pid for pid, r in children().items() if r == role]
    count = len(children())
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    lab.wait_for(lambda: len(children()) == count and not set(victims) & set(children()))
    time.sleep(1)


def crowd(address, count, services=("smtp", "imap", "pop3", "submission")):
    """That many connections at several doors; how many were let in."""
    found = []
    for number in range(count):
        found.append(Stranger(services[number % len(services)], address))
    settle()
    return found


def everywhere(address):
    """How many of the doors take one more from there; refused are the others."""
    count = 0
    refused.clear()
    for service in lab.SERVICES:
        if service == "lmtp":
            continue
        stranger = Stranger(service, address)
        count += stranger.is_in
        if not stranger.is_in:
            refused.append(service)
        stranger.close()
        settle()
    return count


def becomes(address, wanted):
    """As everywhere(), once the news are everywhere too: others use this machine as well."""
    return lab.wait_for(lambda: everywhere(address) == wanted, 20)


def connections():
    inside = crowd("198.51.100.1", CONNECTIONS)
    report.check("a stranger may have so many connections", all(s.is_in for s in inside))
    report.check("and not one more at any door", becomes("198.51.100.1", 0), str(refused))
    report.check("others may", becomes("198.51.100.2", 7))
    close_all(inside[:1])
    report.check("when one goes, one may come", becomes("198.51.100.1", 7))
    close_all(inside)
    inside = crowd("192.0.2.200", 2 * CONNECTIONS)
    report.check("who is exempt may have more", all(s.is_in for s in inside))
    close_all(inside)
    many = crowd("198.51.100.3", 3 * CONNECTIONS)
    inside = sum(s.is_in for s in many)
    report.check("a crowd that comes at once gets in only that far",
                 CONNECTIONS <= inside <= CONNECTIONS * 5 // 2, str(inside))
    close_all(many)

    inside = [Stranger("smtp", f"2001:db8:1:1::{n:x}") for n in range(1, CONNECTIONS + 1)]
    settle()
    report.check("an IPv6 /64 is one stranger", all(s.is_in for s in inside) and
                 becomes("2001:db8:1:1:ffff::1", 0), f"{sum(s.is_in for s in inside)}, {refused}")
    for net in (2, 3, 4):
        inside += crowd(f"2001:db8:1:{net:x}::1", CONNECTIONS)
    report.check("a /48 has some times as much", all(s.is_in for s in inside) and
                 becomes("2001:db8:1:99::1", 0) and becomes("2001:db8:2::1", 7))
    close_all(inside)


def connections_outlive_processes():
    inside = crowd("198.51.100.4", CONNECTIONS, ("imap", "pop3"))
    kill("smtpd")
    report.check("a new smtpd hears what imapd has", all(s.is_in for s in inside) and
                 sum(Stranger("smtp", "198.51.100.4").is_in for _ in range(30)) < 15)
    settle()
    kill("vaultd")
    settle()
    report.check("a new vault is told all again", becomes("198.51.100.4", 0), str(refused))
    kill("imapd")
    settle()
    report.check("what died with its process counts no more", becomes("198.51.100.4", 7), str(refused))
    close_all(inside)


def half_headers():
    half = [socket.create_connection(("127.0.0.1", base + n), 20)
            for name, n in lab.SERVICES.items() if name != "lmtp"]
    begun = time.monotonic()
    for client in half:
        client.sendall(b"PROXY TCP4 198.51.")
    ended = [client.recv(100) for client in half]
    took = time.monotonic() - begun
    report.check("half a proxy's header is waited for 10 s", ended == [b""] * len(half) and
                 9 < took < 14, f"{took:.1f} s {ended}")


def sessions():
    inside = [Stranger(("imaps", "submissions")[n % 2], f"198.51.100.{30 + n}")
              for n in range(SESSIONS)]
    report.check("an account may have so many sessions",
                 [s.log_in("carol", "correct horse") for s in inside] == ["OK"] * SESSIONS)
    settle()
    said = []
    for service in TLS:
        stranger = Stranger(service, "198.51.100.50")
        said.append(stranger.log_in("carol", "correct horse"))
        stranger.close()
    report.check("and not one more at any door", not any(s == "OK" for s in said) and
                 all("too many sessions" in s for s in said), str(said))
    other = Stranger("imaps", "198.51.100.51")
    report.check("others log in", other.log_in("dora", "battery staple") == "OK")
    other.close()
    close_all(inside[:1])
    one = Stranger("pop3s", "198.51.100.52")
    report.check("when one goes, one may come", one.log_in("carol", "correct horse") == "OK")
    settle()
    kill("vaultd")
    settle()
    said = []

    def is_refused():
        stranger = Stranger("imaps", "198.51.100.53")
        said.append(stranger.log_in("carol", "correct horse"))
        close_all([stranger])
        return "too many" in said[-1]

    report.check("a new vault knows the sessions", lab.wait_for(is_refused, 20), str(said))
    close_all([*inside, one])

    inside = []
    for n in range(CONNECTIONS + 3):
        stranger = Stranger("imaps", "198.51.100.60")
        if stranger.is_in:
            stranger.log_in(*(("carol", "correct horse"), ("dora", "battery staple"))[n % 2])
        inside.append(stranger)
    report.check("who is logged in is no stranger",
                 sum(s.is_in for s in inside) == CONNECTIONS + 3)
    close_all(inside)


def guesses():
    said = []
    begun = time.monotonic()
    for n in range(FAILURES):
        stranger = Stranger(TLS[n % 3], "203.0.113.1")
        said.append(stranger.log_in("dora", f"guess {n}"))
        stranger.close()
    report.check("wrong passwords are refused, and late",
                 all("wrong" in s for s in said) and time.monotonic() - begun > FAILURES, str(said))
    said = []
    for service in TLS:
        stranger = Stranger(service, "203.0.113.1")
        said.append(stranger.log_in("dora", "battery staple"))
        stranger.close()
    report.check("then the address is refused at every door, right or wrong",
                 all("Too many log-ins have failed" in s for s in said), str(said))
    kill("imapd")
    stranger = Stranger("imaps", "203.0.113.1")
    report.check("also by a new process", "Too many log-ins have failed" in stranger.log_in("carol", "correct horse"))
    stranger.close()

    crowd_ = [Stranger("imaps", "203.0.113.2") for _ in range(3 * FAILURES)]
    crowd_ = [s for s in crowd_ if s.is_in]
    for n, stranger in enumerate(crowd_):
        last = n == len(crowd_) - 1
        time.sleep(0.1 * last)
        stranger.socket.sendall(b"a LOGIN fred %s\r\n" % (b'"rubber band"' if last else b"wrong%d" % n))
    said = [s.line().decode() for s in crowd_]
    report.check("guesses made all at once do not find the right one", "OK" not in said[-1][:5], said[-1])
    close_all(crowd_)

    for n in range(ACCOUNT_FAILURES):
        stranger = Stranger("imaps", f"203.0.113.{100 + n}")
        stranger.socket.sendall(b"a LOGIN erna guess%d\r\n" % n)
        stranger.line()
        stranger.close()
    stranger, home = Stranger("imaps", "203.0.113.222"), Stranger("imaps", "198.51.100.70")
    report.check("an account that many guess at is refused to strangers",
                 "Too many log-ins have failed" in stranger.log_in("erna", "paper clip"))
    report.check("but not where it has logged in before", home.log_in("erna", "paper clip") == "OK")
    stranger.close()
    stranger = Stranger("imaps", "203.0.113.223")
    report.check("nobody else suffers", stranger.log_in("dora", "battery staple") == "OK")
    close_all([stranger, home])


with open(log_path, "w") as log:
    server = subprocess.Popen([lab.BINARY, "serve", "-c", str(conf)], stderr=log,
                              preexec_fn=lab.ends_with_us())
try:
    report.check("the server gets ready", lab.wait_for(lambda: " ready" in log_path.read_text(), 20),
                 log_path.read_text())
    for words, text in ((("domain", "add", "example.org"), ""),
                        (("account", "add", "carol@example.org", "--password-stdin"), "correct horse\n"),
                        (("account", "add", "dora@example.org", "--password-stdin"), "battery staple\n"),
                        (("account", "add", "erna@example.org", "--password-stdin"), "paper clip\n"),
                        (("account", "add", "fred@example.org", "--password-stdin"), "rubber band\n")):
        subprocess.run([lab.BINARY, *words, "-c", str(conf)], input=text, text=True, check=True,
                       capture_output=True, timeout=30)
    at_home = Stranger("imaps", "198.51.100.70")
    report.check("erna logs in at home", at_home.log_in("erna", "paper clip") == "OK")
    at_home.close()
    connections()
    half_headers()
    connections_outlive_processes()
    at_home = Stranger("imaps", "198.51.100.70")  # a new vault has forgotten where people live
    at_home.log_in("erna", "paper clip")
    at_home.close()
    sessions()
    at_home = Stranger("imaps", "198.51.100.70")
    at_home.log_in("erna", "paper clip")
    at_home.close()
    guesses()
finally:
    server.send_signal(signal.SIGTERM)
    report.check("it ends with 0", server.wait(30) == 0)
if not report.failed:
    lab.shutil.rmtree(folder)
else:
    print("see", folder)
report.close()
