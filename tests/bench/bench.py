#!/usr/bin/python3
"""Mails sent until counted in mailboxes, ours against Postfix + Dovecot, in turn, on loopback.

    tests/bench/bench.py [--runs N] [--write] [--no-peer] [--mails N]

Builds ours (release), installs the peers if they are missing (their services are kept from
starting on public ports), runs both in turn, and prints ratio and spread; --write puts the
table into docs/PERFORMANCE.md between its marks.  It takes minutes and is no test.
"""
import argparse, glob, json, os, pathlib, re, shutil, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "interop"))
import lab, peer

TICKS = os.sysconf("SC_CLK_TCK")
USERS = 200
#        name, sessions, mails a connection, octets, mails in all
LOADS = [("50 × 50, 4 KB", 50, 50, 4096, 5000), ("100 × 1, 4 KB", 100, 1, 4096, 2000),
         ("10 × 50, 100 KB", 10, 50, 102400, 1000), ("1 × 1, 4 KB", 1, 1, 4096, 500)]


def tree(pid):
    found = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            for child in pathlib.Path(path).read_text().split():
                found += tree(int(child))
        except OSError:
            pass
    return found


def cpu_s(pids):
    ticks = 0
    for pid in {p for root in pids for p in tree(root)}:
        try:
            words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, words[11:15]))
        except OSError:
            pass
    return ticks / TICKS


def written_bytes():
    total = 0
    for path in glob.glob("/sys/block/[vsnx]*/stat"):
        total += int(pathlib.Path(path).read_text().split()[6]) * 512
    return total


class Ours:
    name = "postrider"

    def __init__(self):
        self.server = lab.Server(accounts=USERS).start()
        self.port, self.recipient = self.server.port("smtp"), "user%d@postrider.test"
        self.pids = [self.server.process.pid]

    def count(self):
        return json.loads(self.server.ctl("store", "stats", "--json").stdout)["messages"]

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.server.folder, ignore_errors=True)


class Peer:
    name = "Postfix + Dovecot"

    def __init__(self):
        self.peer = peer.Peer(tempfile.mkdtemp(prefix="peer-"), users=USERS).start()
        self.port, self.recipient = self.peer.port("smtp"), "u%04d@sdbox.test"
        self.pids = self.peer.pids()

    def count(self):
        return self.peer.count()

    def stop(self):
        self.peer.stop()


def measure(side, load, sessions, per_connection, octets, mails):
    os.sync()
    before = side.count()
    cpu, disk, began = cpu_s(side.pids), written_bytes(), time.time()
    out = subprocess.check_output([load, str(side.port), str(sessions), str(mails),
                                   str(per_connection), str(octets), side.recipient, str(USERS)])
    result = json.loads(out)
    while side.count() - before < result["acked"] and time.time() - began < 120:
        time.sleep(0.02)
    seconds, there = time.time() - began, side.count() - before
    result.update(rate=there / seconds, lost=result["acked"] - there,
                  cpu=(cpu_s(side.pids) - cpu) / max(there, 1) * 1000)
    os.sync()
    result["kb"] = (written_bytes() - disk) / max(there, 1) / 1024
    return result


def spread(values, form="{:.0f}"):
    values = sorted(values)
    return f"{form.format(statistics.median(values))} ({form.format(values[0])}-{form.format(values[-1])})"


def table(results, sides):
    lines = ["| sessions × mails a connection | " + " | ".join(f"{s} mails/s" for s in sides)
             + " | ratio | our CPU s/1,000 | our KB written/mail | p99 to 250, ms | lost |",
             "|---" * (len(sides) + 6) + "|"]
    for name, *_ in LOADS:
        ours = results[name, Ours.name]
        row = [name] + [spread([r["rate"] for r in results[name, side]]) for side in sides]
        if Peer.name in sides:
            pairs = zip(ours, results[name, Peer.name])
            row.append(spread([a["rate"] / b["rate"] for a, b in pairs], "{:.1f}"))
        else:
            row.append("-")
        row += [f"{statistics.median(r['cpu'] for r in ours):.3f}",
                f"{statistics.median(r['kb'] for r in ours):.1f}",
                f"{statistics.median(r['ack_ms_p99'] for r in ours):.1f}",
                str(sum(r["lost"] for r in ours))]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def main():
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--runs", type=int, default=3)
    words.add_argument("--write", action="store_true")
    words.add_argument("--no-peer", action="store_true")
    words.add_argument("--scale", type=float, default=1, help="of the number of mails")
    options = words.parse_args()
    subprocess.check_call(["make", "-s", "-C", str(ROOT), "build"])
    load = tempfile.mkdtemp() + "/smtpload"
    subprocess.check_call(["cc", "-O2", "-D_GNU_SOURCE", "-pthread", str(HERE / "smtpload.c"),
                           "-o", load])
    kinds = [Ours] if options.no_peer else [Ours, Peer]
    results = {}
    sides = [kind() for kind in kinds]
    try:
        for run in range(options.runs):
            for name, sessions, per_connection, octets, mails in LOADS:
                for side in sides:
                    count = int(mails * options.scale)
                    if side.name == Peer.name:
                        count = max(sessions, count // 8)  # it is that much slower
                    result = measure(side, load, sessions, per_connection, octets, count)
                    results.setdefault((name, side.name), []).append(result)
                    print(f"run {run + 1}: {side.name}, {name}: {result['rate']:.0f}/s, "
                          f"CPU {result['cpu']:.3f}, {result['kb']:.1f} KB, lost "
                          f"{result['lost']}, failed {result['failed']}", flush=True)
    finally:
        for side in sides:
            side.stop()
    text = table(results, [kind.name for kind in kinds])
    print(text)
    if options.write:
        page = ROOT / "docs" / "PERFORMANCE.md"
        page.write_text(re.sub(r"(<!-- smtp -->\n).*?(<!-- end -->)",
                               lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page.read_text(),
                               flags=re.S))


main()
