#!/usr/bin/env python3
"""No two folders define a function or an object of the same name: the linker would take whichever library comes
first, and say nothing.  Reads the libraries of a build; --test shows that it finds such a pair, and only that.

  tools/symbols.py build
  tools/symbols.py --test
"""
import collections, pathlib, re, subprocess, sys, tempfile


def defined(libraries):
    """{name: {"FOLDER/OBJECT"}} of what others may link to; weak symbols are meant to be several."""
    found = collections.defaultdict(set)
    text = subprocess.run(["nm", "-A", "-g", "--defined-only", "-P", *map(str, libraries)], capture_output=True,
                          check=True, text=True).stdout
    for line in text.splitlines():
        place, name, kind = re.match(r"(.+): (\S+) (\S)", line).groups()
        library, member = re.fullmatch(r"(.*)\[(.*)\]", place).groups()
        if kind in "TDBRC":
            found[name].add(f"{pathlib.Path(library).parent.name}/{pathlib.Path(member).name}")
    return found


def check(build):
    libraries = sorted(pathlib.Path(build).glob("src/*/lib*.a"))
    found = defined(libraries)
    bad = {name: places for name, places in found.items() if len(places) > 1}
    for name, places in sorted(bad.items()):
        print(f"{name} is defined in {' and '.join(sorted(places))}: give one another name, or make it static")
    if not libraries or not found:
        print(f"{build} holds no libraries: build first")
        return 2
    return bool(bad)


def make(folder, library, sources):
    place = folder / "src" / library
    place.mkdir(parents=True)
    for name, text in sources.items():
        (place / f"{name}.c").write_text(text)
        subprocess.run(["cc", "-c", "-fno-common", f"{name}.c"], cwd=place, check=True)
    subprocess.run(["ar", "csr", f"lib{library}.a", *(f"{name}.o" for name in sources)], cwd=place, check=True)


def self_test():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(folder, "one", {"a": "int shared(void) { return 1; }\nstatic int own(void) { return 2; }\nint a(void) { return own(); }",
                             "b": "int shared(void);\nint b(void) { return shared(); }"})
        make(folder, "two", {"c": "static int own(void) { return 3; }\nint c(void) { return own(); }\n"
                                  "__attribute__((weak)) int shared(void) { return 4; }"})
        is_quiet = check(folder) == 0
        make(folder, "three", {"d": "int shared(void) { return 5; }\nint a = 6;"})
        said = subprocess.run([sys.executable, __file__, str(folder)], capture_output=True, text=True)
    wanted = ["a is defined in one/a.o and three/d.o", "shared is defined in one/a.o and three/d.o"]
    is_loud = said.returncode == 1 and [line.split(":")[0] for line in said.stdout.splitlines()] == wanted
    print(f"{is_quiet + is_loud} passed, {2 - is_quiet - is_loud} failed")
    return not (is_quiet and is_loud)


sys.exit(self_test() if sys.argv[1:] == ["--test"] else check(sys.argv[1] if len(sys.argv) > 1 else "build"))
