#!/usr/bin/python3
"""Does kills.py see what it is for?  A copy of the tree gets one seeded bug, a store that
answers commits before they are written; kills.py must then find acknowledged mails lost.

    seeded.py [ATTEMPTS]
"""
import os, pathlib, re, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import seeds

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
    ("\terr = group_plan(storage, group);\n",
     "\terr = group_plan(storage, group);\n\n"
     "\tif (err == OK) { /* answered; what follows is for a group that nobody waits for */\n"
     "\t\tgroup->done(group);\n"
     "\t\t(void)nanosleep(&(struct timespec){0, 30000000}, NULL);\n"
     "\t\tgroup = calloc(1, sizeof *group);\n"
     "\t\tgroup->done = seeded_done;\n"
     "\t}\n"),
)


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
    tree = pathlib.Path(name)
    seeds.copied(tree)
    is_found = seeds.sown(tree, FILE, SEED) and seeds.built(tree, "postrider")
    print(f"built after {time.monotonic() - begun:.0f} s", flush=True)
    is_found = is_found and found_after(tree)
print(("ok  " if is_found else "FAIL") + " a store that answers before it writes is found out")
print("1 passed, 0 failed" if is_found else "0 passed, 1 failed")
sys.exit(not is_found)
