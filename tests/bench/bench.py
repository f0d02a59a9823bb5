#!/usr/bin/python3
"""Ours against Postfix + Dovecot, in turn, on loopback.

    tests/bench/bench.py [SECTION...] [--runs N] [--write] [--scale X] [--no-peer]

Sections: smtp (mails sent until counted in mailboxes), slow (the same with 2 ms added to
each flush, on both sides), relay (mails sent until a next server has them), trust (signed
mail of strangers, with and without the checks who it is from), logins, append, retr, idle
(memory of sessions), push (how soon 1,000 of them hear of a mail), commands (of IMAP, in a
mailbox of 100,000), search (there, with the index that it has).  Without one, all.
Builds ours (release), installs the peers if they are missing (their services are kept from
starting on public ports), and prints ratio and spread; --write puts the tables into
docs/PERFORMANCE.md between their marks.  It takes minutes and is no test.
"""
import argparse, json, multiprocessing, os, re, statistics, subprocess, time

import imap, search as searching
from sides import HERE, Ours, Peer, Sink, compiled, cpu_s, pss_kb, written_bytes
from trust import CLIENT, DOMAIN, Internet, OursChecked, OursUnchecked, PeerChecked, check

ROOT = HERE.parents[1]
USERS, ACCOUNTS = 200, 1000
#        name, sessions, mails a connection, octets, mails in all
LOADS = [("50 × 50, 4 KB", 50, 50, 4096, 5000), ("100 × 1, 4 KB", 100, 1, 4096, 2000),
         ("10 × 50, 100 KB", 10, 50, 102400, 1000), ("1 × 1, 4 KB", 1, 1, 4096, 500)]
TRUST_SESSIONS = (50, 10)
PEER_SHARE = 8  # it gets so much less to do


def spread(values, form="{:.0f}"):
    values = sorted(values)
    middle, least, most = (form.format(v) for v in
                           (statistics.median(values), values[0], values[-1]))
    return f"{middle} ({least}-{most})"


def ratios(ours, theirs):
    return spread([a / b for a, b in zip(ours, theirs)], "{:.1f}") if theirs else "-"


def rows(head, lines):
    return "\n".join("| " + " | ".join(line) + " |" for line in
                     [head, ["---"] * len(head), *lines]).replace("| --- ", "|---")


def send(side, load, sessions, per_connection, octets, mails, to=None, count=None, mail=()):
    """to: the form of the recipients, if they are not the users; count() then says how many
    mails have come to them.  mail: the file with what is sent instead of made-up text."""
    count = count or side.count
    os.sync()
    before = count()
    cpu, disk, began = cpu_s(side), written_bytes(), time.time()
    result = json.loads(subprocess.check_output(
        [load, str(side.port("smtp")), str(sessions), str(mails), str(per_connection),
         str(octets), to or side.recipient, str(USERS), *mail]))
    while count() - before < result["acked"] and time.time() - began < 120:
        time.sleep(0.02)
    seconds, there = time.time() - began, count() - before
    result.update(rate=there / seconds, lost=result["acked"] - there,
                  cpu=(cpu_s(side) - cpu) / max(there, 1) * 1000)
    os.sync()
    result["kb"] = (written_bytes() - disk) / max(there, 1) / 1024
    side.settle()  # the search index is made when there is time, not in what is measured next
    return result


def smtp(options, flush_ms=0):
    load, results = compiled("smtpload"), {}
    sides = [kind(USERS, flush_ms) for kind in options.kinds]
    try:
        for run in range(options.runs):
            for name, sessions, per_connection, octets, mails in LOADS:
                for side in sides:
                    count = int(mails * options.scale)
                    if side.name == Peer.name:
                        count = max(sessions, count // PEER_SHARE)
                    result = send(side, load, sessions, per_connection, octets, count)
                    results.setdefault((name, side.name), []).append(result)
                    print(f"run {run + 1}: {side.name}, {name}: {result['rate']:.0f}/s, "
                          f"CPU {result['cpu']:.3f}, {result['kb']:.1f} KB, lost "
                          f"{result['lost']}, failed {result['failed']}", flush=True)
    finally:
        for side in sides:
            side.stop()
    lines = []
    for name, *_ in LOADS:
        ours, theirs = results[name, Ours.name], results.get((name, Peer.name), [])
        rates = [[r["rate"] for r in side] for side in (ours, theirs)]
        lines.append([name, spread(rates[0]), spread(rates[1]) if theirs else "-",
                      ratios(*rates)]
                     + [form.format(statistics.median(r[key] for r in ours)) for key, form in
                        (("cpu", "{:.3f}"), ("kb", "{:.1f}"), ("ack_ms_p99", "{:.1f}"))]
                     + [str(sum(r["lost"] for r in ours))])
    return rows(["sessions × mails a connection", "postrider mails/s",
                 "Postfix + Dovecot mails/s", "ratio", "our CPU s/1,000",
                 "our KB written/mail", "p99 to 250, ms", "lost"], lines)


def slow(options):
    return smtp(options, flush_ms=2)


def relay(options):
    """A sink of its own for each side, with the same settings."""
    load, results = compiled("smtpload"), {}
    sinks = [Sink() for _ in options.kinds]
    sides = [kind(1, relay_to=sink.port) for kind, sink in zip(options.kinds, sinks)]
    try:
        forms = [side.relays(USERS) for side in sides]
        for run in range(options.runs):
            for side, sink, form in zip(sides, sinks, forms):
                count = int(5000 * options.scale) // (1 if side.name == Ours.name
                                                      else PEER_SHARE // 2)
                result = send(side, load, 20, 50, 4096, count, form, sink.count)
                results.setdefault(side.name, []).append(result)
                print(f"run {run + 1}: {side.name}, relayed {result['rate']:.0f}/s, taken "
                      f"{result['acked'] / result['seconds']:.0f}/s, CPU {result['cpu']:.3f}, "
                      f"lost {result['lost']}, failed {result['failed']}", flush=True)
    finally:
        for one in sides + sinks:
            one.stop()
    ours, theirs = results[Ours.name], results.get(Peer.name, [])
    rates = [[r["rate"] for r in side] for side in (ours, theirs)]
    cpus = [f"{statistics.median(r['cpu'] for r in side):.3f}" if side else "-"
            for side in (ours, theirs)]
    return rows(["20 sessions in, 4 KB", "postrider mails/s", "Postfix mails/s", "ratio",
                 "our CPU s/1,000", "Postfix's", "lost"],
                [["relayed", spread(rates[0]), spread(rates[1]) if theirs else "-",
                  ratios(*rates), *cpus, str(sum(r["lost"] for r in ours))]])


def trust(options):
    """In a process of its own, since nobody comes back from a network of his own."""
    results = multiprocessing.SimpleQueue()
    process = multiprocessing.Process(target=lambda: results.put(trust_inside(options)))
    subprocess.check_call([ROOT / "tools" / "deps", "test"])
    process.start()
    process.join()
    if process.exitcode != 0:
        raise RuntimeError("the section did not end well")
    return results.get()


def trust_inside(options):
    load, results, lines, sides = compiled("smtpload"), {}, [], []
    kinds = [OursUnchecked, OursChecked] + ([PeerChecked] if Peer in options.kinds else [])
    with Internet() as internet:
        try:
            for kind in kinds:
                sides.append(kind(USERS))
                check(sides[-1], internet.mail, kind.wanted)
                # So that what the first mails start has been started.
                send(sides[-1], load, 50, 2, 0, 100, mail=[internet.mail])
            for run in range(options.runs):
                for sessions in TRUST_SESSIONS:
                    for side in sides:
                        count = int(5000 * options.scale)
                        if isinstance(side, Peer):
                            count = max(sessions, count // PEER_SHARE)
                        result = send(side, load, sessions, 50, 0, count, mail=[internet.mail])
                        results.setdefault((sessions, side.name), []).append(result)
                        print(f"run {run + 1}: {side.name}, {sessions} × 50: "
                              f"{result['rate']:.0f}/s, CPU {result['cpu']:.3f}, "
                              f"{result['kb']:.1f} KB, lost {result['lost']}, failed "
                              f"{result['failed']}", flush=True)
        finally:
            for side in sides:
                side.stop()
        parts = one_judged(internet, options)
    for sessions in TRUST_SESSIONS:
        found = [results.get((sessions, kind.name), []) for kind in
                 (OursUnchecked, OursChecked, PeerChecked)]
        rates = [[r["rate"] for r in side] for side in found]
        lines.append([f"{sessions} × 50, 4 KB"] + [spread(r) if r else "-" for r in rates] +
                     [spread([b / a for a, b in zip(*rates[:2])], "{:.2f}"),
                      ratios(rates[1], rates[2])] +
                     [f"{statistics.median(r['cpu'] for r in side):.3f}" if side else "-"
                      for side in found] + [str(sum(r["lost"] for r in found[0] + found[1]))])
    return rows(["sessions × mails a connection", "without checks, mails/s", "with checks",
                 "Postfix + Dovecot with theirs", "with to without", "ours to theirs",
                 "CPU s/1,000 without", "with", "theirs", "lost"], lines) + "\n\n" + \
        rows(["of one mail", "CPU µs"], parts)


def one_judged(internet, options):
    """What it costs alone: (part, CPU µs)"""
    subprocess.check_call(["ninja", "-C", str(ROOT / "build"), "judgebench"],
                          stdout=subprocess.DEVNULL)
    costs = {}
    for _ in range(options.runs):
        text = subprocess.check_output(
            [str(ROOT / "build" / "judgebench"), "127.0.0.1:53", CLIENT, DOMAIN,
             f"load@{DOMAIN}", internet.mail], text=True)
        for part, us in re.findall(r"^(\S.*?) +([\d.]+) us$", text, re.M):
            costs.setdefault(part, []).append(float(us))
    return [[part, spread(us)] for part, us in costs.items()]


def client(*words):
    return json.loads(subprocess.check_output([compiled("imapload", "-lssl", "-lcrypto"),
                                               *map(str, words)]))


def turns(options, cases):
    """Each case (name, call of a side that gives its rate, whether once is enough) by each
    side in turn."""
    sides, lines = [kind(ACCOUNTS) for kind in options.kinds], []
    try:
        for name, call, is_once in cases:
            rates = {side.name: [] for side in sides}
            for run in range(1 if is_once else options.runs):
                for side in sides:
                    rate = call(side)
                    rates[side.name].append(rate)
                    print(f"run {run + 1}: {side.name}, {name}: {rate:.0f}/s", flush=True)
            ours, theirs = rates[Ours.name], rates.get(Peer.name, [])
            lines.append([name, spread(ours), spread(theirs) if theirs else "-",
                          ratios(ours, theirs)])
    finally:
        for side in sides:
            side.stop()
    return rows(["a second", "postrider", "Dovecot", "ratio"], lines)


def logins(options):
    def rate(service, is_tls, seconds=4):
        return lambda side: client("logins", side.port(service), is_tls, 16, seconds, ACCOUNTS,
                                   side.user)["rate"]

    def cold(side):
        found = rate("imap", 0)(side)
        rate("imap", 0, 30)(side)  # so that each account has been there once
        return found

    return turns(options, [("log-ins of accounts never seen before", cold, True),
                           ("log-ins, plain", rate("imap", 0), False),
                           ("log-ins, TLS", rate("imaps", 1), False)])


def append(options):
    def rate(side):
        messages = 10000 if side.name == Ours.name else 10000 // PEER_SHARE
        return client("append", side.port("imap"), 50, messages, 4096, USERS, side.user)["rate"]

    return turns(options, [("APPEND of 4 KB by 50 clients", rate, False)])


def retr(options):
    filled = set()

    def rate(side):
        user = side.user % ACCOUNTS
        if side.name not in filled:
            filled.add(side.name)
            subprocess.check_call([compiled("imapload", "-lssl", "-lcrypto"), "fill",
                                   str(side.port("imap")), "1000", "4096", user])
        return client("retr", side.port("pop3"), 1000, user)["rate"]

    return turns(options, [("POP3 RETR of 1,000 mails of 4 KB", rate, False)])


def idle(options):
    """The slope between two numbers of sessions, all of them in a mailbox of 10,000."""
    few, many = (1000, 11000)
    load, lines = compiled("imapload", "-lssl", "-lcrypto"), []
    for name, service, is_tls in (("plain", "imap", 0), ("TLS", "imaps", 1)):
        side, at = Ours(4), {}
        try:
            subprocess.check_call([load, "fill", str(side.port("imap")), "10000", "500",
                                   side.user % 1])
            for count in (few, many):
                clients = subprocess.Popen(
                    [load, "idle", str(side.port(service)), str(is_tls), str(count), "1",
                     side.user], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                if clients.stdout.readline() != b"ready\n":
                    raise RuntimeError("the clients did not get in")
                time.sleep(40)  # until what idle sessions need no more is given back
                at[count] = pss_kb(side)
                clients.communicate()
                time.sleep(2)
        finally:
            side.stop()
        print(f"idle {name}: {at}", flush=True)
        lines.append([name, f"{at[few] // 1024}", f"{at[many] // 1024}",
                      f"{(at[many] - at[few]) / (many - few):.1f}"])
    return rows(["sessions in a mailbox of 10,000", f"{few:,}: MB of PSS", f"{many:,}: MB",
                 "slope, KB a session"], lines)


def commands(options):
    return rows(["in a mailbox of 100,000", "postrider, ms", "Dovecot, ms", "as fast"],
                list(imap.lines(options)))


def search(options):
    return rows(["SEARCH in 100,000 mails", "postrider, ms", "Dovecot, ms", "as fast"],
                list(searching.lines(options)))


def push(options):
    """A mail for each account, and how long after its 250 its sessions heard of it, while
    others sit in IDLE as well; all of them over TLS."""
    told, load, lines = 1000, compiled("imapload", "-lssl", "-lcrypto"), []
    for name, users in (("1,000 accounts, one session each", told), ("one account", 1)):
        side, rounds = Ours(users + 50), []
        try:
            clients = subprocess.Popen(
                [load, "push", str(side.port("imaps")), "1", str(told), str(users), side.user,
                 str(options.others), str(side.port("smtp"))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            if clients.stdout.readline() != "ready\n":
                raise RuntimeError("the clients did not get in")
            time.sleep(40)  # as above
            kb = pss_kb(side)
            for _ in range(2 * options.runs + 1):
                clients.stdin.write("\n")
                rounds.append(json.loads(clients.stdout.readline()))
                print(f"push, {name}: {rounds[-1]}, load {os.getloadavg()[0]:.1f}", flush=True)
                time.sleep(1)
            clients.communicate()
        finally:
            side.stop()
        lines.append([name, f"{told + options.others:,}", f"{kb // 1024}"] +
                     [spread([r[key] for r in rounds], "{:.1f}") for key in ("p50", "p99", "max")] +
                     [str(sum(told - r["told"] + r["failed"] for r in rounds))])
    return rows(["a mail for", "sessions in IDLE", "MB of PSS", "median, ms", "p99, ms",
                 "longest, ms", "not told"], lines)


SECTIONS = {call.__name__: call for call in (smtp, slow, relay, trust, logins, append, retr,
                                              idle, push, commands, search)}


def main():
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("sections", nargs="*", metavar="SECTION")
    words.add_argument("--runs", type=int, default=3)
    words.add_argument("--write", action="store_true")
    words.add_argument("--no-peer", action="store_true")
    words.add_argument("--scale", type=float, default=1, help="of the number of mails")
    words.add_argument("--others", type=int, default=9000,
                       help="sessions in IDLE beside those of push")
    options = words.parse_args()
    options.kinds = [Ours] if options.no_peer else [Ours, Peer]
    subprocess.check_call(["make", "-s", "-C", str(ROOT), "build"])
    page = ROOT / "docs" / "PERFORMANCE.md"
    for name in options.sections or SECTIONS:
        text = SECTIONS[name](options)
        print(f"\n{text}\n", flush=True)
        if options.write:
            page.write_text(re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                                   lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page.read_text(),
                                   flags=re.S))


main()
