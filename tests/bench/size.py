#!/usr/bin/python3
"""What size costs: a mailbox of a million, a hundred thousand accounts, much data on disk.

    tests/bench/size.py [mailbox] [accounts] [disk] [deliverers] [--scale X] [--write]

`mailbox` compares with Dovecot at 100,000 messages, the rest are figures of our own.
--write puts them into docs/PERFORMANCE.md.  It takes many minutes, and some 10 GB.
"""
import argparse, json, os, pathlib, re, signal, socket, statistics, subprocess, sys, tempfile
import time

from sides import HERE, Client, Ours, Peer, compiled, seconds

ROOT = HERE.parents[1]
LETTER = (b"From: Ann <ann@example.org>\r\nTo: user1@postrider.test\r\nSubject: letter %d\r\n"
          b"Date: Sun, 22 Nov 2026 00:00:00 +0000\r\nMessage-ID: <%d@size.example>\r\n\r\n"
          b"A line of text.\r\n")


def imapload(*words):
    return subprocess.check_output([compiled("imapload", "-lssl", "-lcrypto"),
                                    *map(str, words)], text=True)


def mbox(path, count):
    with open(path, "wb") as out:
        for i in range(count):
            out.write(b"From ann@example.org Sun Nov 22 00:00:00 2026\n")
            out.write((LETTER % (i, i)).replace(b"\r\n", b"\n") + b"\n")


def fill(side, user, count):
    """By import: a million by IMAP would take long."""
    with tempfile.TemporaryDirectory() as folder:
        mbox(folder + "/INBOX", count)
        done = side.server.ctl("import", "mbox", user, folder + "/INBOX", timeout=3000)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def deliver(side, user, mails):
    return json.loads(subprocess.check_output(
        [compiled("smtpload"), str(side.port("smtp")), "1", str(mails), "50", "4096",
         user, "1"]))["seconds"]


def resync(side, client, user, count):
    """Who was away while 100 flags changed comes back (RFC 7162 §3.2.5)."""
    other = Client(side.port("imap"), user)
    other.order(b"ENABLE QRESYNC")
    found = []
    for turn in range(5):
        other.socket.sendall(b"t SELECT INBOX\r\n")
        said = other.until(b"t ", keep=True)[0]
        validity, modseq = (re.search(rb"%s (\d+)" % word, said)[1]
                            for word in (b"UIDVALIDITY", b"HIGHESTMODSEQ"))
        other.order(b"UNSELECT")
        for i in range(100):
            client.order(b"STORE %d %bFLAGS.SILENT (kept)" % (count // 101 * (i + 1),
                                                             b"-" if turn % 2 else b"+"))
        found.append(seconds(lambda: other.order(b"SELECT INBOX (QRESYNC (%b %b))"
                                                 % (validity, modseq))))
        other.order(b"UNSELECT")
    return (f"QRESYNC after 100 changes: {1000 * statistics.median(found):.1f} ms "
            f"({1000 * min(found):.1f}-{1000 * max(found):.1f})")


def mailbox(options):
    count, many = int(1_000_000 * options.scale), int(100_000 * options.scale)
    ours = Ours(2)
    lines = []
    try:
        big, empty = "user1@postrider.test", "user2@postrider.test"
        began = time.time()
        fill(ours, big, count)
        lines.append(f"{count:,} imported from mbox: {count / (time.time() - began):,.0f} a second")
        client = Client(ours.port("imap"), big)
        lines.append(f"SELECT of {count:,}: "
                     f"{1000 * seconds(lambda: client.order(b'SELECT INBOX'), 20):.1f} ms")
        pairs = [deliver(ours, big, 500) / deliver(ours, empty, 500) for _ in range(5)]
        lines.append(f"a delivery there costs {statistics.median(pairs):.2f} × one to an empty "
                     f"mailbox ({min(pairs):.2f}-{max(pairs):.2f})")
        client.order(b"SELECT INBOX")
        flags = [seconds(lambda: client.order(b"STORE 1:10000 %bFLAGS.SILENT (\\Flagged)" % sign))
                 for sign in (b"+", b"-", b"+", b"-", b"+")]
        lines.append(f"flags of 10,000 changed: {1000 * statistics.median(flags):.0f} ms")
        lines.append(resync(ours, client, big, count))
        client.order(b"STORE 1:5000 +FLAGS.SILENT (\\Deleted)")
        gone = [seconds(lambda: client.order(b"UID EXPUNGE %d:%d" % (i + 1, i + 1000)))
                for i in range(0, 5000, 1000)]
        lines.append(f"1,000 expunged: {1000 * statistics.median(gone):.0f} ms")
        peer = Peer(2)
        try:
            user = peer.user % 1
            imapload("fill", peer.port("imap"), many, 300, user)
            theirs = Client(peer.port("imap"), user)
            theirs.order(b"SELECT INBOX")
            rates = []
            for side, c in (("ours", client), ("Dovecot's", theirs)) * 5:
                took = seconds(lambda: c.order(b"FETCH 1:%d (UID FLAGS)" % many))
                rates.append(many / took)
            pairs = [a / b for a, b in zip(rates[::2], rates[1::2])]
            lines.append(f"FETCH 1:{many} (UID FLAGS): {statistics.median(rates[::2]):,.0f} rows "
                         f"a second, Dovecot {statistics.median(rates[1::2]):,.0f}, ratio "
                         f"{statistics.median(pairs):.1f} ({min(pairs):.1f}-{max(pairs):.1f})")
        finally:
            peer.stop()
    finally:
        ours.stop()
    return lines


def storaged(side):
    return next(pid for pid, role in side.server.children().items() if role == "storaged")


def storaged_kb(side, what):
    text = pathlib.Path(f"/proc/{storaged(side)}/smaps_rollup").read_text()
    return int(re.search(rf"(?m)^{what}: +(\d+)", text)[1])


def own_kb(pid):
    return int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def say(text):
    """Progress, for whoever waits many minutes."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def send(side, sessions, mails, octets, users):
    """Until all are counted in the mailboxes; gives the seconds.  None may be missing."""
    before, pid, began, told = side.count(), storaged(side), time.time(), time.time()
    load = subprocess.Popen([compiled("smtpload"), str(side.port("smtp")), str(sessions),
                             str(mails), "50", str(octets), side.recipient, str(users)],
                            stdout=subprocess.PIPE)
    while load.poll() is None:
        try:
            load.wait(0.2)
        except subprocess.TimeoutExpired:
            side.own_kb = max(side.own_kb, own_kb(pid))
            if time.time() - told >= 15:
                told, there = time.time(), side.count() - before
                say(f"{there:,} of {mails:,} mails, {there / (told - began):,.0f} a second")
    result = json.loads(load.stdout.read())
    if result["acked"] != mails:
        raise RuntimeError(f"of {mails} mails {result['acked']} were taken")
    while (there := side.count() - before) < mails:
        if time.time() - began > result["seconds"] + 60:
            raise RuntimeError(f"of {mails} mails {there} are there")
        time.sleep(0.02)
    return time.time() - began


def rate(side, users, mails):
    return mails / send(side, 50, mails, 4096, users)


def timed_start(side):
    began = time.time()
    side.server.start()
    return time.time() - began


def power_off(side):
    """All processes of the server are gone at once: none of them ends in good order."""
    server = side.server
    os.kill(server.process.pid, signal.SIGSTOP)  # it would start its children again
    children = list(server.children())
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    server.process.kill()
    server.process.wait()
    server.process.stdout.close()
    server.log_file.close()
    while any(pathlib.Path(f"/proc/{pid}").exists() for pid in children):
        time.sleep(0.01)


def starts(side, times, users):
    """How long each start takes after a kill -9 while mails come in."""
    took = []
    for _ in range(times):
        load = subprocess.Popen([compiled("smtpload"), str(side.port("smtp")), "20", "1000000",
                                 "50", "4096", side.recipient, str(users)],
                                stdout=subprocess.DEVNULL)
        time.sleep(1)
        power_off(side)
        load.kill()
        load.wait()
        took.append(timed_start(side))
        say(f"killed, and started in {took[-1]:.2f} s")
    return took


def accounts(options):
    many, runs, lines = int(100_000 * options.scale), 5, []
    few, side = Ours(100), None
    try:
        began = time.time()
        side = Ours(many)
        lines.append(f"{many:,} accounts made in {time.time() - began:.1f} s")
        say(lines[-1])
        filling = rate(side, many, 10 * many)
        lines.append(f"10 mails of 4 KB for each of them: {filling:,.0f} a second")
        say(lines[-1])
        rates = [(rate(few, 100, 20_000), rate(side, many, 20_000)) for _ in range(runs)]
        with_few, with_many = (statistics.median(r) for r in zip(*rates))
        pairs = [b / a for a, b in rates]
        lines.append(f"then {with_many:,.0f} a second; with 100 accounts {with_few:,.0f}; in turn, "
                     f"ratio {statistics.median(pairs):.2f} ({min(pairs):.2f}-{max(pairs):.2f})")
        say(lines[-1])
        lines.append(f"the store's memory of its own: at most {side.own_kb // 1024} MB while mails "
                     f"come in, {storaged_kb(side, 'Pss_Anon') // 1024} MB after; with the page "
                     f"cache it has mapped {storaged_kb(side, 'Pss') // 1024} MB")
        say(lines[-1])
        stats = stats_of(side)
        side.server.stop()
        lines.append(f"started again in {timed_start(side):.2f} s, with an index of "
                     f"{stats['index_bytes'] / 1e6:,.0f} MB")
        say(lines[-1])
        took = starts(side, 5, many)
        lines.append(f"open after each of {len(took)} kills -9 while mails come in: "
                     + ", ".join(f"{t:.2f}" for t in took) + " s; after the second, and every other, "
                     "the whole index is looked through")
    finally:
        few.stop()
        if side:
            side.stop()
    return lines


def disk(options):
    mails = int(68_000 * options.scale)
    side = Ours(100)
    try:
        took = send(side, 20, mails, 102_400, 100)
        say(f"{mails:,} mails of 100 KB in {took:.0f} s")
        octets = sum(path.stat().st_size
                     for path in pathlib.Path(side.server.folder).rglob("*.pack"))
        took = starts(side, 5, 100)
    finally:
        side.stop()
    return [f"until all ports answer after each of {len(took)} kills -9 with {octets / 1e9:.1f} GB: "
            + ", ".join(f"{t:.2f}" for t in took) + " s"]


def stats_of(side):
    return json.loads(side.server.ctl("store", "stats", "--json").stdout)


def calls_of(trace, pid, since):
    """(name, descriptor, path, result) of those that the store made since then.  A call during which others
    come is told in two lines."""
    threads, begun = os.listdir(f"/proc/{pid}/task"), {}
    for line in trace.read_text().splitlines():
        thread, at, told = line.split(maxsplit=2)
        call = re.match(r"(\w+)\((\d+)<(.*?)>", told)
        if call:
            begun[thread] = call.groups()
        result = re.search(r"\) += (\d+)$", told)
        if result and thread in threads and float(at) >= since and thread in begun:
            yield *begun[thread], int(result[1])


def writes_that_flush(pid):
    """Its descriptors that flush with each write."""
    found = set()
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        if int(re.search(r"flags:\s+(\d+)", path.read_text())[1], 8) & os.O_DSYNC:
            found.add(path.name)
    return found


def deliverers(options):
    """Counted by strace: the kernel's own count takes a page for as many as it has together."""
    lines = ["| sessions | mails/s | commits a group | octets written for each that was "
             "delivered | flushes a commit |", "|---|---|---|---|---|"]
    for sessions, mails in ((1, 2_000), (8, 10_000), (64, 20_000)):
        with tempfile.TemporaryDirectory() as folder:
            mails, trace = int(mails * options.scale), pathlib.Path(folder) / "trace"
            side = Ours(200, under=("strace", "-D", "-f", "-y", "--seccomp-bpf", "-ttt", "-o",
                                    str(trace), "-e",
                                    "trace=fsync,fdatasync,msync,sync_file_range,pwritev2,"
                                    "pwrite64,pwritev,writev"))
            try:
                rate(side, 200, 200)  # so that all is there that a first mail makes
                pid, before, since = storaged(side), stats_of(side), time.time()
                took = send(side, sessions, mails, 4096, 200)
                after = stats_of(side)
                time.sleep(1)  # the trace may come late
                flushes = octets = 0
                by_itself = writes_that_flush(pid)
                for name, fd, path, result in calls_of(trace, pid, since):
                    flushes += "sync" in name or fd in by_itself
                    octets += result if "write" in name and path.startswith("/") else 0
            finally:
                side.stop()
        commits, groups = (after[key] - before[key] for key in ("commits", "groups"))
        say(f"{sessions} sessions: {commits} commits, {groups} groups, {flushes} flushes")
        lines.append(f"| {sessions} | {mails / took:,.0f} | {commits / groups:.1f} | "
                     f"{octets / mails / 4096:.2f} | {flushes / commits:.2f} |")
    return lines


SECTIONS = {call.__name__: call for call in (mailbox, accounts, disk, deliverers)}


def main():
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("sections", nargs="*", metavar="SECTION")
    words.add_argument("--scale", type=float, default=1)
    words.add_argument("--write", action="store_true")
    options = words.parse_args()
    subprocess.check_call(["make", "-s", "-C", str(ROOT), "build"])
    page = ROOT / "docs" / "PERFORMANCE.md"
    for name in options.sections or SECTIONS:
        text = "\n".join(line if line.startswith("|") else "- " + line
                         for line in SECTIONS[name](options))
        print(f"{name}\n{text}\n", flush=True)
        if options.write:
            page.write_text(re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                                   lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page.read_text(),
                                   flags=re.S))


main()
