#!/usr/bin/python3
"""The random clients of tests/imap/model.py against a whole server, whose IMAP processes share
one store: one seed after the other for so long, each printed.

    imap_model.py [--seconds N] [--seed SEED]    SEED: that one only, as often as there is time
"""
import argparse, pathlib, random, sys, time

tests = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(tests / "interop"), str(tests / "imap")]
import lab
import model

ROUNDS = 300

words = argparse.ArgumentParser()
words.add_argument("--seconds", type=int, default=600)
words.add_argument("--seed", type=int)
options = words.parse_args()
report = lab.Report()
end = time.time() + options.seconds
with lab.Server(accounts=1) as server:
    processes = server.children()
    while time.time() < end and not report.failed:
        seed = options.seed if options.seed is not None else random.randrange(10**9)
        with report.case(f"seed {seed}"):
            model.play(("127.0.0.1", server.port("imap")), seed, ROUNDS)
    report.check("no process was lost", server.children() == processes)
report.close()
