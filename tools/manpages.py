#!/usr/bin/env python3
"""The manual pages are in step with the program: every command has its entry in postrider(1),
and the SETTINGS of postrider.conf(5) are what the table of settings says.  With --write, the
latter is brought up to date."""
import pathlib, re, subprocess, sys

PROGRAM = "build/postrider"

def says(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True).stdout

def check_settings(is_writing):
    path = pathlib.Path("man/postrider.conf.5")
    before, rest = path.read_text().split(".Sh SETTINGS\n")
    is_at, after = rest.split(".Sh FILES\n")
    wanted = says("config", "man")
    if is_at == wanted:
        return True
    if is_writing:
        path.write_text(f"{before}.Sh SETTINGS\n{wanted}.Sh FILES\n{after}")
        return True
    print(f"{path}: SETTINGS are not what the table says; tools/manpages.py --write")
    return False

def check_commands():
    path = pathlib.Path("man/postrider.1")
    entries = {" ".join(found) for found in
               re.findall(r"^\.It Cm (\S+)(?: ((?!Ar\b|Op\b|Fl\b)\S+))?", path.read_text(), re.M)}
    entries = {entry.strip() for entry in entries}
    commands = {" ".join(word for word in found if word) for found in
                re.findall(r"^  postrider (\S+)(?: ([a-z-]+))?", says("--help"), re.M)}
    for command in sorted(commands - entries):
        print(f"{path}: no entry for \"{command}\"")
    for entry in sorted(entries - commands):
        print(f"{path}: \"{entry}\" is no command")
    return commands == entries

good = check_settings("--write" in sys.argv[1:])
good = check_commands() and good
sys.exit(not good)
