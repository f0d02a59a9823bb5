#!/usr/bin/env python3
"""Runs the fuzz targets of a build over their seeds in tests/corpus/NAME/.

    tools/fuzz.py BUILD [--runs N] [--seconds N] [--jobs N] [NAME …]

Each target counts as one test; what breaks one is kept in BUILD/crash/ with the command that
shows it again.  New inputs are gathered in BUILD/corpus/NAME/, beside the seeds.
"""
import argparse, concurrent.futures, pathlib, subprocess, sys

def fuzz(target, options):
    name = target.name.removesuffix("_fuzz")
    grown = target.parent / "corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    crash = target.parent / "crash"
    crash.mkdir(exist_ok=True)
    seeds = pathlib.Path("tests/corpus") / name
    command = [str(target), "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1",
               f"-runs={options.runs}", f"-max_total_time={options.seconds}",
               f"-artifact_prefix={crash}/{name}-", str(grown)]
    if not seeds.is_dir():
        return name, f"no seeds in {seeds}/"
    done = subprocess.run(command + [str(seeds)], capture_output=True, text=True, errors="replace")
    return name, None if done.returncode == 0 else " ".join(command) + "\n" + done.stderr[-6000:]

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    targets = [path for path in sorted(options.build.glob("*_fuzz"))
               if not options.names or path.name.removesuffix("_fuzz") in options.names]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, why in pool.map(lambda target: fuzz(target, options), targets):
            if why:
                print(f"{name}: {why}", flush=True)
                failed += 1
    print(f"{len(targets) - failed} passed, {failed} failed")
    return failed != 0 or not targets

sys.exit(main())
