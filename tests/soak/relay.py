#!/usr/bin/python3
"""Does `postrider check relay` see what it is for?  Copies of the tree get one seeded bug each,
by which the server relays; the check must find it, and say so."""
import pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests"), str(ROOT / "tests/interop")]
import lab, seeds

report = lab.Report()
ENVELOPE = "src/smtpd/envelope.c"
# What is sown, where, and the trick that must work then.
SEEDS = {
    "a server that takes mail for others from strangers": (ENVELOPE, (
        ("if (s->login.account == 0 && !smtpd_is_first_hop(s))", "if (false)"),), "a stranger to a stranger"),
    "one that takes it if it has no sender": (ENVELOPE, (
        ("if (s->login.account == 0 && !smtpd_is_first_hop(s))",
         "if (s->login.account == 0 && s->draft->sender.len > 0)"),), "no sender"),
    "one that takes it from who says it is localhost": (ENVELOPE, (
        ("if (s->login.account == 0 && !smtpd_is_first_hop(s))",
         "if (s->login.account == 0 && !str_same(s->client, STR(\"localhost\")))"),), "HELO localhost"),
}


def check(tree):
    """What the seeded server's check says of it: the process that has ended."""
    lab.BINARY = str(tree / "build/postrider")
    with lab.Server() as server:
        conf = pathlib.Path(server.folder, "check.conf")
        conf.write_text(f"[server]\ndata-directory = {server.folder}/data\nhostname = mail.postrider.test\n"
                        "default-domain = postrider.test\n[listen]\n" + "".join(
                            f"{name} = 127.0.0.1:{server.port(name)}\n"
                            for name in ("smtp", "submission", "submissions")))
        return subprocess.run([lab.BINARY, "check", "relay", "-c", conf], capture_output=True, text=True)


with tempfile.TemporaryDirectory(prefix="postrider-seeded-") as name:
    tree = pathlib.Path(name)
    seeds.copied(tree)
    for promise, (file, seed, trick) in SEEDS.items():
        is_built = seeds.sown(tree, file, seed) and seeds.built(tree, "postrider")
        done = check(tree) if is_built else None
        report.check(promise + " is found out", done and done.returncode == 1 and "OPEN RELAY" in done.stderr and
                     f'RELAYS with "{trick}"' in done.stdout, done and done.stdout + done.stderr)
report.close()
