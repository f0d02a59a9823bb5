#!/usr/bin/python3
"""Does the power cut see what it is for?  A copy of the tree gets one bug after the other, and
each must be found.  Nothing of this is in any program that is built otherwise.

    seeded.py [WORD]    only those whose description has the word
    seeded.py --fit     only looks, in no time, whether each still has its place in the source
"""
import pathlib, sys, tempfile
from powercut import Run, TARGETS, seeds

GROUPS, CUTS, ATTEMPTS = 250, 150, 8
IN_PEACE = 3  # attempts at the tree as it is

# What it is; then files, each with pairs of what stands there once and what shall stand there.
BUGS = (
    ("the reply leaves before the flush",
     ("src/storage/flush.c",
      ("\tunlock(flusher);\n\tall_done(done);\n}\n\n/* ---- the threads",
      "\tif (!done)\n\t\tdone = take_upto(flusher, UINT64_MAX);\n"
      "\tunlock(flusher);\n\tall_done(done);\n}\n\n/* ---- the threads"))),
    ("the index is ahead of the pack",
     ("src/storage/group.c",
      ("\tbool is_whole = flusher_drain(&storage->flusher);\n", "\tbool is_whole = true;\n"))),
    ("groups under way are called durable",
     ("src/storage/group.c",
      ("uint64_t durable = flusher_durable(&storage->flusher);",
       "uint64_t durable = storage->work.state.sequence;"))),
    ("the torn tail stays",
     ("src/db/packwrite.c",
      ("\terr_t err = disk_cut(fd, scan->end.offset);\n", "\terr_t err = OK;\n"))),
    ("a fresh pack's name is not flushed",
     ("src/db/packwrite.c",
      ("\tif (err == OK && packs->folder)\n"
       "\t\terr = disk_flush_folder(packs->folder);\n", ""))),
    ("a fresh pack is named before it is flushed",
     ("src/db/packwrite.c",
      ("\tif (err == OK)\n\t\terr = disk_flush(fd);\n", ""))),
    ("the data directory is not flushed",
     ("src/storage/open.c",
      ("(err = disk_flush_folder(storage->folder)) != OK", "false"))),
    ("a fresh index is not made aside",
     ("src/db/kv.c",
      ("\tTRY(kv_make_empty(options->path));\n", ""))),
    ("a fresh index is not made aside, and nothing heals it",
     ("src/db/kv.c",
      ("\tTRY(kv_make_empty(options->path));\n", "")),
     ("src/storage/open.c",
      ("if (err == OK || !is_index_damaged ||", "if (err == OK || options->folder ||"))),
    ("a key is forgotten by the replay",
     ("src/storage/replay.c",
      ("\treturn key_keep(work, &head, results, head.count);\n",
      "\treturn dec_done(&d) ? OK : ERR_SYNTAX;\n"))),
    ("a released row counts as tried after the replay",
     ("src/storage/record.c",
      ("outcome <= QUEUE_PROLONG ? (enum queue_outcome)outcome", "outcome == QUEUE_DONE ? QUEUE_DONE"))),
    ("leases of those who are gone stay",
     ("src/storage/open.c",
      ("err = storage_release_leases(storage);", "err = OK;"))),
    ("punched before the commit is durable",
     ("src/storage/space.c",
      ("row.sequence > space->proven", "false"),
      ("atomic_load(&storage->indexed) + INDEX_COMMITS", "0")),
     # Before that, housekeeping waits until the index has all.
     ("src/storage/maintain.c",
      ("\tif (storage->has_changes)\n\t\treturn true;\n", ""))),
    ("punched while pinned",
     ("src/storage/space.c",
      ("if (!storage_is_pinned(storage) && !space", "if (!space"),
      ("if (kept == 0 || storage_is_pinned(storage))", "if (kept == 0)")),
     ("src/storage/janitor.c",
      ("from < j->count && !storage_is_pinned(j->storage)", "from < j->count"))),
    ("punched what a reference still needs",
     ("src/storage/bodies.c",
      ("\t\tif (err == OK) {\n\t\t\twork->state.shared_bytes",
       "\t\tif (err == OK)\n\t\t\terr = ERR_ABSENT;\n"
       "\t\tif (err == OK) {\n\t\t\twork->state.shared_bytes")),
     ("src/storage/space.c", ("*may = !is_shared && ", "*may = "))),
    ("the old place is punched before the log tells where the body went",
     ("src/storage/space.c",
      ("\t\teffect_write(&storage->effects, &effect);\n",
       "\t\tsize_t punched;\n\n"
       "\t\t(void)packs_punch(storage->packs, &body->at, 1, &punched);\n"
       "\t\teffect_write(&storage->effects, &effect);\n"))),
    ("a purge is not told by the log",
     ("src/storage/replay.c",
      ("\t\tTRY(effect_apply(work, &effect, &results[i]));\n",
       "\t\tif (effect.kind != EFFECT_PURGED)\n"
       "\t\t\tTRY(effect_apply(work, &effect, &results[i]));\n"))),
    ("the end of expunged mail is not told by the log",
     ("src/storage/replay.c",
      ("\t\tTRY(effect_apply(work, &effect, &results[i]));\n",
       "\t\tif (effect.kind != EFFECT_EXPIRED)\n"
       "\t\t\tTRY(effect_apply(work, &effect, &results[i]));\n"))),
    ("a trimmed log does not say where it begins",
     ("src/storage/changes.c",
      ("\t\trow->change_floor = num_max(row->change_floor, cut);\n", ""))),
)


def found_after(tree, attempts=ATTEMPTS):
    """In which attempt; 0: in none."""
    for attempt in range(1, attempts + 1):
        with Run(tree) as run:
            done = run.load(attempt, GROUPS, flush_us=3000)
            if done.returncode == 1 or (done.returncode == 0 and run.check(CUTS, attempt)[1]):
                return attempt
    return 0


def fits(what, *files):
    return all([seeds.text_with(file, changes) is not None for file, *changes in files])


def is_found(tree, what, *files):
    attempt = 0
    if all([seeds.sown(tree, file, changes) for file, *changes in files]) and \
            seeds.built(tree, *TARGETS):
        attempt = found_after(tree)
    for file, *_ in files:
        seeds.sown(tree, file, [])
    print(f"ok   {what}: found, attempt {attempt}" if attempt else f"FAIL {what}: not found",
          flush=True)
    return attempt > 0


def is_quiet(tree):
    """Whoever finds something where nothing was sown, finds nothing where something was."""
    attempt = 0 if seeds.built(tree, *TARGETS) else 1
    attempt = attempt or found_after(tree, IN_PEACE)
    print(f"FAIL nothing sown: found, attempt {attempt}" if attempt else
          "ok   nothing sown: nothing found", flush=True)
    return not attempt


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    stale = sum(not fits(*bug) for bug in BUGS)
    if stale or word == "--fit":
        print(f"{len(BUGS) - stale} passed, {stale} failed")
        return stale > 0
    bugs = [bug for bug in BUGS if word in bug[0]]
    with tempfile.TemporaryDirectory(prefix="powercut-seeded-") as name:
        tree = pathlib.Path(name)
        seeds.copied(tree)
        good = is_quiet(tree) + sum(is_found(tree, *bug) for bug in bugs)
    print(f"{good} passed, {len(bugs) + 1 - good} failed")
    return good <= len(bugs)


if __name__ == "__main__":
    sys.exit(main())
