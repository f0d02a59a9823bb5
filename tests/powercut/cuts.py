#!/usr/bin/python3
"""Power cuts in a load, at moments of chance and where something was just promised.

    cuts.py [CUTS [SEED]]    (60)

Each load runs twice on its store: first on a slow disk, until the process ends without
closing it, then on a quick one.  On a failure the trace stays, to be looked at again with
`powercut_check TRACE ROOT SCRATCH at POSITION FATE SEED`.
"""
import random, shutil, sys
from powercut import Run, build

CUTS_A_LOAD, GROUPS_MAX = 500, 600
SLOW_US, QUICK_US = 3000, 200


def cut(cuts, seed):
    """(passed, failed) of one load."""
    groups = min(GROUPS_MAX, 100 + cuts)
    with Run() as run:
        for i, (flush_us, words) in enumerate([(SLOW_US, ["leave"]), (QUICK_US, [])]):
            done = run.load(2 * seed + i, groups, *words, flush_us=flush_us)
            if done.returncode != 0:
                print(f"FAIL seed {seed}, load {i}: ended with {done.returncode}", done.stdout)
                return 0, 1
        passed, failed, said = run.check(cuts, seed)
        if failed:
            kept = shutil.copy(run.place / "trace", f"/tmp/powercut-{seed}.trace")
            print(said, f"ROOT was {run.place}/store; TRACE is {kept}", sep="")
        return passed, failed


def main():
    cuts = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1000)
    passed = failed = 0
    if not build():
        return 1
    while cuts > 0:
        more = cut(min(cuts, CUTS_A_LOAD), seed)
        passed, failed = passed + more[0], failed + more[1]
        print(f"seed {seed}: {more[0]} cuts survived, {more[1]} not", flush=True)
        cuts -= CUTS_A_LOAD
        seed += 1
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
