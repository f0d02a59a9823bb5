#!/usr/bin/python3
"""The test of the test, in seconds: on a disk that forgets what it was told to keep, a store
must lose, and the checker must see it."""
import sys
from powercut import Run, build

LIES = "packs", "folders", "index"


def is_seen(lie):
    with Run() as run:
        done = run.load(7, 100, flush_us=1000, lie=lie)
        failed = run.check(30, 7)[1] if done.returncode == 0 else 0
    print(("ok  " if failed else "FAIL") + f" a disk that lies about {lie} is found out")
    return failed > 0


if not build():
    sys.exit(1)
seen = sum(is_seen(lie) for lie in LIES)
print(f"{seen} passed, {len(LIES) - seen} failed")
sys.exit(seen < len(LIES))
