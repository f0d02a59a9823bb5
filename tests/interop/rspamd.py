"""A rspamd of one's own, which signs, seals and checks: on loopback, with its settings and its data in a
folder that goes with it, without maps, statistics or other parts that would ask the world."""
import base64, contextlib, http.client, json, pathlib, shutil, subprocess, tempfile
import internet, keys, lab

CLIENT = "192.0.2.1"  # brings the mail, as rspamd hears; it looks at none of its own machine
CONFIG = """options {{
    pidfile = "{folder}/pid"; tempdir = "{folder}"; control_socket = "{folder}/control mode=0600";
    filters = "dkim"; url_tld = "{folder}/suffixes"; task_timeout = 20s;
    cache_file = "{folder}/symbols"; hs_cache_dir = "{folder}"; history_file = "{folder}/history"; local_addrs = [];
    dns {{ nameserver = ["{dns}"]; timeout = 3s; retransmits = 2; }}
}}
logging {{ type = "file"; filename = "{folder}/log"; level = "info"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
dkim {{ time_jitter = 0; }}
dkim_signing {{ use_domain = "header"; use_esld = false; sign_authenticated = true; sign_local = false;
    allow_username_mismatch = true; try_fallback = false; domain {{ {signers} }} }}
arc {{ use_domain = "recipient"; use_esld = false; sign_inbound = true; sign_local = false; sign_authenticated = false;
    allow_username_mismatch = true; try_fallback = false; domain {{ {sealers} }} }}
modules {{ path = "/usr/share/rspamd/plugins/dkim_signing.lua"; path = "/usr/share/rspamd/plugins/arc.lua"; }}
"""


def ed25519(pem, folder):
    """A file with such a key as rspamd wants it: of libsodium, in base64."""
    secret, public = (keys.run("openssl", "pkey", "-in", pem, *words, "-outform", "DER")[-32:]
                      for words in ((), ("-pubout",)))
    path = pathlib.Path(folder, "ed25519.rspamd")
    path.write_bytes(base64.b64encode(secret + public))
    return str(path)


def keys_of(pairs):
    return "selectors = [" + ", ".join(f'{{ selector = "{name}"; path = "{path}"; }}' for name, path in pairs) + "];"


class Rspamd:
    """signers: {domain of From: [(selector, key)]}; sealers: {domain of the recipient: the same, once}; keys are
    files of PEM, or of ed25519()."""

    def __init__(self, dns, signers=None, sealers=None):
        self.folder = tempfile.mkdtemp(prefix="postrider-rspamd-")
        self.port = internet.free_port()
        texts = [" ".join(f'"{domain}" {{ {keys_of(pairs)} }}' for domain, pairs in (table or {}).items())
                 for table in (signers, sealers)]
        pathlib.Path(self.folder, "suffixes").write_text("example\ncom\n")  # the world's take long to be compiled
        config = pathlib.Path(self.folder, "rspamd.conf")
        config.write_text(CONFIG.format(folder=self.folder, dns=dns, port=self.port, signers=texts[0],
                                        sealers=texts[1]))
        self.process = subprocess.Popen(["rspamd", "-f", "-i", "-c", str(config)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=lab.ends_with_us())

    def __enter__(self):
        if not lab.wait_for(self.answers, 60):
            said = pathlib.Path(self.folder, "log").read_text()[-2000:]
            self.__exit__()
            raise RuntimeError(f"rspamd does not answer: {said}")
        return self

    def __exit__(self, *what):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            client.request("GET", "/ping")
            return client.getresponse().read().startswith(b"pong")

    def look(self, mail, **headers):
        """What it says of a mail, as its protocol has it."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        client.request("POST", "/checkv2", mail, {"IP": CLIENT, "Helo": "mx.example.com", "Hostname": "mx.example.com",
                                                  "From": "ann@example.com", **headers})
        return json.loads(client.getresponse().read())

    def found(self, mail):
        """{"R_DKIM_ALLOW": ["example.com:s=rsa"]}: what it finds in a mail that comes in."""
        return {name: found.get("options", []) for name, found in self.look(mail)["symbols"].items()}

    def fields(self, said, names):
        """Those that it wants to be added, whole, in that order."""
        found = said.get("milter", {}).get("add_headers", {})
        return b"".join(f"{name}: {found[name]['value']}\r\n".encode() for name in names if name in found)

    def signed(self, mail):
        """As a person's that is handed in."""
        made = self.look(mail, User="ann@example.com").get("dkim-signature", [])
        return b"".join(f"DKIM-Signature: {value}\r\n".encode()
                        for value in (made if isinstance(made, list) else [made])) + mail

    def sealed(self, mail, domain):
        """As a stranger's that comes in for somebody at that domain."""
        said = self.look(mail, Rcpt=f"bob@{domain}")
        return self.fields(said, ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"]) + mail
