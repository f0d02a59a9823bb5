#!/usr/bin/python3
"""The supervisor: what dies is started again, and nothing is left behind."""
import imaplib, os, pathlib, shutil, signal, smtplib, socket, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

report = lab.Report()


def answers(server, service):
    with socket.create_connection(("127.0.0.1", server.port(service)), 5) as s:
        s.settimeout(5)
        return service.endswith("s") and service not in ("pop3s",) or s.recv(4)


def send(server, subject):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=20) as client:
        client.sendmail("x@load.example", ["alice@postrider.test"],
                        f"From: <x@load.example>\r\nSubject: {subject}\r\n\r\nhello\r\n")


def has_mail(server, subject):
    client = server.imap()
    client.select("INBOX")
    found = client.search(None, "SUBJECT", f'"{subject}"')[1][0]
    client.logout()
    return bool(found)


def works(server, subject):
    send(server, subject)
    return has_mail(server, subject)


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z"
    except OSError:
        return False


def ports_and_people():
    with lab.Server(accounts=3) as server:
        for service in ("smtp", "submission", "imap", "pop3"):
            with report.case(f"{service} answers when ready was said"):
                assert answers(server, service)
        for service in ("submissions", "imaps", "pop3s"):
            with report.case(f"{service} takes connections when ready was said"):
                socket.create_connection(("127.0.0.1", server.port(service)), 5).close()
        for user in ("alice", "bob", "admin", "user3", "user1@postrider.test"):
            with report.case(f"{user} logs in"):
                server.imap(user).logout()
        with report.case("a wrong password is refused"):
            try:
                server.imap("alice", "wrong")
            except imaplib.IMAP4.error:
                pass
            else:
                raise RuntimeError("it was not")
        second = subprocess.run([lab.BINARY, "dev", "--dir", server.folder + "/data",
                                 "--base-port", str(lab.free_base())],
                                capture_output=True, text=True, timeout=20)
        report.check("a second server on the same folder does not start",
                     second.returncode == 1 and "another server" in second.stderr, second.stderr)
        same_ports = subprocess.run([lab.BINARY, "dev", "--dir", server.folder + "/other",
                                     "--base-port", str(server.base)],
                                    capture_output=True, text=True, timeout=20)
        report.check("nor one on the same ports",
                     same_ports.returncode == 1 and "cannot offer" in same_ports.stderr)


def deaths():
    with lab.Server() as server:
        session = server.imap()
        session.select("INBOX")
        for role in ("vaultd", "storaged", "smtpd", "deliverd", "imapd"):
            before = server.children()
            victims = [pid for pid, r in before.items() if r == role]
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
            back = lab.wait_for(lambda: sorted(server.children().values()) ==
                                sorted(before.values()) and
                                not set(victims) & set(server.children()))
            report.check(f"{role} is started again", back, str(server.children()))
            with report.case(f"after it mail comes and is read"):
                assert works(server, "after " + role)
            if role in ("vaultd", "storaged"):
                with report.case(f"a session outlives {role}"):
                    assert session.noop()[0] == "OK"
                    assert session.search(None, "SUBJECT", "after")[0] == "OK"
        session = server.imap()
        session.select("INBOX")
        for pid, role in server.children().items():
            if role in ("storaged", "vaultd"):
                os.kill(pid, signal.SIGKILL)
        with report.case("a session outlives both at once"):
            assert session.search(None, "SUBJECT", "after")[0] == "OK"
        victim = next(pid for pid, r in server.children().items() if r == "deliverd")
        os.kill(victim, signal.SIGSEGV)
        report.check("a crash leaves a report", lab.wait_for(
            lambda: "panic report" in pathlib.Path(server.log).read_text()))
        with report.case("and is got over"):
            assert works(server, "after a crash")


def slow_down():
    with lab.Server() as server:
        starts = []
        for _ in range(4):
            victim = next(pid for pid, r in server.children().items() if r == "vaultd")
            at = time.time()
            os.kill(victim, signal.SIGKILL)
            lab.wait_for(lambda: any(r == "vaultd" and pid != victim
                                     for pid, r in server.children().items()), 20)
            starts.append(time.time() - at)
        report.check("the first new start comes at once, later ones wait longer",
                     starts[0] < 0.5 and 0.8 < starts[1] < 1.9 and 1.8 < starts[2] < 3.5,
                     str(starts))


def ends():
    for number in (signal.SIGTERM, signal.SIGINT):
        with lab.Server() as server:
            children = server.children()
            session = server.imap()
            at = time.time()
            code = server.stop(number)
            report.check(f"{number.name} ends it with 0", code == 0, str(code))
            report.check("soon", time.time() - at < 5, f"{time.time() - at:.1f} s")
            report.check("and no process is left", len(children) >= 4 and
                         not any(map(is_alive, children)))
            del session
            before = pathlib.Path(server.log).stat().st_size
            server.start()
            with report.case("the next start finds all again"):
                assert works(server, "again")
            report.check("and says nothing of repairs",
                         "ERROR" not in pathlib.Path(server.log).read_text()[before:])
    with lab.Server() as server:
        children = server.children()
        server.stop(signal.SIGKILL)
        report.check("if the supervisor is killed, all end",
                     len(children) >= 4 and
                     lab.wait_for(lambda: not any(map(is_alive, children)), 5))
        server.start()
        with report.case("and the next start serves"):
            assert works(server, "after the end")


def end_at_once():
    """It is told to end before it is ready."""
    folder = tempfile.mkdtemp(prefix="postrider-test-")
    server = subprocess.Popen([lab.BINARY, "dev", "--dir", folder, "--base-port",
                               str(lab.free_base()), "--accounts", "1000000"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=lab.ends_with_us())
    time.sleep(1)
    at = time.time()
    server.terminate()
    code = server.wait(120)
    report.check("it ends while accounts are being made", code == 0 and time.time() - at < 5,
                 f"{code} after {time.time() - at:.1f} s")
    shutil.rmtree(folder)


def people_later():
    with lab.Server(accounts=1) as server:
        server.stop()
        server.args[server.args.index("--accounts") + 1] = "300"
        at = time.time()
        server.start()
        report.check("accounts are added later, quickly", time.time() - at < 10)
        with report.case("and can log in"):
            server.imap("user300").logout()
            server.imap("user1").logout()


ports_and_people()
deaths()
slow_down()
ends()
end_at_once()
people_later()
report.close()
