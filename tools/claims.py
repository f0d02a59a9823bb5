#!/usr/bin/env python3
"""Every kind of hostile input in docs/SECURITY.md names what proves its bound, every leniency in
docs/LENIENCY.md a test, and all of that exists.

In a table whose last column is "proved by", each row names at least one test there, as
`path`: name, name; `path`: …  The name is a TEST of a .c file, a case or function of a .py
file; a path without names is a dialogue, a seed corpus, or a script that shows one thing.
Every path on the page has to be there, too.  Prints what is missing; exit 1.
"""
import pathlib, re, sys

PAGES = [pathlib.Path("docs/SECURITY.md"), pathlib.Path("docs/LENIENCY.md")]

def is_there(path, name):
    text = path.read_text()
    if path.suffix == ".c":
        return re.search(rf"^(?:TEST|CONFORMANCE)\({re.escape(name)}\)", text, re.M)
    return re.search(rf"""^def {re.escape(name)}\(|"{re.escape(name)}["_:]""", text, re.M)

def missing(cell):
    """What is wrong with a cell, as sentences."""
    claims = re.findall(r"`([^`]+)`(?:: ([a-z0-9_, \n]+))?", cell)
    if not claims:
        yield "no test is named"
    for where, names in claims:
        path = pathlib.Path(where)
        if not path.exists():
            continue  # said below, as of any path
        wanted = [name.strip() for name in names.split(",") if name.strip()]
        if not wanted and path.suffix == ".c":
            yield f"which test in {where}?"
        for name in wanted:
            if not is_there(path, name):
                yield f"{where} has no {name}"

def rows(text):
    """(line number, cells) of the tables that promise proofs."""
    is_proved = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            is_proved = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[-1] == "proved by":
            is_proved = True
        elif is_proved and set(line) - set("|-: "):
            yield number, cells

bad = 0
for page in PAGES:
    text, count = page.read_text(), 0
    for where in re.findall(r"`((?:src|tests|tools)/[^`\s]+)`", text):
        if not pathlib.Path(where).exists():
            bad += 1
            print(f"{page}: {where} does not exist")
    for number, cells in rows(text):
        count += 1
        for sentence in missing(cells[-1]):
            bad += 1
            print(f"{page}:{number}: {cells[0]}: {sentence}")
    if count == 0:
        bad += 1
        print(f"{page}: no table says what it is proved by")
sys.exit(bad > 0)
