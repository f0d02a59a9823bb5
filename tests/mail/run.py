#!/usr/bin/env python3
"""Compares what our MIME parser sees (build/mimedump) with two public suites.

  mail-parser: structure, content types and parameters, transfer encodings, decoded text;
  mime4j:      header fields, structure, decoded bodies.

Where we differ knowingly, README.md lists the case and the reason, as "- `case`: reason".
An unlisted difference fails, and so does a listed one that is none any more."""
import base64, json, pathlib, re, subprocess, sys
import xml.etree.ElementTree as xml

here = pathlib.Path(__file__).resolve().parent
tool = sys.argv[1] if len(sys.argv) > 1 else here.parent.parent / "build" / "mimedump"
verbose = "-v" in sys.argv


def dump(message):
    done = subprocess.run([tool], input=message, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def fail(where, what, ours, theirs):
    raise AssertionError(f"{where}: {what}: ours {str(ours)[:300]!r}, theirs {str(theirs)[:300]!r}")


def same(where, what, ours, theirs):
    if ours != theirs:
        fail(where, what, ours, theirs)


# ---- mail-parser

def attributes(pairs):
    """Names without case; a name given twice, or in RFC 2231's pieces, once."""
    found = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found


def mail_parser_headers(where, ours, headers):
    for header in headers:
        if header["name"] == "content_type" and "ContentType" in header["value"]:
            theirs = header["value"]["ContentType"]
            same(where, "type", ours["type"].lower(), theirs["c_type"].lower())
            same(where, "subtype", ours["subtype"].lower(), (theirs["c_subtype"] or "").lower())
            same(where, "parameters", attributes(ours["params"]),
                 attributes((a["name"], a["value"]) for a in theirs["attributes"] or []))
        if header["name"] == "content_transfer_encoding" and "Text" in header["value"]:
            same(where, "encoding", ours["encoding"].lower(), header["value"]["Text"].lower())


def mail_parser_part(where, ours, message, index):
    theirs = message["parts"][index]
    mail_parser_headers(where, ours, theirs["headers"])
    (kind, body), = theirs["body"].items()
    if kind == "Multipart":
        same(where, "kind", ours["kind"], "multipart")
        same(where, "children", len(ours["children"]), len(body))
        for n, child in enumerate(body):
            mail_parser_part(f"{where}.{n + 1}", ours["children"][n], message, child)
    elif kind == "Message":
        same(where, "kind", ours["kind"], "message")
        mail_parser_part(f"{where}.1", ours["children"][0], body, 0)
    else:
        same(where, "kind", ours["kind"], "leaf")
        if kind in ("Text", "Html"):
            same(where, "text", ours.get("text", base64.b64decode(ours["bytes"]).decode("utf-8", "replace")), body)
        elif isinstance(body, str):
            same(where, "text", ours["text"], body)
        else:
            same(where, "bytes", base64.b64decode(ours["bytes"]), bytes(body))


def mail_parser(path, is_crlf):
    message = path.read_bytes().replace(b"\r\n", b"\n")
    message = message.replace(b"\n", b"\r\n") if is_crlf else message.replace(b"\r", b"")
    expected = path.with_suffix(".crlf.json" if is_crlf else ".json")
    mail_parser_part("1", dump(message), json.loads(expected.read_text(encoding="utf-8")), 0)


# ---- mime4j

def fields_of(node):
    return [(f.text or "").lstrip("\n").replace("\r", "") for f in node.findall("header/field")]


def our_fields(ours):
    return [base64.b64decode(f).decode("latin-1").replace("\r", "").rstrip("\n") for f in ours["fields"]]


def mime4j_body(where, ours, node, folder):
    same(where, "kind", ours["kind"], "leaf")
    body = base64.b64decode(ours["bytes"])
    same(where, "body", body, (folder / node.get("name")).read_bytes())


def mime4j_part(where, ours, node, folder):
    same(where, "fields", our_fields(ours), fields_of(node))
    for child in node:
        if child.tag in ("text-body", "binary-body"):
            mime4j_body(where, ours, child, folder)
        elif child.tag == "multipart":
            same(where, "kind", ours["kind"], "multipart")
            parts = child.findall("body-part")
            same(where, "children", len(ours["children"]), len(parts))
            for n, part in enumerate(parts):
                mime4j_part(f"{where}.{n + 1}", ours["children"][n], part, folder)
        elif child.tag == "message":
            same(where, "kind", ours["kind"], "message")
            mime4j_part(f"{where}.1", ours["children"][0], child, folder)


def mime4j(path):
    expected = xml.parse(path.with_name(path.stem + "_decoded.xml")).getroot()
    mime4j_part("1", dump(path.read_bytes()), expected, path.parent)


def cases():
    for path in sorted(here.glob("mail-parser/*/*.eml")):
        name = f"mail-parser/{path.parent.name}/{path.stem}"
        yield name, lambda path=path: mail_parser(path, False)
        yield name + ".crlf", lambda path=path: mail_parser(path, True)
    for path in sorted(here.glob("mime4j/testmsgs/*.msg")):
        yield f"mime4j/{path.stem}", lambda path=path: mime4j(path)


listed = dict(re.findall(r"^- `([^`]+[^`/])`: (.+)", (here / "README.md").read_text(encoding="utf-8"), re.M))
passed = failed = 0
for name, check in cases():
    try:
        check()
        difference = None
    except AssertionError as error:
        difference = str(error)
    expected = listed.pop(name, None)
    if (difference is None) == (expected is None):
        passed += 1
        if verbose and difference:
            print(f"listed {name}: {difference}")
    else:
        failed += 1
        print(f"FAIL {name}: {difference or 'listed, but there is no difference'}")
for name in listed:
    failed += 1
    print(f"FAIL {name}: listed, but there is no such case")
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
