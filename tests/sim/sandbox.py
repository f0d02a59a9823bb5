#!/usr/bin/python3
"""From inside each kind of process: what it should not be able to do, it cannot."""
import ctypes, os, pathlib, struct, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import lab

ATTEMPTS = ("open", "create", "open parent", "unlink", "socket", "connect", "bind", "execve",
            "fork", "ptrace", "process_vm_readv", "kill", "kill all", "kill group", "chroot")
report = lab.Report()

for role in ("storaged", "vaultd", "smtpd", "imapd", "mta", "deliverd", "indexd", "extractd"):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "own").mkdir()
        pathlib.Path(folder, "other").touch()
        done = subprocess.run([lab.BINARY, "child", role, "--probe"], cwd=folder + "/own",
                              capture_output=True, text=True, timeout=20)
        attempts = ATTEMPTS
        if done.stdout.splitlines()[-2:-1] == ["without seccomp"]:  # a sanitized build
            attempts, done.stdout = ATTEMPTS[:4], done.stdout.replace("without seccomp\n", "")
        found = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines()[:-1])
        for attempt in attempts:
            may = role == "mta" and attempt in ("socket", "connect", "bind")
            report.check(f"{role}: {attempt} is {'allowed' if may else 'refused'}",
                         found.get(attempt) == ("ALLOWED" if may else "refused"),
                         done.stdout + done.stderr)
        report.check(f"{role}: what lies beside its folder is still there",
                     os.listdir(folder + "/own") == [] and sorted(os.listdir(folder)) ==
                     ["other", "own"])
        report.check(f"{role}: nothing else was tried", set(found) == set(attempts))

with lab.Server() as server:
    for pid, role in server.children().items():
        status = dict(line.split(":\t", 1) for line in
                      pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        report.check(f"running {role}: no new privileges", status["NoNewPrivs"] == "1")
        if attempts == ATTEMPTS:
            report.check(f"running {role}: system calls are filtered", status["Seccomp"] == "2")
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
        core = next(line for line in limits if line.startswith("Max core file size"))
        report.check(f"running {role}: leaves no core", core.split()[4:6] == ["0", "0"], core)
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        report.check(f"running {role}: inherits no environment", b"HOME=" not in environment)


def old_kernel():
    """From here on this process's kernel knows no Landlock: its first call is ENOSYS."""
    program = b"".join(struct.pack("HBBI", *op) for op in (
        (0x20, 0, 0, 0),             # load the number of the call
        (0x15, 0, 1, 444),           # landlock_create_ruleset, on every architecture
        (0x06, 0, 0, 0x00050000 | 38),
        (0x06, 0, 0, 0x7fff0000)))
    code = ctypes.create_string_buffer(program)
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter_, 0, 0) == 0


with tempfile.TemporaryDirectory() as folder:
    conf = pathlib.Path(folder, "conf")
    conf.write_text(f"[server]\ndata-directory = {folder}/data\nhostname = mail.example.org\n")
    done = subprocess.run([lab.BINARY, "serve", "-c", conf], preexec_fn=old_kernel,
                          capture_output=True, text=True, timeout=20)
    report.check("serve does not start where it cannot confine its processes",
                 done.returncode == 1 and "has no Landlock" in done.stderr and
                 "Nothing was started" in done.stderr, done.stderr)
with lab.Server(preexec_fn=old_kernel) as server:
    log = pathlib.Path(server.log).read_text()
    report.check("dev says so and goes on", "has no Landlock" in log and
                 "sandbox incomplete" in log)
report.close()
