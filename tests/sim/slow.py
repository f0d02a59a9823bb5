#!/usr/bin/python3
"""Slow clients: whoever says half of something, or does not listen, is waited for that long and
no longer, and then holds nothing: no memory, no lock, no file.  Time passes 30 times as fast."""
import os, pathlib, re, socket, ssl, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

HURRY, SLACK_S, MARGIN_KB = 30, 4, 3 << 10
report = lab.Report()
lock = threading.Lock()
BIG = b"From: <x@load.example>\r\nSubject: big\r\n\r\n" + (b"x" * 76 + b"\r\n") * 50000


def connect(service):
    return socket.create_connection(("127.0.0.1", server.port(service)), 60)


def talk(service, *said):
    """A connection on which each was said and answered."""
    client = connect(service)
    client.recv(4096)
    for text in said:
        client.sendall(text)
        client.recv(65536)
    return client


def is_open(client):
    client.settimeout(0.2)
    try:
        return client.recv(65536) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def ends(promise, wait_s, client, more=b""):
    """The server ends it after wait_s (of its own time), whatever comes of more, octet by octet."""
    begun = time.monotonic()
    until = begun + wait_s / HURRY + SLACK_S
    closed = False
    while not closed and time.monotonic() < until:
        try:
            if more:
                client.sendall(more[:1])
                more = more[1:] + more[:1]
            closed = not is_open(client)
        except OSError:
            closed = True
    took = time.monotonic() - begun
    client.close()
    with lock:
        report.check(promise, closed and took > wait_s / HURRY * 0.8 - 1,
                     f"after {took:.1f} s, should be {wait_s / HURRY:.1f}")


def deaf(promise, wait_s, client, text, times):
    """Asks for much and never reads.  The kernel may take a little more by and by, when it tries
    again what found no room: the wait begins anew then, and not without end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(1)
    try:
        for _ in range(times):
            client.sendall(text)
    except OSError:
        pass
    begun = last = time.monotonic()
    port = client.getsockname()[1]
    waits = waiting(port)
    while waits and time.monotonic() < min(last, begun + wait_s / HURRY) + wait_s / HURRY + SLACK_S:
        time.sleep(0.2)
        before, waits = waits, waiting(port)
        last = last if waits == before else time.monotonic()
    client.close()
    with lock:
        report.check(promise, not waits, f"still there after {time.monotonic() - begun:.1f} s, "
                     f"{time.monotonic() - last:.1f} s after the last octet was taken")


def waiting(port):
    """What the server's end of that connection has not got rid of, as the kernel writes it; None
    if that end is closed."""
    wanted = f"0100007F:{port:04X}"
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[2] == wanted:
            return words[4].partition(":")[0] if words[3] == "01" else None
    return None


def cases():
    hello = b"EHLO slow.example\r\n"
    mail = (hello, b"MAIL FROM:<x@load.example>\r\n", b"RCPT TO:<user1@postrider.test>\r\n")
    login = b"a LOGIN alice pass\r\n"
    yield ends, "smtp: silence", 300, talk("smtp")
    yield ends, "smtp: half a command", 300, talk("smtp", hello + b"MAIL FR")
    yield ends, "smtp: one octet at a time", 300, talk("smtp"), b"x"
    yield ends, "smtp: half a message", 300, talk("smtp", *mail, b"DATA\r\n")
    yield ends, "smtp: half a chunk", 300, chunk("smtp", mail)
    yield ends, "lmtp: half a message", 300, talk("lmtp", b"LHLO slow.example\r\n", *mail[1:], b"DATA\r\n")
    yield ends, "submission: half a log-in", 300, talk("submission", hello, b"AUTH PLAIN\r\n")
    yield ends, "smtp: half a handshake after STARTTLS", 30, half_tls(talk("smtp", hello, b"STARTTLS\r\n"))
    for service in ("submissions", "imaps", "pop3s"):
        yield ends, f"{service}: silence", 30, connect(service)
        yield ends, f"{service}: half a handshake", 30, half_tls(connect(service))
    yield ends, "imap: silence", 60, talk("imap")
    yield ends, "imap: one octet at a time before log-in", 60, talk("imap"), b"x"
    yield ends, "imap: small talk before log-in", 60, talk("imap"), b"a NOOP\r\n"
    yield ends, "imap: half a literal before log-in", 60, talk("imap", b"a LOGIN {5}\r\n")
    yield ends, "imap: half a message", 300, appending()
    yield ends, "pop3: silence", 600, talk("pop3")
    yield ends, "pop3: small talk before log-in", 600, talk("pop3"), b"CAPA\r\n"
    yield ends, "pop3: a maildrop held in silence", 600, talk("pop3", b"USER user2\r\n", b"PASS pass\r\n")
    yield deaf, "imap: a client that never reads", 300, talk("imap", login, b"b SELECT INBOX\r\n"), \
        b"c FETCH 1 BODY.PEEK[]\r\n", 20
    yield deaf, "pop3: a client that never reads", 600, talk("pop3", b"USER alice\r\n", b"PASS pass\r\n"), \
        b"RETR 1\r\n", 20
    yield deaf, "smtp: a client that never reads", 300, talk("smtp", hello), b"HELP\r\n" * 1000, 500


def chunk(service, mail):
    client = talk(service, *mail)
    client.sendall(b"BDAT 100000 LAST\r\nSubject: half\r\n")
    return client


def half_tls(client):
    client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20))
    return client


def appending():
    client = talk("imap", b"a LOGIN bob pass\r\n", b"b APPEND INBOX {20000000}\r\n")
    client.sendall(BIG)
    return client


def sizes():
    found = {}
    for pid in server.children():
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        found[pid] = (int(re.search(r"Pss_Anon:\s+(\d+)", text)[1]), len(os.listdir(f"/proc/{pid}/fd")))
    return found


def deliver():
    client = talk("smtp", b"EHLO x.example\r\n", b"MAIL FROM:<x@load.example>\r\n",
                  b"RCPT TO:<alice@postrider.test>\r\n", b"DATA\r\n")
    client.sendall(BIG + b".\r\n")
    answer = client.recv(1000)
    client.close()
    return answer.startswith(b"250")


with lab.Server(accounts=3, args=("--hurry", str(HURRY))) as server:
    report.check("a big mail comes", deliver())
    server.imap("bob").logout()
    time.sleep(1)
    children, before = server.children(), sizes()
    threads = [threading.Thread(target=case[0], args=case[1:]) for case in cases()]
    for thread in threads:
        thread.start()
    holder = socket.create_connection(("127.0.0.1", server.port("pop3")), 30)
    holder.recv(1000)
    holder.sendall(b"USER user2\r\nPASS pass\r\n")
    time.sleep(0.5)
    said = holder.recv(1000)
    holder.close()
    report.check("a maildrop that is held is not given twice", b"IN-USE" in said, str(said))
    for thread in threads:
        thread.join()
    with report.case("the maildrop is free again"):
        client = talk("pop3", b"USER user2\r\n")
        client.sendall(b"PASS pass\r\n")
        assert client.recv(1000).startswith(b"+OK")
        client.close()
    lab.wait_for(lambda: all(sizes().get(pid, (0, 0))[1] == fds for pid, (_, fds) in before.items()), 5)
    time.sleep(7)
    after = sizes()
    for pid, role in children.items():
        report.check(f"{role} holds nothing of theirs",
                     after[pid][1] == before[pid][1] and after[pid][0] <= before[pid][0] + MARGIN_KB,
                     f"{before[pid]} -> {after[pid]}")
    staged = [str(p) for p in pathlib.Path(server.folder, "data", "store", "staging").glob("*")]
    report.check("no file is left of what was not whole", not staged, str(staged))
    report.check("the server goes on", deliver() and server.children() == children)
report.close()
