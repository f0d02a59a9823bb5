"""Copies of the tree with one bug sown, for the tests of the tests."""
import os, pathlib, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def copied(folder):
    """The tree as git knows it, with what has been changed and not yet committed."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def text_with(file, seed):
    """The file's text with the seed in it: pairs of what stands there exactly once, and what
    shall stand there instead.  None, and a line that says so, unless each has its one place."""
    text = (ROOT / file).read_text()
    for old, new in seed:
        if text.count(old) != 1:
            print(f"FAIL the seed has {text.count(old)} places in {file}, not one: {old}")
            return None
        text = text.replace(old, new)
    return text


def sown(folder, file, seed):
    """False if the seed does not fit."""
    text = text_with(file, seed)
    if text is None:
        return False
    (folder / file).write_text(text)
    return True


def built(folder, *targets):
    commands = [["ninja", "-C", "build", "-j2", *targets]]
    if not (folder / "build/build.ninja").exists():
        commands.insert(0, ["meson", "setup", "build", "-Dwerror=false"])
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout[-3000:] + done.stderr[-3000:])
            print("FAIL the tree does not build")
            return False
    return True
