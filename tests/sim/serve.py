#!/usr/bin/python3
"""`postrider serve` from a configuration file, with a certificate of one's own."""
import imaplib, os, pathlib, signal, smtplib, socket, ssl, stat, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-serve-"))
os.chmod(folder, 0o755)
base, other_base = lab.free_base(), lab.free_base()
conf = folder / "postrider.conf"


def postrider(*words, binary=lab.BINARY, **more):
    return subprocess.run([binary, *words], capture_output=True, text=True, timeout=30, **more)


def port(service):
    return base + lab.SERVICES[service]


listen = "\n".join(f"{name} = 127.0.0.1:{port(name)}" for name in lab.SERVICES)
proxied_port = lab.free_base() + 26
listen = listen.replace(f"smtp = 127.0.0.1:{port('smtp')}",
                        f"smtp = 127.0.0.1:{port('smtp')} 127.0.0.1:{proxied_port}+proxy", 1)
listen = listen.replace(f"lmtp = 127.0.0.1:{port('lmtp')}",
                        f"lmtp = 127.0.0.1:{port('lmtp')} unix:{folder}/lmtp", 1)
with socket.socket(socket.AF_UNIX) as gone:  # of a server that did not clear up
    gone.bind(str(folder / "lmtp"))
lab.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=mail.example.org", "-addext", "subjectAltName=DNS:mail.example.org",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"])
conf.write_text(f"""[server]
data-directory = {folder}/data
hostname = mail.example.org
default-domain = example.org
[listen]
{listen}
proxies = 192.0.2.0/24 127.0.0.1
[tls]
certificate = {folder}/cert.pem
key = {folder}/key.pem
""")

done = postrider("serve", "-c", str(folder / "none.conf"))
report.check("no file, no server", done.returncode == 1 and "none.conf" in done.stderr, done.stderr)
report.check("nonsense is answered", postrider("serve", "now").returncode == 2)
report.check("help is given", "serve" in postrider("serve", "--help").stdout)

log = open(folder / "log", "w")
server = subprocess.Popen([lab.BINARY, "serve", "-c", str(conf)], stderr=log,
                          preexec_fn=lab.ends_with_us())
ready = lab.wait_for(lambda: " ready" in (folder / "log").read_text(), 20)
report.check("it gets ready", ready, (folder / "log").read_text())
done = postrider("domain", "add", "example.org", "-c", str(conf))
report.check("a domain is added", done.returncode == 0, done.stderr)
done = postrider("account", "add", "carol@example.org", "--password-stdin", "-c", str(conf),
                 input="correct horse\n")
report.check("an account is added", done.returncode == 0, done.stderr)
with report.case("LMTP on a Unix socket takes mail"):
    with smtplib.LMTP(str(folder / "lmtp")) as client:
        assert client.sendmail("a@elsewhere.test", "carol@example.org", "Subject: by path\r\n\r\nhello\r\n") == {}
def by_path():
    """The mail that came so, as its reader sees it."""
    trust = ssl.create_default_context(cafile=folder / "cert.pem")
    trust.check_hostname = False
    with imaplib.IMAP4_SSL("127.0.0.1", port("imaps"), ssl_context=trust, timeout=20) as client:
        client.login("carol@example.org", "correct horse")
        client.select()
        numbers = client.search(None, "SUBJECT", '"by path"')[1][0].split()
        return client.fetch(numbers[0], "(BODY.PEEK[])")[1][0][1].decode() if numbers else ""


report.check("... and delivers it", lab.wait_for(lambda: "with LMTP" in by_path(), 20), by_path())
mode = (folder / "lmtp").stat().st_mode
report.check("... from its owner and its group", stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660, oct(mode))
for what in ("in use", "no socket"):
    path = folder / "lmtp"
    if what == "no socket":
        path = folder / "letter"
        path.write_text("dear me")
    (folder / "second.conf").write_text(f"[server]\ndata-directory = {folder}/second\nhostname = x.example.org\n[listen]\n" +
                                        "".join(f"{name} =\n" for name in lab.SERVICES if name != "lmtp") +
                                        f"lmtp = unix:{path}\n")
    before = path.stat().st_ino
    done = postrider("serve", "-c", str(folder / "second.conf"))
    report.check(f"a file that is {what} stays, and is not listened at", done.returncode == 1 and
                 f"cannot offer lmtp at unix:{path}: Address already in use" in done.stderr and
                 path.stat().st_ino == before, done.stderr)
with report.case("it speaks TLS with the certificate given, whose key only the vault has"):
    trust = ssl.create_default_context(cafile=folder / "cert.pem")
    trust.check_hostname = False
    with smtplib.SMTP_SSL("127.0.0.1", port("submissions"), context=trust, timeout=20) as client:
        client.login("carol", "correct horse")
with report.case("no password without TLS"):
    with smtplib.SMTP("127.0.0.1", port("submission"), timeout=20) as client:
        client.ehlo()
        assert not client.has_extn("auth"), client.esmtp_features
with report.case("a proxy says whom it speaks for"):
    with socket.create_connection(("127.0.0.1", proxied_port), 20) as client:
        client.sendall(b"PROXY TCP4 198.51.100.77 127.0.0.1 4000 25\r\nQUIT\r\n")
        assert b"220 mail.example.org ESMTP" in client.recv(1000)
    assert lab.wait_for(lambda: "peer=198.51.100.77" in (folder / "log").read_text(), 5)
with report.case("without its header there is no session"):
    with socket.create_connection(("127.0.0.1", proxied_port), 20) as client:
        client.sendall(b"EHLO mail.example.org\r\n")
        assert client.recv(1000) == b""
second = folder / "second.conf"  # the same folder, all other ports
second.write_text(conf.read_text().replace(listen, "\n".join(
    f"{name} = 127.0.0.1:{other_base + n}" for name, n in lab.SERVICES.items())))
for what, path in (("on the same ports", conf), ("on other ports", second)):
    done = postrider("serve", "-c", str(path))
    report.check(f"a second server in the same folder, {what}, is told so", done.returncode == 1 and
                 "another server, or a command, works in" in done.stderr and
                 "Nothing was started" in done.stderr, done.stderr)
server.send_signal(signal.SIGTERM)
report.check("it ends with 0", server.wait(30) == 0)

if os.geteuid() == 0:
    for path in (folder, conf, folder / "cert.pem", folder / "key.pem"):
        os.chmod(path, 0o755)
    binary = folder / "postrider"  # where a stranger can reach it, wherever we were built
    lab.shutil.copy(lab.BINARY, binary)
    done = postrider("serve", "-c", str(conf), binary=binary, cwd="/", user=65534, group=65534,
                     extra_groups=[])
    report.check("a folder of somebody else's is no place to work in", done.returncode == 1 and
                 "belongs to user 0, and should to user 65534" in done.stderr and
                 "Nothing was started" in done.stderr, done.stderr)
os.chmod(folder / "data", 0o777)
done = postrider("serve", "-c", str(conf))
report.check("nor is one where everybody may write", done.returncode == 1 and
             "other users may write in" in done.stderr, done.stderr)
os.chmod(folder / "data", 0o700)

(folder / "key.pem").write_text((folder / "cert.pem").read_text())
done = postrider("serve", "-c", str(conf))
report.check("a key that is none is refused", done.returncode == 1 and
             "no certificate that goes with the key" in done.stderr, done.stderr)
if not report.failed:
    lab.shutil.rmtree(folder)
report.close()
