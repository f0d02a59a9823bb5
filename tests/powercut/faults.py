#!/usr/bin/python3
"""Each place in src/db, src/storage and LMDB that asks the disk for something fails once with
EIO, once with ENOSPC, and once the process is killed there; at its first call, the second,
and one at random.  The places are found by asking, so a new one is never forgotten; the
fault points of rt/fault.h in those folders are found in their source.

    faults.py [RUNS [SEED [WORD]]]    so many of them, drawn at random (0: all), of those
                                      whose name has the word

A store that lives on must in the end be like one in peace; what a killed one left must hold
all that was acknowledged, also if the power goes with it.
"""
import random, re, sys
from powercut import ROOT, Run, build

GROUPS, FLUSH_US = 100, 500
ACTIONS = "EIO", "ENOSPC", "kill"
POINT = re.compile(r'(?:fault_point|is_faulty)\("([a-z_.]+)"\)')
POINT_FILES = "src/db/*.c", "src/storage/*.c", "src/rt/file.c"
POINT_CALLS = 20  # the random call is one of so many; not every point is passed so often


def places(seed):
    with Run() as run:
        done = run.load(seed, GROUPS, "faults", flush_us=FLUSH_US, sites=run.place / "sites")
        assert done.returncode == 0, done.stdout
        return run.sites()


def points():
    return sorted({point for files in POINT_FILES for path in ROOT.glob(files)
                   for point in POINT.findall(path.read_text())})


def cases(sites, seed):
    """(whose, spec, action)"""
    draw = random.Random(seed)
    for site, calls in sorted(sites.items()):
        for nth in sorted({1, 2, draw.randint(1, calls)}):
            if nth <= calls:
                yield from (("fail", f"{site}:{nth}:{action}", action) for action in ACTIONS)
    for point in points():
        more = ("short", "torn") if point.endswith(".write") else ()
        for nth in (1, 2, draw.randint(3, POINT_CALLS)):
            yield from (("point", f"{point}:{nth}:{action}", action)
                        for action in ACTIONS + more)


def holds(whose, spec, action, seed):
    with Run() as run:
        done = run.load(seed, GROUPS, "faults", flush_us=FLUSH_US, **{whose: spec})
        spoke = done.stdout
        killed = done.returncode == -9
        if done.returncode == 0 or (killed and action in ("kill", "torn")):
            passed, failed, said = run.check(4, seed, "end")
            if failed == 0:
                return True
            spoke += said
        log = (run.place / "log").read_text().splitlines()
        print(f"FAIL {whose} {spec} seed {seed}: ended with {done.returncode}",
              *spoke.splitlines()[:4], *log[-6:], sep="\n  ", flush=True)
        return False


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1000)
    if not build():
        return 1
    found = places(seed)
    todo = list(cases(found, seed))
    if len(sys.argv) > 3:
        todo = [case for case in todo if sys.argv[3] in case[1]]
    if runs:
        todo = random.Random(seed).sample(todo, min(runs, len(todo)))
    good = sum(holds(*case, seed) for case in todo)
    print(f"{len(found)} places, {len(points())} points, seed {seed}")
    print(f"{good} passed, {len(todo) - good} failed")
    return good < len(todo)


if __name__ == "__main__":
    sys.exit(main())
