#!/usr/bin/python3
"""Reports of TLS (TLS-RPT, RFC 8460), with a real name server (knot), mail servers that a script
plays and an HTTPS server that takes reports: one for each domain and day, whatever dies."""
import base64, collections, datetime, email, gzip, http.server, json, os, pathlib, shutil, signal
import smtplib, socketserver, ssl, subprocess, tempfile, threading, time

import lab

report = lab.Report()
folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-tls-reports-"))
os.chmod(folder, 0o755)
PORT, DNS_PORT = lab.free_base() + 26, lab.free_base() + 27
SENDER = "alice@postrider.test"
DAY_S = 8  # of these reports
TAKER = "127.0.0.30"  # of reports
ADDRESS = {"secure": "127.0.0.10", "plain": "127.0.0.11", "broken": "127.0.0.12",
           "quiet": "127.0.0.13", "reports": TAKER, "web": "127.0.0.14", "home": "127.0.0.15"}
SENT_TO = {"secure": "mailto:rua@reports.test,mailto:rua2@reports.test", "plain": "mailto:rua@reports.test",
           "broken": "mailto:rua@reports.test", "web": f"https://mx.web.test:{PORT + 1}/v1/reports",
           "home": f"mailto:{SENDER}", "reports": "mailto:rua@reports.test"}
ZONE = "$ORIGIN test.\n$TTL 5\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n" + "".join(
    f"{name} MX 10 mx.{name}\nmx.{name} A {address}\n" for name, address in ADDRESS.items()) + "".join(
    f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua={uri}"\n' for name, uri in SENT_TO.items())


class Remote(socketserver.StreamRequestHandler):
    """A mail server; the taker of reports keeps them."""
    mails, lock = [], threading.Lock()

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())
        self.wfile.flush()

    def begin_tls(self):
        self.say("220 go on")
        if self.name == "broken":
            self.wfile.write(b"this is no TLS\r\n" * 20)
            return False
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        return True

    def take(self):
        self.say("354 go on")
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            text += line
        with self.lock:
            self.mails.append((self.name, self.sender, self.to, text[:-3]))
        self.say("250 kept")

    def handle(self):
        self.name = next(n for n, a in ADDRESS.items() if a == self.server.server_address[0])
        self.sender, self.to = None, []
        self.say("220 hello")
        while line := self.rfile.readline().decode().rstrip():
            word = line.split()[0].upper()
            if word == "EHLO":
                has_tls = self.name != "plain" and not isinstance(self.connection, ssl.SSLSocket)
                self.say("250-hello", *(["250-STARTTLS"] if has_tls else []), "250 8BITMIME")
            elif word == "STARTTLS":
                if not self.begin_tls():
                    return
            elif word == "DATA":
                self.take()
                self.to = []
            else:
                if word == "MAIL":
                    self.sender = line
                if word == "RCPT":
                    self.to.append(line.split("<")[1].split(">")[0])
                self.say("221 bye" if word == "QUIT" else "250 ok")


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, *_):
        pass  # who has been killed leaves in the middle


class Web(http.server.BaseHTTPRequestHandler):
    posts = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Web.posts.append((self.path, self.headers["Content-Type"], body))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def start_dns():
    (folder / "test.zone").write_text(ZONE)
    (folder / "db").mkdir()
    (folder / "knot.conf").write_text(f"server:\n    listen: 127.0.0.1@{DNS_PORT}\n    rundir: {folder}\n"
                                      f"database:\n    storage: {folder}/db\n"
                                      f"zone:\n  - domain: test\n    file: {folder}/test.zone\n")
    return subprocess.Popen(["knotd", "-c", folder / "knot.conf"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, preexec_fn=lab.ends_with_us())


def send(server, *domains):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP_SSL("127.0.0.1", server.port("submissions"), context=context) as client:
        client.login(SENDER, "pass")
        client.sendmail(SENDER, [f"bob@{domain}.test" for domain in domains],
                        f"From: {SENDER}\r\nSubject: x\r\n\r\nhello\r\n")


def read(mail):
    """A report mail as the message and what is in its gzip."""
    message = email.message_from_bytes(mail)
    part = next(p for p in message.walk() if p.get_content_type() == "application/tlsrpt+gzip")
    return message, json.loads(gzip.decompress(base64.b64decode(part.get_payload())))


def reports(of=None):
    """(mail, message, JSON) of each that was sent by mail."""
    with Remote.lock:
        mails = [m for m in Remote.mails if m[0] == "reports"]
    read_all = [(m, *read(m[3])) for m in mails]
    return [r for r in read_all if of is None or r[2]["policies"][0]["policy"]["policy-domain"] == of + ".test"]


def home_reports(server):
    with server.imap("alice") as client:
        client.select("INBOX", readonly=True)
        numbers = client.search(None, "ALL")[1][0].split()
        return [read(client.fetch(n, "(BODY[])")[1][0][1]) for n in numbers]


def sums(of):
    """(good, bad) over all reports of a domain, each counted once."""
    seen = {r[2]["report-id"]: r[2]["policies"] for r in reports(of)}
    total = lambda key: sum(p["summary"][key] for policies in seen.values() for p in policies)
    return total("total-successful-session-count"), total("total-failure-session-count")


def first_day(server):
    send(server, "secure", "plain", "broken", "quiet", "web", "home")
    report.check("mail goes out", lab.wait_for(
        lambda: len({m[0] for m in Remote.mails}) >= 5, 15), Remote.mails)
    report.check("each domain that asks is told", lab.wait_for(
        lambda: all(reports(name) for name in ("secure", "plain", "broken")) and Web.posts, 4 * DAY_S),
        [r[2] for r in reports()])
    mail, message, told = reports("secure")[0]
    report.check("from nobody", mail[1].upper().startswith("MAIL FROM:<>"), mail[1])
    report.check("the mail is a report of TLS",
                 message.get_content_type() == "multipart/report" and
                 message.get_param("report-type") == "tlsrpt" and
                 message["TLS-Report-Domain"] == "secure.test" and message["TLS-Required"] == "No" and
                 message["TLS-Report-Submitter"] == told["organization-name"], message.as_string()[:900])
    domain = SENDER.split("@")[1]
    report.check("its author is of the domain that signs our mail, which is the submitter", told["organization-name"] == domain
                 and message["From"] == told["contact-info"] == "postmaster@" + domain, message["From"])
    begin, end = (datetime.datetime.fromisoformat(told["date-range"][key].replace("Z", "+00:00"))
                  for key in ("start-datetime", "end-datetime"))
    report.check("it tells of a day", (end - begin).total_seconds() == DAY_S - 1 and
                 begin.timestamp() % DAY_S == 0 and end.timestamp() < time.time(), told["date-range"])
    read_back = subprocess.run([lab.BINARY, "report", "tls", "-", "--json"], input=mail[3], capture_output=True)
    answer = json.loads(read_back.stdout or b"{}")
    report.check("... which is read back from the mail", answer.get("id") == told["report-id"] and
                 [p["domain"] for p in answer["policies"]] == ["secure.test"] and
                 answer["begin"] == begin.timestamp(), read_back)
    report.check("TLS that was good is counted", sums("secure")[0] >= 1 and sums("secure")[1] == 0, told)
    report.check("each address has one", lab.wait_for(lambda: sorted(
        to for r in reports("secure") if r[2]["report-id"] == told["report-id"] for to in r[0][2]) ==
        ["rua2@reports.test", "rua@reports.test"], 10), [r[0][2] for r in reports("secure")])
    for name, flaw in (("plain", "starttls-not-supported"), ("broken", "validation-failure")):
        details = reports(name)[0][2]["policies"][0]["failure-details"]
        report.check(f"{flaw} is told, and where",
                     details[0]["result-type"] == flaw and details[0]["receiving-ip"] == ADDRESS[name] and
                     details[0]["receiving-mx-hostname"] == f"mx.{name}.test" and
                     details[0]["failed-session-count"] >= 1 and details[0]["sending-mta-ip"].startswith("127."),
                     details)
    report.check("mail went there nevertheless, once",
                 collections.Counter(m[0] for m in Remote.mails)["broken"] == 1)
    path, kind, body = Web.posts[0]
    posted = json.loads(gzip.decompress(body))
    report.check("a report is posted by HTTPS", path == "/v1/reports" and kind == "application/tlsrpt+gzip" and
                 posted["policies"][0]["policy"]["policy-domain"] == "web.test", (path, kind, posted))
    report.check("one for an address of ours stays here", lab.wait_for(lambda: [
        told["policies"][0]["policy"]["policy-domain"] for _, told in home_reports(server)] == ["home.test"], 15))


def no_more(server):
    time.sleep(2 * DAY_S)
    days = collections.Counter((r[2]["report-id"], to) for r in reports() for to in r[0][2])
    report.check("a day is told once", all(n == 1 for n in days.values()), days)
    report.check("nobody is told who did not ask", not any("quiet" in json.dumps(r[2]) for r in reports()))
    report.check("reports are not reported", not reports("reports"))
    posted = collections.Counter(json.loads(gzip.decompress(b))["report-id"] for _, _, b in Web.posts)
    report.check("and posted once", all(n == 1 for n in posted.values()), posted)


def kill(server, role):
    for pid, name in server.children().items():
        if name == role:
            os.kill(pid, signal.SIGKILL)


def killed(server):
    """The mta and the store are killed again and again while reports fall due."""
    before = len(reports("secure"))
    send(server, "secure", "plain")
    time.sleep(2)  # long enough that it is written down
    for i in range(int(3 * DAY_S / 0.6)):
        kill(server, "mta" if i % 5 else "storaged")
        time.sleep(0.6)
        if i % 8 == 0:
            try:
                send(server, "secure", "plain")
            except (OSError, smtplib.SMTPException):
                pass  # the store was away
    report.check("reports go out after the last kill", lab.wait_for(
        lambda: len(reports("secure")) > before, 4 * DAY_S), server.log)
    time.sleep(DAY_S)
    # A mail may come twice when its carrier is killed before it settles; two queue ids would be two reports.
    made = collections.Counter()
    seen = set()
    for mail, message, told in reports():
        received = message.get_all("Received")[-1].split(" id ")[1].split(";")[0]
        for to in mail[2]:
            if (received, to) not in seen:
                made[told["report-id"], to] += 1
            seen.add((received, to))
    report.check("whatever is killed, a day and domain has one report",
                 made and all(n == 1 for n in made.values()), made)
    report.check("... and one report-id", all(n == 1 for n in collections.Counter(
        (r[2]["policies"][0]["policy"]["policy-domain"], r[2]["date-range"]["start-datetime"])
        for r in {r[2]["report-id"]: r for r in reports()}.values()).values()))


lab.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
         "2", "-subj", "/CN=mx.web.test", "-addext", "subjectAltName=DNS:mx.web.test",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"])
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
dns = start_dns()
servers = [Listener((address, PORT), Remote) for address in ADDRESS.values()]
web = http.server.ThreadingHTTPServer((ADDRESS["web"], PORT + 1), Web)
web.socket = tls.wrap_socket(web.socket, server_side=True)
for one in (*servers, web):
    threading.Thread(target=one.serve_forever, daemon=True).start()
settings = {"mta.port": PORT, "tls.report-interval": f"{DAY_S} s", "tls.trusted-roots": folder / "cert.pem",
            "queue.retry-first": "2 s"}
try:
    with lab.Server(args=["--dns", f"127.0.0.1:{DNS_PORT}", *[
            word for name, value in settings.items() for word in ("--set", f"{name}={value}")]]) as server:
        for part in (first_day, no_more, killed):
            with report.case(f"{part.__name__}: to the end"):
                part(server)
finally:
    dns.terminate()
    dns.wait()
    if os.environ.get("KEEP"):
        print(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
report.close()
