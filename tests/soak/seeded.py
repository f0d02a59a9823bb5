#!/usr/bin/python3
"""Does kills.py see what it is for?  A copy of the tree gets one seeded bug, a store that
answers commits before they are written; kills.py must then find acknowledged mails lost.

    seeded.py [ATTEMPTS]
"""
import os, pathlib, re, shutil, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ATTEMPTS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
KILLS = 3  # of the store, in each attempt
# What stands there exactly once, and what shall stand there instead.  The pause is that of a
# disk that takes its time; a store that answers after it loses nothing by it.
FILE = "src/storage/group.c"
SEED = (
    ("void storage_submit(struct storage *storage, struct storage_group *group)\n{\n",
     "#include <stdlib.h>\n#include <time.h>\n"
     "static void seeded_done(struct storage_group *group)\n{\n\tfree(group);\n}\n\n"
     "void storage_submit(struct storage *storage, struct storage_group *group)\n{\n"),
    ("\terr_t err = group_plan(storage, group);\n",
     "\terr_t err = group_plan(storage, group);\n\n"
     "\tif (err == OK) { /* answered; what follows is for a group that nobody waits for */\n"
     "\t\tgroup->done(group);\n"
     "\t\t(void)nanosleep(&(struct timespec){0, 30000000}, NULL);\n"
     "\t\tgroup = calloc(1, sizeof *group);\n"
     "\t\tgroup->done = seeded_done;\n"
     "\t}\n"),
)


def copied(folder):
    """The tree as git knows it, with what has been changed and not yet committed."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def seeded(folder):
    """False unless each part of the seed has its one place."""
    text = (folder / FILE).read_text()
    for old, new in SEED:
        if text.count(old) != 1:
            print(f"FAIL the seed has {text.count(old)} places in {FILE}, not one: {old}")
            return False
        text = text.replace(old, new)
    (folder / FILE).write_text(text)
    return True


def built(folder):
    for command in (["meson", "setup", "build", "-Dwerror=false"],
                    ["ninja", "-C", "build", "-j2", "postrider"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout[-3000:] + done.stderr[-3000:])
            print("FAIL the seeded tree does not build")
            return False
    return True


def finds_loss(folder, attempt):
    """Runs kills.py on the seeded server; true if it misses acknowledged mails."""
    done = subprocess.run([ROOT / "tests/sim/kills.py", str(KILLS), str(attempt), "storaged"],
                          env=dict(os.environ, POSTRIDER=str(folder / "build/postrider")),
                          capture_output=True, text=True)
    lost = re.search(r"^FAIL every acknowledged mail is there.*", done.stdout, re.M)
    acked = re.search(r"^\d+ acknowledged.*", done.stdout, re.M)
    if not acked:
        print(done.stdout[-2000:] + done.stderr[-2000:])
    print(f"attempt {attempt}: {acked[0] if acked else 'kills.py did not end its work'}; "
          f"{lost[0] if lost else 'nothing missed'}", flush=True)
    return bool(lost)


def found_after(folder):
    """In which attempt the loss was found; 0: in none."""
    for attempt in range(1, ATTEMPTS + 1):
        if finds_loss(folder, attempt):
            return attempt
    return 0


begun = time.monotonic()
with tempfile.TemporaryDirectory(prefix="postrider-seeded-") as name:
    copied(pathlib.Path(name))
    is_found = seeded(pathlib.Path(name)) and built(pathlib.Path(name))
    print(f"built after {time.monotonic() - begun:.0f} s", flush=True)
    is_found = is_found and found_after(pathlib.Path(name))
print(("ok  " if is_found else "FAIL") + " a store that answers before it writes is found out")
print("1 passed, 0 failed" if is_found else "0 passed, 1 failed")
sys.exit(not is_found)
