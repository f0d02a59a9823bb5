#!/usr/bin/python3
"""DANE and MTA-STS as a real name server (knot, with DNSSEC) and a real HTTPS server publish
them: what "postrider tls check" makes of it."""
import contextlib, json, pathlib, socket, subprocess, tempfile, time

import internet, lab
from internet import ENFORCE, SOA

report = lab.Report()

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


def mta_sts(config, served):
    def expect(title, domain, tls, policy="sts", flaw=""):
        answer = check(config, domain)
        host = answer["hosts"][0] if answer["hosts"] else {}
        report.check(title, (host.get("tls"), host.get("policy"), answer.get("flaw")) == (tls, policy, flaw),
                     str(answer))

    verified, opportunistic, nothing = "verified TLS required", "TLS if offered", "no-policy-found"
    expect("enforce is heeded", "enforce.test", verified)
    report.check("the policy is fetched from its place",
                 served == [("enforce.test", "/.well-known/mta-sts.txt")], str(served))
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
    served.clear()
    expect("without a record nothing is fetched", "unannounced.test", opportunistic, nothing)
    expect("nor with one that is not understood", "badrecord.test", opportunistic, nothing)
    report.check("really nothing", served == [], str(served))


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
    with (tempfile.TemporaryDirectory(prefix="postrider-tls-") as folder,
          internet.Names(folder, ZONES, SIGNED) as names):
        server = internet.Policies(internet.Certificates(folder), {
            domain: (policy, how) for domain, (_, policy, how) in STS.items()})
        anchors = names.anchors(["signed.test"], ["wrong.test"])
        config = pathlib.Path(folder, "postrider.conf")
        text = (f"[server]\ndata-directory = {folder}/data\n[dns]\nserver = 127.0.0.1:{names.port}\n"
                f"trust-anchors = {anchors}\n[tls]\ntrusted-roots = {folder}/ca.pem\n"
                f"mta-sts-port = {server.server_address[1]}\n")
        config.write_text(text)
        dane(str(config))
        mta_sts(str(config), server.served)
        end_while_fetching(config, text)
        config.write_text(text + "dane = no\nmta-sts = no\n")
        for domain in ("signed.test", "enforce.test"):
            tls = {h["tls"] for h in check(str(config), domain)["hosts"]}
            report.check(f"{domain} is opportunistic when told to be", tls == {"TLS if offered"}, str(tls))
        server.shutdown()


main()
report.close()
