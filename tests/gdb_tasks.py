#!/usr/bin/env python3
"""tools/gdb/tasks.py shows the tasks of a live process.  Usage: gdb_tasks.py DEMO SCRIPT"""
import re, shutil, subprocess, sys

if not shutil.which("gdb"):
    print("gdb is not installed")
    sys.exit(77)  # skipped
demo = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True)
try:
    assert demo.stdout.readline() == "ready\n"
    shown = subprocess.run(["gdb", "-nx", "-batch", "-p", str(demo.pid), "-ex", f"source {sys.argv[2]}",
                            "-ex", "tasks"], capture_output=True, text=True, timeout=60)
finally:
    demo.kill()
    demo.wait()
wanted = [r'^task \d+ imap "session 17, alice@example\.org" waiting for others$',
          r'^task \d+ mta "queue run" waiting for others$',
          r'^task \d+ clock "" waiting for time$',
          r'^    #\d+ task_suspend at .*task\.c:\d+$',
          r'^    #\d+ wait_inside at .*gdb_demo\.c:\d+$',
          r'^    #\d+ wait_for_ever at .*gdb_demo\.c:\d+$',
          r'^    #\d+ sleep_for_ever at .*gdb_demo\.c:\d+$',
          r'^3 tasks$']
missing = [pattern for pattern in wanted if not re.search(pattern, shown.stdout, re.M)]
if missing:
    print(shown.stdout, shown.stderr, "missing:", *missing, sep="\n")
sys.exit(bool(missing))
