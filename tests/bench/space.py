#!/usr/bin/python3
"""Octets on disk for the same mails: ours, Dovecot's sdbox, and its mdbox with zstd.

    tests/bench/space.py [--mails N] [--write] [--only NAME ...]

The mails are a mix as people get it: a median of 20 KB, a mean of 75 KB, of plain text, HTML
and attachments that do not compress.  Each server gets them by IMAP, and a client lists them
(ENVELOPE), since that fills what servers keep for listing; then it is stopped, and the blocks of
its files are counted.  Dovecot is Debian's; needs root.  It takes minutes and is no test."""
import argparse, base64, imaplib, os, pathlib, random, re, shutil, signal, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "interop"))
import lab

DOVECOT = """base_dir = {dir}/run
state_dir = {dir}/state
instance_name = space
protocols = imap
listen = 127.0.0.1
log_path = {dir}/dovecot.log
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = no
mail_location = {location}
first_valid_uid = 1
default_internal_user = root
default_login_user = nobody
mail_plugins = {plugins}
plugin {{
  zlib_save = zstd
}}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={dir}/mail
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
"""


# ---- the mails ------------------------------------------------------------------------------

SYLLABLES = random.Random(7)
WORDS = ["".join(SYLLABLES.choice("bcdfghklmnprstvw") + SYLLABLES.choice("aeiou")
                 for _ in range(SYLLABLES.randint(1, 4))) for _ in range(5000)]


def words(mix, count):
    return " ".join(mix.choices(WORDS, k=count))


def wrap(text, width=72):
    return "\r\n".join(text[i:i + width] for i in range(0, len(text), width))


def mail(number, mix):
    """Text, mostly with HTML, often with an attachment; sizes are lognormal."""
    size = min(int(mix.lognormvariate(9.9, 1.6)), 10_000_000)
    day, clock = 1 + number % 28, f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    head = (f"Return-Path: <s{number % 97}@example.org>\r\n"
            f"Received: from mail{number % 7}.example.org (mail{number % 7}.example.org "
            f"[192.0.2.{number % 250}])\r\n\tby mx.peers.test with ESMTPS id {number * 7919:x};"
            f"\r\n\tSat, 21 Nov 2026 {clock} +0000\r\n"
            f"Message-ID: <{mix.getrandbits(64):x}.{number}@example.org>\r\n"
            f"Date: {day} Oct 2026 {clock} +0000\r\n"
            f'From: "{words(mix, 2).title()}" <s{number % 97}@example.org>\r\n'
            f"To: <u0001@peers.test>\r\n"
            f"Subject: {'Re: ' if number % 3 else ''}{words(random.Random(number // 3), 5)}\r\n"
            "MIME-Version: 1.0\r\n")
    if number % 3:
        head += (f"In-Reply-To: <root{number // 3}@example.org>\r\n"
                 f"References: <root{number // 3}@example.org>\r\n")
    if size < 4000:
        text = wrap(words(mix, max(20, (size - len(head)) // 7)))
        return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()
    text = wrap(words(mix, max(20, min(size // 3, 6000) // 7)))
    lines = '</div>\r\n<div class="c" style="font-family:Arial,sans-serif">'.join(
        words(mix, 12) for _ in range(max(3, min(size // 3, 20000) // 130)))
    body = (f'{head}Content-Type: multipart/mixed; boundary="b1"\r\n\r\n--b1\r\n'
            'Content-Type: multipart/alternative; boundary="b2"\r\n\r\n--b2\r\n'
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b2\r\n"
            "Content-Type: text/html; charset=utf-8\r\n\r\n"
            f'<html><body><div class="c">{lines}</div></body></html>\r\n--b2--\r\n')
    left = size - len(body)
    if left > 1000:
        file = base64.b64encode(mix.randbytes(int(left / 1.38))).decode()
        body += ('--b1\r\nContent-Type: application/pdf; name="f.pdf"\r\n'
                 f"Content-Transfer-Encoding: base64\r\n\r\n{wrap(file, 76)}\r\n")
    return f"{body}--b1--\r\n".encode()


# ---- the servers ----------------------------------------------------------------------------

def octets(folder):
    files = [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]
    return sum(path.stat().st_blocks * 512 for path in files)


class Ours:
    name = "postrider"

    def __init__(self, folder):
        self.server = lab.Server(folder=folder).start()
        self.folder = folder + "/data/store" if os.path.isdir(folder + "/data/store") else folder + "/data"

    def client(self):
        return self.server.imap("alice")

    def stop(self):
        print(self.server.ctl("store", "stats").stdout, file=sys.stderr)
        self.server.stop()


class Dovecot:
    def __init__(self, folder, location, plugins):
        self.folder, self.port = folder + "/mail", lab.free_base() + 143
        os.makedirs(self.folder)
        os.chmod(folder, 0o755)
        shutil.chown(self.folder, "mail", "mail")
        config = pathlib.Path(folder, "dovecot.conf")
        config.write_text(DOVECOT.format(dir=folder, port=self.port, location=location,
                                         plugins=plugins))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(config)],
                                        preexec_fn=lab.ends_with_us())
        if not lab.wait_for(self.answers, 20):
            raise RuntimeError("dovecot did not start; see " + folder)

    def answers(self):
        try:
            self.client().logout()
            return True
        except OSError:
            return False

    def client(self):
        client = imaplib.IMAP4("127.0.0.1", self.port)
        client.login("alice", "pass")
        return client

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Sdbox(Dovecot):
    name = "Dovecot sdbox"

    def __init__(self, folder):
        super().__init__(folder, "sdbox:~/sdbox", "")


class Mdbox(Dovecot):
    name = "Dovecot mdbox, zstd"

    def __init__(self, folder):
        super().__init__(folder, "mdbox:~/mdbox", "zlib")


def measure(kind, count):
    folder, mix, raw = tempfile.mkdtemp(prefix="space-"), random.Random(1), 0
    os.chmod(folder, 0o755)
    side = kind(folder)
    try:
        client = side.client()
        began = time.time()
        for i in range(count):
            text = mail(i, mix)
            raw += len(text)
            if client.append("INBOX", None, None, text)[0] != "OK":
                raise RuntimeError("APPEND failed")
        client.select()
        client.fetch("1:*", "ENVELOPE")
        client.logout()
        took = time.time() - began
        side.stop()
        return octets(side.folder), raw, took
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mails", type=int, default=10000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    args = parser.parse_args()
    imaplib._MAXLINE = 100_000_000
    figures = {}
    for kind in (Ours, Sdbox, Mdbox):
        if not args.only or any(word in kind.name for word in args.only):
            figures[kind.name] = measure(kind, args.mails)
            print(kind.name, *figures[kind.name], file=sys.stderr)
    ours = figures.get(Ours.name, (0, 1, 0))
    lines = [f"| {args.mails:,} mails, {ours[1] / 1e6:.0f} MB | MB on disk | of the mails | ours to it |",
             "|---|---|---|---|"]
    for name, (size, raw, _) in figures.items():
        lines.append(f"| {name} | {size / 1e6:.1f} | {size / raw:.3f} | {ours[0] / size:.3f} |")
    table = "\n".join(lines) + "\n"
    print(table, end="")
    if args.write:
        path = ROOT / "docs" / "PERFORMANCE.md"
        text = re.sub(r"(<!-- space -->\n).*?(<!-- end -->)", lambda m: m[1] + "\n" + table + "\n" + m[2],
                      path.read_text(), count=1, flags=re.S)
        path.write_text(text)


if __name__ == "__main__":
    main()
