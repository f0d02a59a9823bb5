"""What the runs of tests/powercut share: a load under the recorder, and the checker."""
import os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import seeds

LOAD_SECONDS = 90
TARGETS = ("powercut_record.so", "powercut_load", "powercut_check")


def build(tree=ROOT):
    return seeds.built(tree, *TARGETS)


class Run:
    """A store, its reference and the trace, on a disk in memory, which holds files as a disk
    that is never flushed."""

    def __init__(self, tree=ROOT):
        self.build = tree / "build"
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="powercut-", dir="/dev/shm"))
        for name in ("store", "ref"):
            (self.place / name).mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.place, ignore_errors=True)

    def load(self, seed, groups, *words, **settings):
        """settings: POWERCUT_... without that, in lower case; point: of rt/fault.h.  The process,
        when it has ended."""
        where = [self.place / name for name in ("store", "ref", "trace")]
        env = {"POSTRIDER_FAULT": settings.pop("point")} if "point" in settings else {}
        env |= {"POWERCUT_" + name.upper(): str(value) for name, value in settings.items()}
        env |= {"POWERCUT_FOLDER": str(where[0]), "POWERCUT_TRACE": str(where[2]),
                "LD_PRELOAD": str(self.build / "powercut_record.so")}
        command = [self.build / "powercut_load", *where, str(seed), str(groups), *words]
        with open(self.place / "log", "a") as log:
            try:
                return subprocess.run(command, env=os.environ | env, stdout=subprocess.PIPE,
                                      stderr=log, text=True, timeout=LOAD_SECONDS)
            except subprocess.TimeoutExpired:
                return subprocess.CompletedProcess(command, 1, "FAIL it hangs\n")

    def check(self, cuts, seed, *words):
        """(passed, failed, what it said)"""
        env = {"POWERCUT_RECORD": str(self.build / "powercut_record.so")}
        done = subprocess.run([self.build / "powercut_check", self.place / "trace",
                               self.place / "store", self.place, str(cuts), str(seed), *words],
                              env=os.environ | env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=3000)
        last = re.fullmatch(r"(\d+) passed, (\d+) failed", done.stdout.splitlines()[-1])
        return int(last[1]), int(last[2]), done.stdout

    def sites(self):
        """Each place in the program that asked the disk for something, and how often."""
        lines = (self.place / "sites").read_text().split("\n")
        return {name: int(calls) for name, calls in (line.split() for line in lines if line)}
