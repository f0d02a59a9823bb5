#!/usr/bin/env python3
"""Plays tests/dialog/imap against the IMAP door over a store in memory:
dialogues.py IMAP_FAKE [WORD...]"""
import pathlib, socket, subprocess, sys, time

folder = pathlib.Path(__file__).parent.parent


def free_base():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1] - 143


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not answer")


def main():
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        words = sys.argv[2:] or ["imap/" + path.stem for path in (folder / "dialog/imap").glob("*.txt")
                                 if "\nTLS\n" not in path.read_text()
                                 and " imaps\n" not in path.read_text()]  # there is no TLS here
        done = subprocess.run([sys.executable, folder / "dialog/run.py", "127.0.0.1", str(base), *words])
    finally:
        alive = server.poll() is None
        server.terminate()
        server.wait()
    sys.exit(done.returncode or not alive)


if __name__ == "__main__":
    main()
