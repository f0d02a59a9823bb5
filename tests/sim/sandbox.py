#!/usr/bin/python3
"""From inside each kind of process: what it should not be able to do, it cannot."""
import os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

ATTEMPTS = ("open", "create", "open parent", "unlink", "socket", "connect", "bind", "execve",
            "fork", "ptrace", "process_vm_readv", "kill", "kill all", "kill group", "chroot")
report = lab.Report()

for role in ("storaged", "vaultd", "smtpd", "imapd"):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "own").mkdir()
        pathlib.Path(folder, "other").touch()
        done = subprocess.run([lab.BINARY, "child", role, "--probe"], cwd=folder + "/own",
                              capture_output=True, text=True, timeout=20)
        found = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines()[:-1])
        for attempt in ATTEMPTS:
            report.check(f"{role}: {attempt} is refused", found.get(attempt) == "refused",
                         done.stdout + done.stderr)
        report.check(f"{role}: what lies beside its folder is still there",
                     os.listdir(folder + "/own") == [] and sorted(os.listdir(folder)) ==
                     ["other", "own"])
        report.check(f"{role}: nothing else was tried", set(found) == set(ATTEMPTS))

with lab.Server() as server:
    for pid, role in server.children().items():
        status = dict(line.split(":\t", 1) for line in
                      pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        report.check(f"running {role}: no new privileges", status["NoNewPrivs"] == "1")
        report.check(f"running {role}: system calls are filtered", status["Seccomp"] == "2")
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
        core = next(line for line in limits if line.startswith("Max core file size"))
        report.check(f"running {role}: leaves no core", core.split()[4:6] == ["0", "0"], core)
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        report.check(f"running {role}: inherits no environment", b"HOME=" not in environment)
report.close()
