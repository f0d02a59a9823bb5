"""Where judging strangers' mail is measured: a network of its own in which 127.0.0.1:53 is knot, so
that programs which ask nobody else do; one mail, signed twice beforehand; ours without and with
checks, and Postfix + Dovecot with opendkim, opendmarc and policyd-spf.  Needs root."""
import base64, contextlib, ctypes, os, pathlib, re, smtplib, socket, subprocess, tempfile

from sides import Ours, Peer  # which says where the next are
import internet, lab

DOMAIN, CLIENT = "bench.example", "127.0.0.1"
OCTETS = 4096  # of the text before it is signed
CLONE_NEWNS, CLONE_NEWNET, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x40000000, 4096, 16384, 1 << 18
ZONES = {"example": f"""$TTL 86400
@ SOA ns hostmaster 1 3600 600 86400 86400
@ NS ns
ns A {CLIENT}
bench A {CLIENT}
bench MX 10 bench
bench TXT "v=spf1 ip4:{CLIENT} -all"
_dmarc.bench TXT "v=DMARC1; p=reject; adkim=s; aspf=s"
""", "127.in-addr.arpa": f"""$TTL 86400
@ SOA ns.example. hostmaster.example. 1 3600 600 86400 86400
@ NS ns.example.
1.0.0 PTR {DOMAIN}.
"""}


def enter_network():
    """This process and what it starts see loopback alone, and a resolv.conf that names it."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function, *arguments):
        if function(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "a network of its own needs root")

    call(libc.unshare, CLONE_NEWNS | CLONE_NEWNET)
    call(libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    with tempfile.NamedTemporaryFile("w") as file:
        os.chmod(file.name, 0o644)
        file.write(f"nameserver {CLIENT}\n")
        file.flush()
        call(libc.mount, file.name.encode(), b"/etc/resolv.conf", None, MS_BIND, None)
    subprocess.check_call(["ip", "link", "set", "lo", "up"])


def keys(folder):
    """Makes them: (selector, algorithm, private key as dkimpy takes it, record)"""
    import nacl.signing
    path = folder / "rsa"
    lab.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"])
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout", "-outform", "DER"],
                            capture_output=True, check=True).stdout
    ed = nacl.signing.SigningKey.generate()
    words = lambda octets: base64.b64encode(octets).decode()
    rsa = "v=DKIM1; k=rsa; p=" + words(public)
    yield "rsa", b"rsa-sha256", path.read_bytes(), f'"{rsa[:200]}" "{rsa[200:]}"'
    yield ("ed", b"ed25519-sha256", base64.b64encode(bytes(ed)),
           f'"v=DKIM1; k=ed25519; p={words(bytes(ed.verify_key))}"')


def signed_text(keys):
    import dkim
    text = (f"From: <load@{DOMAIN}>\r\nTo: <somebody@postrider.test>\r\nSubject: load\r\n"
            f"Message-ID: <load@{DOMAIN}>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n").encode()
    letters = base64.b64encode(bytes(range(256)) * OCTETS)
    text += b"\r\n".join(letters[i:i + 72] for i in range(0, OCTETS - len(text), 74)) + b"\r\n"
    fields = b"".join(
        dkim.sign(text, selector.encode(), DOMAIN.encode(), private, signature_algorithm=algorithm,
                  canonicalize=(b"relaxed", b"relaxed"),
                  include_headers=[b"from", b"to", b"subject", b"date", b"message-id"])
        for selector, algorithm, private, _ in keys)
    return fields + text


class Internet:
    """Names at port 53, and the signed mail that their keys are of."""

    def __enter__(self):
        enter_network()
        self.folder = tempfile.TemporaryDirectory(prefix="trust-")
        os.chmod(self.folder.name, 0o755)
        made = list(keys(pathlib.Path(self.folder.name)))
        zones = dict(ZONES)
        zones["example"] += "".join(f"{selector}._domainkey.bench TXT {record}\n"
                                    for selector, _, _, record in made)
        self.mail = self.folder.name + "/mail"
        pathlib.Path(self.mail).write_bytes(signed_text(made))
        self.names = internet.Names(self.folder.name, zones, port=53)
        self.names.__enter__()
        return self

    def __exit__(self, *what):
        self.names.__exit__(*what)
        self.folder.cleanup()


# ---- the sides -------------------------------------------------------------------------

def check(side, mail, wanted):
    """Sends it once and looks what has been written on it."""
    before = side.count()
    with smtplib.SMTP(CLIENT, side.port("smtp"), local_hostname=DOMAIN) as client:
        client.sendmail(f"load@{DOMAIN}", side.recipient % 1, pathlib.Path(mail).read_bytes())
    if not lab.wait_for(lambda: side.count() > before, 20):
        raise RuntimeError(f"{side.name}: the mail did not come")
    with side.imap(1) as client:
        client.select("INBOX", True)
        header = client.fetch("1", "(BODY.PEEK[HEADER])")[1][0][1].decode()
    fields = re.findall(r"^Authentication-Results:(?:.*\n[ \t])*.*\n", header, re.M)
    results = re.findall(r"\b((?:spf|dkim|dmarc)=\w+)", " ".join(fields))
    print(f"{side.name}: {' '.join(results)}", flush=True)
    if not all(results.count(word) >= count for word, count in wanted.items()) or \
            bool(wanted) != bool(results):
        raise RuntimeError(f"{side.name} has written: {header}")


class OursChecked(Ours):
    name, switch = "with checks", "yes"
    wanted = {"spf=pass": 1, "dkim=pass": 2, "dmarc=pass": 1}

    def __init__(self, users):
        super().__init__(users, args=["--dns", f"{CLIENT}:53", "--set",
                                      f"trust.check={self.switch}"])

    def imap(self, number):
        return self.server.imap(self.user % number)


class OursUnchecked(OursChecked):
    name, switch, wanted = "without checks", "no", {}


OPENDKIM = """Mode v
Socket inet:{dkim}@127.0.0.1
UserID opendkim
Background no
Syslog no
AuthservID {host}
AlwaysAddARHeader yes
InternalHosts {dir}/others
ExternalIgnoreList {dir}/others
Nameservers 127.0.0.1
"""
OPENDMARC = """Socket inet:{dmarc}@127.0.0.1
UserID opendmarc
Background false
Syslog false
AuthservID {host}
TrustedAuthservIDs {host}
IgnoreHosts {dir}/others
RejectFailures true
"""
POLICYD = """debugLevel = 0
TestOnly = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
skip_addresses = 192.0.2.1/32
Header_Type = AR
Authserv_Id = {host}
"""


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection((CLIENT, port), 1):
        return True
    return False


class PeerChecked(Peer):
    """opendkim and opendmarc are milters, policyd-spf is asked about the envelope; each with its
    defaults but that loopback is a stranger."""
    name = Peer.name
    wanted = {"spf=pass": 1, "dkim=pass": 1, "dmarc=pass": 1}

    def __init__(self, users):
        self.filters, self.settings = [], tempfile.TemporaryDirectory(prefix="filters-")
        os.chmod(self.settings.name, 0o755)
        ports = {name: internet.free_port() for name in ("dkim", "dmarc")}
        folder = pathlib.Path(self.settings.name)
        for name, text in (("opendkim", OPENDKIM), ("opendmarc", OPENDMARC),
                           ("policyd", POLICYD)):
            (folder / name).write_text(text.format(dir=folder, host="mx.sdbox.test", **ports))
        (folder / "others").write_text("192.0.2.1\n")
        for words in (["opendkim", "-f", "-x"], ["opendmarc", "-f", "-c"]):
            self.filters.append(subprocess.Popen(
                [*words, str(folder / words[0])], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, preexec_fn=lab.ends_with_us()))
        if not lab.wait_for(lambda: all(map(is_open, ports.values())), 20):
            raise RuntimeError("the filters did not start")
        super().__init__(users, settings={
            "smtpd_milters": ", ".join(f"inet:127.0.0.1:{port}" for port in ports.values()),
            "smtpd_recipient_restrictions": "check_policy_service unix:private/policyd-spf",
            "policyd-spf_time_limit": "3600"},
            services=f"policyd-spf unix - n n - 0 spawn user=policyd-spf "
                     f"argv=/usr/bin/policyd-spf {folder}/policyd\n")
        self.roots = self.roots + [process.pid for process in self.filters]

    def imap(self, number):
        return self.peer.imap(number)

    def stop(self):
        super().stop()
        for process in self.filters:
            process.terminate()
            process.wait(20)
        self.settings.cleanup()
