#!/usr/bin/python3
"""The long forms of the tests: fuzzing every parser, two hundred kills under load and as many while
mail leads out, a hundred thousand hostile sessions, IMAP clients of many kinds that change mailboxes at random, and whether
the kills would find a store that answers too early.

    tests/soak.py [--seconds N]    N: for each fuzz target, and for the IMAP clients
"""
import argparse, pathlib, subprocess, sys

words = argparse.ArgumentParser()
words.add_argument("--seconds", type=int, default=120)
options = words.parse_args()
root = pathlib.Path(__file__).resolve().parents[1]
sys.exit(subprocess.call(
    ["tools/sum.py", "tests:200 kills", "tests/sim/kills.py 200",
     "tests:200 kills while mail leads out", "tests/sim/kills_out.py 200",
     "tests:200 octets changed under a server", "tests/sim/heal.py 200",
     "tests:1,000 octets changed in the store", "env POSTRIDER_FLIPS=1000 build-fuzz/unit heal_test",
     "tests:a hostile hour", "tests/soak/hostile.py --sessions 100000",
     "tests:many clients of IMAP", f"tests/soak/imap_model.py --seconds {options.seconds}",
     "tests:a seeded bug found", "tests/soak/seeded.py",
     "tests:a seeded relay found", "tests/soak/relay.py",
     "tests:every parser fuzzed", f"tools/fuzz.py build-fuzz --seconds {options.seconds}"],
    cwd=root))
