#!/usr/bin/env python3
"""For every RFC, which sections the code cites, and where."""
import collections, pathlib, re, sys

CITED = re.compile(r"RFC (\d{3,5})((?:,?\s*(?:and\s+)?§[\d.]*\d)*)")

def order(section):
    return [int(part) for part in section.split(".") if part] if section else []

cited = collections.defaultdict(lambda: collections.defaultdict(list))
for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for rfc, sections in CITED.findall(line):
            for section in re.findall(r"§([\d.]*\d)", sections) or [""]:
                cited[int(rfc)][section].append(f"{path}:{number}")
wanted = {int(word) for word in sys.argv[1:]}
for rfc in sorted(cited):
    if wanted and rfc not in wanted:
        continue
    print(f"RFC {rfc}")
    for section in sorted(cited[rfc], key=order):
        places = cited[rfc][section]
        print(f"  {'§' + section if section else '(whole)':<12} {places[0]}")
        for place in places[1:]:
            print(f"  {'':<12} {place}")
