"""Keys of domains, and a name server that shows them: for tests of signatures in mail."""
import base64, contextlib, pathlib, random, shutil, socket, subprocess, tempfile, time
import lab


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr.decode()[-500:]}")
    return done.stdout


def txt(text):
    parts = [text[i:i + 200] for i in range(0, len(text), 200)] or [""]
    return "TXT " + " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)


@contextlib.contextmanager
def names(records):
    """A knot with these TXT records (name, text), all in one zone; gives its HOST:PORT."""
    folder = tempfile.mkdtemp(prefix="postrider-keys-")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        while True:
            port = random.randint(11000, 32000)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                break
    zone = "$TTL 60\n. SOA ns. host. 1 3600 600 86400 60\n. NS ns.\nns. A 127.0.0.1\n"
    zone += "".join(f"{name}. {txt(text)}\n" for name, text in records)
    pathlib.Path(folder, "root.zone").write_text(zone)
    config = pathlib.Path(folder, "knot.conf")
    config.write_text(f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{port}\n"
                      f"log:\n  - target: {folder}/knot.log\n    any: info\ndatabase:\n    storage: {folder}\n"
                      f"template:\n  - id: default\n    storage: {folder}\n    zonefile-sync: -1\n"
                      f"    journal-content: none\nzone:\n  - domain: .\n    file: root.zone\n")
    process = subprocess.Popen(["knotd", "-c", str(config)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, preexec_fn=lab.ends_with_us())
    question = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + b"\2ns\0\0\1\0\1"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            for _ in range(100):
                with contextlib.suppress(OSError):
                    client.sendto(question, ("127.0.0.1", port))
                    if client.recv(512)[3] & 15 == 0:
                        break
                time.sleep(0.1)
            else:
                raise RuntimeError(pathlib.Path(folder, "knot.log").read_text()[-800:])
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def pem(folder, name, *options):
    path = f"{folder}/{name}.pem"
    run("openssl", "genpkey", *options, "-out", path)
    der = run("openssl", "pkey", "-in", path, "-pubout", "-outform", "DER")
    kind = "ed25519" if "ed25519" in options else "rsa"
    public = base64.b64encode(der[-32:] if kind == "ed25519" else der).decode()
    return path, f"v=DKIM1; k={kind}; p={public}"
