"""A small internet on loopback: names that are signed (knot) and a resolver that validates them
(unbound), an authority for certificates, a host of MTA-STS policies, servers of ours, and servers
that a script plays, with all the trouble they make.  Another person's server is peer.py.

All mail servers listen on one port, each at an address of its own, as they would on port 25."""
import contextlib, hashlib, http.server, os, pathlib, smtplib, socket, socketserver, ssl, struct
import subprocess, threading, time

import lab

SOA = """$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
"""


def free_port(*addresses):
    """One that is free at all these addresses, below those that the system hands out."""
    for _ in range(200):
        port = lab.random.randrange(10000, 32000)
        try:
            for address in addresses or ["127.0.0.1"]:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(type=kind) as probe:
                        probe.bind((address, port))
            return port
        except OSError:
            continue
    raise RuntimeError("no free port")


class Program:
    """A server that runs in the foreground, and ends when we do."""

    def start(self, *words, **more):
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL,
                                        preexec_fn=lab.ends_with_us(), **more)

    def __exit__(self, *what):
        self.process.terminate()
        self.process.wait(20)


# ---- names ------------------------------------------------------------------------------

def asked(port, name, kind, flags=0):
    """(rcode, whether the answer is said to be validated, how many records it has)"""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.sendto(struct.pack(">6H", 1, flags, 1, 0, 0, 0) + labels + b"\0" +
                      struct.pack(">2H", kind, 1), ("127.0.0.1", port))
        answer = client.recv(4096)
    return answer[3] & 15, bool(answer[3] & 32), struct.unpack(">H", answer[6:8])[0]


class Names(Program):
    """knot with these zones, {name: text}, some of them signed."""

    def __init__(self, folder, zones, signed=(), port=None):
        self.folder, self.zones, self.signed = pathlib.Path(folder), zones, signed
        self.port = port or free_port()
        self.config = str(self.folder / "knot.conf")

    def write(self):
        for name in ("run", "db"):
            (self.folder / name).mkdir()
        lines = [f"server:\n    rundir: {self.folder}/run\n    listen: 127.0.0.1@{self.port}",
                 f"log:\n  - target: {self.folder}/knot.log\n    any: info",
                 f"database:\n    storage: {self.folder}/db",
                 "policy:\n  - id: p\n    algorithm: ecdsap256sha256\n    single-type-signing: on",
                 f"template:\n  - id: default\n    storage: {self.folder}\n"
                 "    zonefile-sync: -1\n    journal-content: none", "zone:"]
        for zone, text in self.zones.items():
            (self.folder / (zone + ".zone")).write_text(f"$ORIGIN {zone}.\n" + text)
            lines.append(f"  - domain: {zone}\n    file: {zone}.zone")
            if zone in self.signed:
                lines.append("    dnssec-signing: on\n    dnssec-policy: p")
        pathlib.Path(self.config).write_text("\n".join(lines) + "\n")

    def is_served(self, zone):
        with contextlib.suppress(OSError):
            code, _, count = asked(self.port, zone, 48 if zone in self.signed else 6)
            return code == 0 and count > 0
        return False

    def __enter__(self):
        self.write()
        self.start("knotd", "-c", self.config)
        if not lab.wait_for(lambda: all(map(self.is_served, self.zones)), 20, 0.1):
            raise RuntimeError("knot did not start; see " + str(self.folder / "knot.log"))
        return self

    def anchor(self, zone):
        return lab.run(["keymgr", "-c", self.config, zone, "dnskey"])

    def anchors(self, good, wrong=()):
        """The file with the keys of the good; the wrong ones have the first good one's."""
        path = self.folder / "anchors"
        first = self.anchor(good[0])
        path.write_text("".join(map(self.anchor, good)) +
                        "".join(first.replace(good[0] + ".", zone + ".") for zone in wrong))
        return path


class Resolver(Program):
    """unbound, which validates what those names say; for programs that cannot do it themselves."""

    def __init__(self, names, anchors, probe):
        self.port, self.probe = free_port(), probe
        self.config = names.folder / "unbound.conf"
        self.config.write_text(f"""server:
  directory: "{names.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{names.folder}/unbound.log"
  interface: 127.0.0.1
  port: {self.port}
  do-not-query-localhost: no
  local-zone: "test." nodefault
  trust-anchor-file: "{anchors}"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{names.port}
""")

    def is_validating(self):
        with contextlib.suppress(OSError):
            code, is_secure, _ = asked(self.port, self.probe, 6, 0x0120)  # RD, AD
            return code == 0 and is_secure
        return False

    def __enter__(self):
        self.start("unbound", "-d", "-p", "-c", str(self.config))
        if not lab.wait_for(self.is_validating, 20, 0.1):
            raise RuntimeError("unbound did not start; see " + str(self.config))
        return self


# ---- certificates and policies ------------------------------------------------------------

class Certificates:
    """Two authorities, and what they sign."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "rogue"):
            lab.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/{name}.key",
                     "-out", f"{folder}/{name}.pem", "-days", "30", "-subj", f"/CN={name}"])

    def make(self, name, issuer="ca", expired=False):
        """The path, without .pem and .key."""
        at = f"{self.folder}/{name}"
        lab.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-keyout", at + ".key", "-out", at + ".csr", "-subj", "/CN=x"])
        pathlib.Path(at + ".ext").write_text(f"subjectAltName=DNS:{name}\n")
        lab.run(["openssl", "x509", "-req", "-in", at + ".csr", "-CA",
                 f"{self.folder}/{issuer}.pem", "-CAkey", f"{self.folder}/{issuer}.key",
                 "-CAcreateserial", "-extfile", at + ".ext", "-out", at + ".pem", "-days",
                 "-1" if expired else "30"])
        return at

    def context(self, at):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(at + ".pem", at + ".key")
        return context

    @staticmethod
    def digest(at):
        """Of the public key, as TLSA 3 1 1 has it."""
        public = subprocess.run(["openssl", "pkey", "-in", at + ".key", "-pubout", "-outform",
                                 "DER"], capture_output=True, check=True).stdout
        return hashlib.sha256(public).hexdigest()


ENFORCE = "version: STSv1\r\nmode: enforce\r\nmx: *.{0}\r\nmax_age: 86400\r\n"


class Policies(http.server.ThreadingHTTPServer):
    """{domain: (policy, how it is served)} at mta-sts.DOMAIN by HTTPS.  how: name, issuer and
    expired of the certificate; status and type of the answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            domain = self.headers["Host"].split(":")[0].removeprefix("mta-sts.")
            policy, how = self.server.policies[domain]
            body = policy.replace("{0}", domain).encode()
            self.server.served.append((domain, self.path))
            self.send_response(how.get("status", 200))
            self.send_header("Content-Type", how.get("type", "text/plain; charset=utf-8"))
            if how.get("status") == 301:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self, certificates, policies):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.policies, self.served, self.contexts = policies, [], {}
        for domain, (_, how) in policies.items():
            # Each under its own file, whatever name stands in it.
            self.contexts["mta-sts." + domain] = certificates.context(certificates.make(
                how.get("name", "mta-sts." + domain), how.get("issuer", "ca"),
                how.get("expired", False)))
        first = next(iter(self.contexts.values()))
        first.sni_callback = self.choose
        self.socket = first.wrap_socket(self.socket, server_side=True,
                                        do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def choose(self, connection, name, _):
        connection.context = self.contexts.get(name, connection.context)

    def handle_error(self, *_):
        pass  # clients that do not trust it leave


# ---- servers of ours ----------------------------------------------------------------------

class Served(lab.Server):
    """`postrider serve` for a domain, whose mail server mx.DOMAIN is at an address of its own.
    settings: {"section.name": value}"""

    def __init__(self, folder, domain, address, port, settings):
        self.folder, self.domain, self.address, self.smtp_port = str(folder), domain, address, port
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o755)
        self.base, self.is_ours = lab.free_base(), False
        self.env, self.preexec_fn, self.process, self.under = dict(os.environ), None, None, ()
        self.log, self.conf = self.folder + "/log", self.folder + "/conf"
        self.args = ["serve", "-c", self.conf]
        at_base = {f"listen.{n}": f"127.0.0.1:{self.base + p}" for n, p in lab.SERVICES.items()
                   if not n.startswith(("smtp", "submission"))}
        own = {"server.data-directory": self.folder + "/data",
               "server.hostname": "mx." + domain, "server.default-domain": domain,
               "listen.smtp": f"{address}:{port}", "listen.submission": f"{address}:{port + 1}",
               "listen.submissions": f"{address}:{port + 2}", "mta.port": port}
        text, last = "", None
        for name, value in sorted({**own, **at_base, **settings}.items()):
            section, name = name.split(".")
            text += (f"[{section}]\n" if section != last else "") + f"{name} = {value}\n"
            last = section
        pathlib.Path(self.conf).write_text(text)

    def text(self):
        return pathlib.Path(self.log).read_text()

    def await_ready(self):
        return lab.wait_for(lambda: " ready" in self.text(), 20)

    def people(self, **people):
        """Adds accounts, name=password, and the domain."""
        done = [self.ctl("domain", "add", self.domain)]
        done += [self.ctl("account", "add", f"{name}@{self.domain}", "--password-stdin",
                          input=password + "\n") for name, password in people.items()]
        for one in done:
            if one.returncode != 0:
                raise RuntimeError(one.stderr)

    def ctl(self, *words, timeout=60, **more):
        return subprocess.run([lab.BINARY, *words, "-c", self.conf], capture_output=True,
                              text=True, timeout=timeout, **more)

    def imap(self, user, password):
        context = ssl._create_unverified_context()
        client = lab.imaplib.IMAP4("127.0.0.1", self.port("imap"))
        client.starttls(context)
        client.login(user, password)
        return client

    def submit(self, user, password, to, text):
        context = ssl._create_unverified_context()
        with smtplib.SMTP_SSL(self.address, self.smtp_port + 2, timeout=30,
                              context=context) as client:
            client.login(user, password)
            client.sendmail(f"{user}@{self.domain}", to, text)


# ---- servers that a script plays ----------------------------------------------------------

class Remote(socketserver.StreamRequestHandler):
    """One connection to a server that keeps the mails it takes and behaves as its name says."""
    mails, connections, sources, lock = [], [], set(), threading.Lock()
    resumed = []  # of each TLS handshake with "tickets"

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())

    def hello(self, word):
        if self.name == "endless":
            for _ in range(100000):
                self.say("250-and so on")
        if self.name == "old" and word == "EHLO":
            return self.say("502 never heard of it")
        offers = {"old": [], "seven": ["SIZE 5000000"]}.get(
            self.name, ["PIPELINING", "8BITMIME", "SIZE 5000000", "DSN", "SMTPUTF8"])
        if self.name == "tickets":
            offers += ["LIMITS RCPTMAX=2 MAILMAX=1"]
        if self.name == "badtls" or (self.server.context and not self.is_tls):
            offers = ["STARTTLS", *offers]
        lines = [f"mx.{self.name}.test hello", *offers]
        self.say(*[f"250-{line}" for line in lines[:-1]], f"250 {lines[-1]}")

    def rcpt(self, address):
        if self.name == "minute":
            time.sleep(60)
        if self.name == "some" and address.startswith("bad"):
            return "550 5.1.1 No such user"
        if self.name == "some" and address.startswith("later"):
            return "451 4.2.1 Not now"
        if self.name == "tickets" and len(self.to) == 2:
            return "550 5.5.3 too many recipients"
        if self.name == "nouser":
            return "550 5.1.1 Nobody here"
        self.to.append(address)
        return "250 2.1.5 ok"

    def is_first(self):
        """Of all connections to this server."""
        return self.connections.count(self.name) == 1

    def read_text(self):
        text = b""
        while not text.endswith(b"\r\n.\r\n") and text != b".\r\n":
            line = self.rfile.readline()
            if not line:
                return None
            text += line
            if self.name == "drop" and self.is_first():
                return None
        return text[:-3]

    def keep(self, text):
        with self.lock:
            self.mails.append((self.name, self.sender, self.to, text, time.time()))

    def data(self):
        self.say("354 go on" if self.to else "554 5.5.1 nobody wants it")
        if not self.to:
            return True
        text = self.read_text()
        if text is None:
            return False
        if self.name == "nofinal" and self.is_first():
            self.keep(text)
            return False
        if self.name in ("slow", "late"):
            time.sleep(30 if self.name == "slow" else 4)
        self.keep(text)
        if self.name == "lmtp":
            self.say(*["250 2.0.0 kept" if not a.startswith("full") else "452 4.2.2 full"
                       for a in self.to])
        else:
            self.say("250 2.0.0 kept")
        return True

    def starttls(self):
        """Whether the dialogue goes on."""
        if not self.server.context:
            self.say("220 go on", "this is no TLS")
            return False
        self.say("220 go on")
        try:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        except OSError:  # they did not like us
            return False
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.is_tls = True
        if self.name == "tickets":
            with self.lock:
                self.resumed.append(self.request.session_reused)
        return True

    def handle(self):
        self.name, self.is_tls = self.server.name, False
        with self.lock:
            self.connections.append(self.name)
        self.sender, self.to = None, []
        if self.name == "never" or (self.name == "greet" and self.is_first()):
            return self.say("421 4.3.2 not now")
        with self.lock:
            self.sources.add(self.client_address[0])
        with contextlib.suppress(OSError):  # they went away
            self.usual()
        return None

    def usual(self):
        count = 0
        self.say(f"220 mx.{self.name}.test ESMTP")
        while line := self.rfile.readline().decode(errors="surrogateescape").rstrip("\r\n"):
            word = line.split(" ")[0].upper()
            if word in ("EHLO", "HELO", "LHLO"):
                self.hello(word)
            elif word == "MAIL":
                count += 1
                if self.name == "busy" and count > 1:
                    return self.say("421 4.7.0 enough for one connection")
                self.sender, self.to = line, []
                self.say("550 5.5.1 too many mails" if self.name == "tickets" and count > 1 else
                         "250 2.1.0 ok")
            elif word == "RCPT":
                self.say(self.rcpt(line.split("<")[1].split(">")[0]))
            elif word == "DATA":
                if not self.data():
                    return None
            elif word == "STARTTLS":
                if not self.starttls():
                    return None
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")
        return None


class Listener(socketserver.ThreadingTCPServer):
    """A remote server of that name, from now on; context: its TLS."""
    allow_reuse_address = daemon_threads = True
    request_queue_size = 100

    def __init__(self, name, address, port, context=None, handler=Remote):
        self.name, self.context = name, context
        super().__init__((address, port), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
