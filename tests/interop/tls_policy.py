#!/usr/bin/python3
"""DANE and MTA-STS as a real name server (knot, with DNSSEC) and a real HTTPS server publish
them: what "postrider tls check" makes of it."""
import contextlib, http.server, json, pathlib, random, socket, ssl, subprocess, tempfile, threading, time

import lab

report = lab.Report()

SOA = """$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
"""
DIGEST = "8d02536c887482bc34ff54e41d2ba659bf85b341a0a20afadb5813dcfbcf286d"

ZONES = {
    "signed.test": SOA + f"""
@ MX 10 mx1
@ MX 20 mx2
@ MX 30 mx3
@ MX 40 mx4
@ MX 50 alias
@ MX 60 away
mx1 A 127.0.0.1
_25._tcp.mx1 TLSA 3 1 1 {DIGEST}
mx2 A 127.0.0.1
mx3 A 127.0.0.1
_25._tcp.mx3 TLSA 1 1 1 {DIGEST}
_25._tcp.mx3 TLSA 3 1 1 {DIGEST[:10]}
mx4 A 127.0.0.1
_tcp.mx4 NS ns
_tcp.mx4 DS 1 13 2 {DIGEST}
alias CNAME mx1
away CNAME host.plain.test.
_25._tcp.away TLSA 2 0 1 {DIGEST}
""",
    "_tcp.mx4.signed.test": SOA + f"_25 TLSA 3 1 1 {DIGEST}\nns.signed.test. A 127.0.0.1\n",
    "plain.test": SOA + f"""
@ MX 10 mx
mx A 127.0.0.1
host A 127.0.0.1
_25._tcp.mx TLSA 3 1 1 {DIGEST}
""",
    "wrong.test": SOA + "@ MX 10 mx\nmx A 127.0.0.1\n",
}

# Domains with MTA-STS: the TXT record's tail, the policy, and how it is served.
ENFORCE = "version: STSv1\r\nmode: enforce\r\nmx: *.{0}\r\nmax_age: 86400\r\n"
STS = {
    "enforce.test": ("id=1;", ENFORCE, {}),
    "testing.test": ("id=1;", ENFORCE.replace("enforce", "testing"), {}),
    "none.test": ("id=1;", "version: STSv1\nmode: none\nmax_age: 86400\n", {}),
    "other.test": ("id=1;", ENFORCE.replace("*.{0}", "mx.elsewhere.test"), {}),
    "html.test": ("id=1;", ENFORCE, {"type": "text/html"}),
    "moved.test": ("id=1;", ENFORCE, {"status": 301}),
    "gone.test": ("id=1;", ENFORCE, {"status": 404}),
    "big.test": ("id=1;", ENFORCE + "x: " + "x" * 70000, {}),
    "nonsense.test": ("id=1;", "<html>", {}),
    "badname.test": ("id=1;", ENFORCE, {"name": "www.badname.test"}),
    "expired.test": ("id=1;", ENFORCE, {"expired": True}),
    "untrusted.test": ("id=1;", ENFORCE, {"issuer": "rogue"}),
    "unannounced.test": (None, ENFORCE, {}),
    "badrecord.test": ("", ENFORCE, {}),
}
for name, (record, _, _) in STS.items():
    text = "" if record is None else f'_mta-sts TXT "v=STSv1; {record}"\n'
    ZONES[name] = SOA + f"@ MX 10 mx\nmx A 127.0.0.1\nmta-sts A 127.0.0.1\n{text}"
SIGNED = {"signed.test", "wrong.test", "_tcp.mx4.signed.test"}


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr}")
    return done.stdout


class Certificates:
    """Two authorities, and what they sign."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "rogue"):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem", "-days", "30",
                "-subj", f"/CN={name}")

    def make(self, name, issuer="ca", expired=False):
        at = f"{self.folder}/{name}"
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", at + ".key", "-out", at + ".csr", "-subj", "/CN=x")
        pathlib.Path(at + ".ext").write_text(f"subjectAltName=DNS:{name}\n")
        run("openssl", "x509", "-req", "-in", at + ".csr", "-CA", f"{self.folder}/{issuer}.pem",
            "-CAkey", f"{self.folder}/{issuer}.key", "-CAcreateserial", "-extfile", at + ".ext",
            "-out", at + ".pem", "-days", "-1" if expired else "30")
        return at


class Policies(http.server.BaseHTTPRequestHandler):
    served = []

    def do_GET(self):
        domain = self.headers["Host"].split(":")[0].removeprefix("mta-sts.")
        _, policy, how = STS[domain]
        body = policy.replace("{0}", domain).encode()
        Policies.served.append((domain, self.path))
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


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # clients that do not trust it leave


def serve_policies(folder):
    certificates = Certificates(folder)
    contexts = {}
    for domain, (_, _, how) in STS.items():
        # Each under its own file, whatever name stands in it.
        at = certificates.make(how.get("name", "mta-sts." + domain), how.get("issuer", "ca"),
                               how.get("expired", False))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(at + ".pem", at + ".key")
        contexts["mta-sts." + domain] = context

    def choose(connection, name, _):
        connection.context = contexts.get(name, connection.context)

    first = contexts["mta-sts.enforce.test"]
    first.sni_callback = choose
    server = Server(("127.0.0.1", 0), Policies)
    server.socket = first.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def knot_config(folder, port):
    lines = [f"server:\n    rundir: {folder}/run\n    listen: 127.0.0.1@{port}",
             f"log:\n  - target: {folder}/knot.log\n    any: info",
             f"database:\n    storage: {folder}/db",
             "policy:\n  - id: p\n    algorithm: ecdsap256sha256\n    single-type-signing: on",
             f"template:\n  - id: default\n    storage: {folder}\n    zonefile-sync: -1\n    journal-content: none",
             "zone:"]
    for zone, text in ZONES.items():
        pathlib.Path(folder, zone + ".zone").write_text(f"$ORIGIN {zone}.\n" + text)
        lines.append(f"  - domain: {zone}\n    file: {zone}.zone")
        if zone in SIGNED:
            lines.append("    dnssec-signing: on\n    dnssec-policy: p")
    path = pathlib.Path(folder, "knot.conf")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@contextlib.contextmanager
def knot(folder):
    port = random.randint(11000, 50000)
    for name in ("run", "db"):
        pathlib.Path(folder, name).mkdir()
    config = knot_config(folder, port)
    process = subprocess.Popen(["knotd", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        anchors = ""
        while "DNSKEY" not in anchors and time.monotonic() < deadline:
            time.sleep(0.2)
            with contextlib.suppress(RuntimeError):
                anchors = run("keymgr", "-c", config, "signed.test", "dnskey")
        wrong = run("keymgr", "-c", config, "signed.test", "dnskey").replace("signed.test.", "wrong.test.")
        time.sleep(1)
        yield port, anchors + wrong
    finally:
        process.terminate()
        process.wait()


def check(config, domain):
    done = subprocess.run([lab.BINARY, "tls", "check", domain, "--json", "-c", config],
                          capture_output=True, text=True, timeout=120)
    return json.loads(done.stdout) if done.returncode == 0 else {"why": done.stderr, "hosts": []}


def dane(config):
    answer = check(config, "signed.test")
    hosts = {h["host"].removesuffix(".signed.test"): h for h in answer["hosts"]}

    def is_so(name, tls, policy, words=""):
        host = hosts.get(name, {})
        return host.get("tls") == tls and host.get("policy") == policy and words in host.get("reason", "")

    verified, opportunistic = "verified TLS required", "TLS if offered"
    report.check("a signed list of hosts is known as such", answer.get("secure"), str(answer))
    report.check("TLSA records are believed", is_so("mx1", verified, "tlsa"), str(answer))
    report.check("a host without them is opportunistic", is_so("mx2", opportunistic, "no-policy-found"))
    report.check("unusable ones still require TLS", is_so("mx3", "TLS required", "tlsa", "can be used"))
    report.check("bogus ones keep the mail back", is_so("mx4", "not used now", "tlsa", "signed wrongly"),
                 str(hosts.get("mx4")))
    report.check("an alias has its target's records", is_so("alias", verified, "tlsa", "mx1.signed.test"))
    report.check("an alias that leads out of the signed has its own",
                 is_so("away", verified, "tlsa", "away.signed.test"), str(hosts.get("away")))
    answer = check(config, "plain.test")
    report.check("unsigned TLSA records count for nothing",
                 [h["tls"] for h in answer["hosts"]] == [opportunistic] and not answer["secure"], str(answer))
    answer = check(config, "wrong.test")
    report.check("a bogus domain is told", "cannot be told" in answer["why"], str(answer))


def mta_sts(config):
    def expect(title, domain, tls, policy="sts", flaw=""):
        answer = check(config, domain)
        host = answer["hosts"][0] if answer["hosts"] else {}
        report.check(title, (host.get("tls"), host.get("policy"), answer.get("flaw")) == (tls, policy, flaw),
                     str(answer))

    verified, opportunistic, nothing = "verified TLS required", "TLS if offered", "no-policy-found"
    expect("enforce is heeded", "enforce.test", verified)
    report.check("the policy is fetched from its place",
                 Policies.served == [("enforce.test", "/.well-known/mta-sts.txt")], str(Policies.served))
    expect("testing stops nothing", "testing.test", opportunistic)
    expect("none is no policy", "none.test", opportunistic, nothing)
    expect("a host that is not listed is not used", "other.test", "not used now")
    for title, domain, flaw in [
            ("another media type", "html.test", "sts-policy-invalid"),
            ("a redirect", "moved.test", "sts-policy-fetch-error"),
            ("a 404", "gone.test", "sts-policy-fetch-error"),
            ("more than 64 KB", "big.test", "sts-policy-fetch-error"),
            ("something else", "nonsense.test", "sts-policy-invalid"),
            ("a certificate for another name", "badname.test", "sts-webpki-invalid"),
            ("an expired certificate", "expired.test", "sts-webpki-invalid"),
            ("a certificate of nobody we trust", "untrusted.test", "sts-webpki-invalid")]:
        expect(title + " is no policy", domain, opportunistic, nothing, flaw)
    Policies.served.clear()
    expect("without a record nothing is fetched", "unannounced.test", opportunistic, nothing)
    expect("nor with one that is not understood", "badrecord.test", opportunistic, nothing)
    report.check("really nothing", Policies.served == [], str(Policies.served))


def child_of(pid, role):
    """The process of that role that pid has started; None: not yet."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = folder.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
            words = folder.joinpath("cmdline").read_text().split("\0")
            if int(parent) == pid and role in words:
                return folder
    return None


def end_while_fetching(config, text):
    """A policy host that never says a word does not hold the process up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config.write_text(text.replace("mta-sts-port", f"mta-sts-port = {silent.getsockname()[1]}\n#"))
        command = subprocess.Popen([lab.BINARY, "tls", "check", "enforce.test", "-c", str(config)])
        silent.settimeout(20)
        connection = silent.accept()[0]
        folder = child_of(command.pid, "fetchd")
        command.kill()
        command.wait()
        deadline = time.monotonic() + 5
        while folder and folder.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        connection.close()
        report.check("fetchd ends in the middle of a request", folder and not folder.exists(), str(folder))


def main():
    with tempfile.TemporaryDirectory(prefix="postrider-tls-") as folder, knot(folder) as (port, anchors):
        server = serve_policies(folder)
        pathlib.Path(folder, "anchors").write_text(anchors)
        config = pathlib.Path(folder, "postrider.conf")
        text = (f"[server]\ndata-directory = {folder}/data\n[dns]\nserver = 127.0.0.1:{port}\n"
                f"trust-anchors = {folder}/anchors\n[tls]\ntrusted-roots = {folder}/ca.pem\n"
                f"mta-sts-port = {server.server_address[1]}\n")
        config.write_text(text)
        dane(str(config))
        mta_sts(str(config))
        end_while_fetching(config, text)
        config.write_text(text + "dane = no\nmta-sts = no\n")
        for domain in ("signed.test", "enforce.test"):
            tls = {h["tls"] for h in check(str(config), domain)["hosts"]}
            report.check(f"{domain} is opportunistic when told to be", tls == {"TLS if offered"}, str(tls))
        server.shutdown()


main()
report.close()
