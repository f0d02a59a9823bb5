#!/usr/bin/env python3
"""Runs checks and test runners and adds up.

    tools/sum.py [--jobs N] check:TITLE COMMAND … tests:TITLE COMMAND …

So many run at a time, or one after the other; what several say is shown one after the other.

A check counts as one test, passed if it exits with 0; its output is shown if it fails.  Of a
test runner the closing line "N passed, N failed" counts; one that is missing, or comes with
the wrong exit code, counts as a failure.  The last line printed is the sum of all.
"""
import concurrent.futures, re, subprocess, sys, time

CLOSING = re.compile(r"(\d+) passed, (\d+) failed")

def run(title, command, is_shown):
    """The exit code and all lines of output."""
    begun = time.monotonic()
    lines = []
    if is_shown:
        print(f"---- {title}", flush=True)
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        for line in process.stdout:
            lines.append(line)
            if is_shown:
                print(line, end="", flush=True)
    took = time.monotonic() - begun
    return process.returncode, lines, took

def count(kind, title, code, lines):
    """(passed, failed) of what has run."""
    if kind == "check":
        if code != 0:
            print("".join(lines), end="")
        return (1, 0) if code == 0 else (0, 1)
    closing = CLOSING.fullmatch(lines[-1].strip()) if lines else None
    more = tuple(map(int, closing.groups())) if closing else (0, 1)
    if not closing:
        print(f"{title}: no closing line (exit code {code})")
    elif (code != 0) != (more[1] != 0) or more == (0, 0):
        print(f"{title}: {lines[-1].strip()}, but exit code {code}")
        more = (more[0], more[1] + 1)
    return more

def main(arguments):
    jobs, passed, failed = 1, 0, 0
    if arguments[:1] == ["--jobs"]:
        jobs, arguments = int(arguments[1]), arguments[2:]
    pool, under_way = concurrent.futures.ThreadPoolExecutor(jobs), []
    for name, command in zip(arguments[::2], arguments[1::2], strict=True):
        kind, title = name.split(":", 1)
        if kind not in ("check", "tests"):
            sys.exit(f"{name}: begin with check: or tests:")
        is_shown = kind == "tests" and jobs == 1
        under_way.append((kind, title, is_shown,
                          pool.submit(run, title, command, is_shown)))
    for kind, title, is_shown, done in under_way:
        code, lines, took = done.result()
        if kind == "tests" and not is_shown:
            print(f"---- {title}\n{''.join(lines)}", end="")
        more = count(kind, title, code, lines)
        passed, failed = passed + more[0], failed + more[1]
        print(f"{'ok    ' if more[1] == 0 else 'FAILED'} {title} ({took:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed != 0

sys.exit(main(sys.argv[1:]))
