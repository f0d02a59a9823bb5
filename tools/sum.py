#!/usr/bin/env python3
"""Runs checks and test runners one after the other and adds up.

    tools/sum.py check:TITLE COMMAND … tests:TITLE COMMAND …

A check counts as one test, passed if it exits with 0; its output is shown if it fails.  Of a
test runner the closing line "N passed, N failed" counts; one that is missing, or comes with
the wrong exit code, counts as a failure.  The last line printed is the sum of all.
"""
import re, subprocess, sys, time

CLOSING = re.compile(r"(\d+) passed, (\d+) failed")

def run(title, command, is_shown):
    """The exit code and all lines of output."""
    begun = time.monotonic()
    lines = []
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        for line in process.stdout:
            lines.append(line)
            if is_shown:
                print(line, end="", flush=True)
    took = time.monotonic() - begun
    return process.returncode, lines, took

def main(arguments):
    passed = failed = 0
    for name, command in zip(arguments[::2], arguments[1::2], strict=True):
        kind, title = name.split(":", 1)
        if kind == "check":
            code, lines, took = run(title, command, is_shown=False)
            more = (1, 0) if code == 0 else (0, 1)
            if code != 0:
                print("".join(lines), end="")
        elif kind == "tests":
            print(f"---- {title}", flush=True)
            code, lines, took = run(title, command, is_shown=True)
            closing = CLOSING.fullmatch(lines[-1].strip()) if lines else None
            more = tuple(map(int, closing.groups())) if closing else (0, 1)
            if not closing:
                print(f"{title}: no closing line (exit code {code})")
            elif (code != 0) != (more[1] != 0) or more == (0, 0):
                print(f"{title}: {lines[-1].strip()}, but exit code {code}")
                more = (more[0], more[1] + 1)
        else:
            sys.exit(f"{name}: begin with check: or tests:")
        passed, failed = passed + more[0], failed + more[1]
        print(f"{'ok    ' if more[1] == 0 else 'FAILED'} {title} ({took:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed != 0

sys.exit(main(sys.argv[1:]))
