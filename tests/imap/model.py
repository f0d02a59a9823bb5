#!/usr/bin/env python3
"""Clients of many kinds change mailboxes at random, several at a time: they append, copy,
move, store, expunge, search and idle, open and leave, come back with what they knew, and
rename, delete and create mailboxes under each other.  watcher.py asserts that each response
fits what that client was told; here the steps are chosen, and between them, when all is quiet,
everybody must see the same mailbox, and exactly the messages that nobody removed.

    model.py IMAP_FAKE            starts the door over a store in memory
    model.py HOST PORT [SEED [ROUNDS]]    against any server with alice/pass"""
import random, re, subprocess, sys

from dialogues import free_base, wait_for
from watcher import Client, Command, Gone, PUSH_S, World, ranges_of, uids_of

FLAGS = [b"\\Seen", b"\\Flagged", b"\\Answered", b"\\Draft", b"\\Deleted", b"\\Deleted", b"k1", b"k2", b"$Junk"]
KEYS = [b"ALL", b"SEEN", b"UNSEEN", b"DELETED", b"UNDELETED", b"KEYWORD k1", b"UNKEYWORD k2", b"OR FLAGGED DRAFT",
        b"NOT ANSWERED"]
KINDS = [(False, "plain"), (True, "plain"), (False, "condstore"), (True, "condstore"), (False, "qresync"),
         (True, "qresync"), (True, "qresync")]


class Game:
    def __init__(self, address, seed):
        self.dice, self.world = random.Random(seed), World()
        self.root = b"model%d" % random.SystemRandom().randrange(10**9)
        self.tokens, self.renames = 0, 0
        self.observer = Client(self.world, address, "o", True, "condstore")
        for name in (b"", b"/one", b"/two", b"/odd"):
            self.observer.do(Command(b"CREATE " + self.root + name))
        self.look_at_names()
        for _ in range(3):  # the store in memory soon forgets its first changes
            self.observer.do(self.append(self.observer, False))
        self.clients = [Client(self.world, address, "abcdefghi"[i], *kind) for i, kind in enumerate(KINDS)]

    def chance(self, of):
        return self.dice.randrange(of) == 0

    def names(self):
        return sorted(self.world.names)

    def some_flags(self):
        return frozenset(self.dice.sample(FLAGS, self.dice.choice([0, 1, 1, 1, 2, 3])))

    # What a command is about

    def some_numbers(self, client):
        """Sequence numbers, and the UIDs they stand for where the client knows them."""
        count = len(client.slots)
        a, b = sorted(self.dice.randint(1, count) for _ in range(2))
        text, first, last = self.dice.choice([(b"%d" % a, a, a), (b"%d:%d" % (b, a), a, b), (b"*", count, count),
                                              (b"1:*", 1, count), (b"%d,%d:*" % (a, b), None, None)])
        slots = client.slots[first - 1:last] if first else [client.slots[a - 1]] + client.slots[b - 1:]
        return text, slots

    def some_uids(self, client):
        known = [uid for uid in client.slots if uid is not None]
        if not known or self.chance(4):
            return b"1:*", client.slots + [None]  # and what comes meanwhile
        picked = self.dice.sample(known, self.dice.randint(1, min(4, len(known))))
        if self.chance(3):
            low, high = min(picked), max(picked)
            inside = client.slots[client.slots.index(low):client.slots.index(high) + 1]
            return b"%d:%d" % (low, high), inside
        return ranges_of(picked), picked

    def about(self, client, is_uid):
        """(UID prefix, set, {"asked": the UIDs it means, "is_exact": whether all are known})."""
        text, slots = (self.some_uids if is_uid else self.some_numbers)(client)
        asked = {"asked": set(slots) - {None}, "is_exact": None not in slots}
        return b"UID " if is_uid else b"", text, asked

    # Commands

    def append(self, client, is_uid):
        name, tokens, text = self.dice.choice(self.names()), [], b"APPEND "
        text += name
        for _ in range(self.dice.choice([1, 1, 1, 2, 5])):
            self.tokens += 1
            tokens.append((self.tokens, self.some_flags()))
            mail = b"Subject: token %d\r\n\r\n%s" % (self.tokens, b"text\r\n" * self.dice.randrange(20))
            text += b" (%s) {%d+}\r\n" % (b" ".join(sorted(tokens[-1][1])), len(mail)) + mail

        def done(client, command, line):
            code = re.search(rb"\[APPENDUID (\d+) ([\d:,]+)\]", line)
            box = self.world.box(int(code[1]))
            uids = uids_of(code[2])
            assert len(uids) == len(tokens) and sorted(uids) == uids, line
            for uid, (token, flags) in zip(uids, tokens):
                box.arrive(uid, token, command.floors.get(box.validity, (0, 0))[0])
                box.doomed |= {uid} if b"\\Deleted" in flags else set()

        return Command(text, done, [name])

    def fetch(self, client, is_uid):
        prefix, which, asked = self.about(client, is_uid)
        items = [b"FLAGS"] + [b"UID"] * (is_uid or self.chance(2) or client.mode == "qresync")
        items += [b"MODSEQ"] * (client.mode != "plain") + [b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]"] * self.chance(4)
        more = b""
        if client.mode != "plain" and client.highest and self.chance(3):
            more = b" (CHANGEDSINCE %d%s)" % (self.dice.randint(1, client.highest),
                                              b" VANISHED" if is_uid and client.mode == "qresync" else b"")
        return Command(prefix + b"FETCH " + which + b" (" + b" ".join(items) + b")" + more, is_uid=is_uid, **asked)

    def store(self, client, is_uid):
        prefix, which, asked = self.about(client, is_uid)
        flags, sign = self.some_flags(), self.dice.choice([b"+", b"+", b"-", b""])
        if not asked["is_exact"]:  # what may go is known
            flags -= {b"\\Deleted"}
        is_silent, since, guard = self.chance(2), None, b""
        if client.mode != "plain" and client.highest and self.chance(2):
            since = self.dice.randint(max(1, client.highest - 6), client.highest)
            guard = b" (UNCHANGEDSINCE %d)" % since
        text = prefix + b"STORE " + which + guard + b" " + sign + b"FLAGS" + b".SILENT" * is_silent
        known = {}
        for uid, modseq in client.box.flags_at:
            known[uid] = max(known.get(uid, 0), modseq)
        return Command(text + b" (" + b" ".join(sorted(flags)) + b")", is_uid=is_uid, **asked, since=since, known=known,
                       stores=(sign, flags, is_silent), expects_no=b"[READ-ONLY]" if client.is_read_only else b"")

    def expunge(self, client, is_uid):
        which = b" " + self.some_uids(client)[0] if is_uid else b""
        return Command(b"UID " * is_uid + b"EXPUNGE" + which, is_uid=is_uid,
                       expects_no=b"[READ-ONLY]" if client.is_read_only else b"")

    def copy(self, client, is_uid, verb=b"COPY "):
        prefix, which, asked = self.about(client, is_uid)
        name = self.dice.choice(self.names())

        def done(client, command, line):
            code = re.search(rb" OK (\[COPYUID .*?\])", line)
            if code:
                client.learn_code(command, b"* OK " + code[1])
            if verb == b"MOVE ":  # who moved it was told that it is gone
                assert not getattr(command, "moved", set()) & set(client.slots), (command.text, client.slots)

        is_refused = verb == b"MOVE " and client.is_read_only
        return Command(prefix + verb + which + b" " + name, done, [name], is_uid, **asked,
                       expects_no=b"[READ-ONLY]" if is_refused else b"")

    def move(self, client, is_uid):
        return self.copy(client, is_uid, b"MOVE ")

    def search(self, client, is_uid):
        saves = self.chance(3)
        text = b"UID " * is_uid + b"SEARCH " + b"RETURN (SAVE ALL) " * saves
        is_recent = not client.is_rev2 and self.chance(4)
        keys = [b"RECENT", b"NEW", b"NOT OLD"] if is_recent else KEYS
        return Command(text + self.dice.choice(keys), is_uid=is_uid, is_extended=saves, is_recent=is_recent)

    def noop(self, client, is_uid):
        return Command(self.dice.choice([b"NOOP", b"CHECK"]))

    def status(self, client, is_uid):
        name = self.dice.choice(self.names())
        more = b" HIGHESTMODSEQ" if client.mode != "plain" else b""
        return Command(b"STATUS " + name + b" (MESSAGES UIDNEXT UIDVALIDITY%s)" % more, names=[name])

    # Steps that are not a single command

    def open(self, client):
        name = self.dice.choice(self.names())
        verb = self.dice.choice([b"SELECT"] * 5 + [b"EXAMINE"])
        client.do(client.select(name, verb, not self.chance(8), known=self.chance(2), matches=self.dice.choice([0, 3])))
        if client.box and (client.mode == "qresync" or self.chance(2)):
            client.do(Command(b"UID FETCH 1:* (FLAGS%s)" % (b" MODSEQ" * (client.mode != "plain")), is_uid=True))

    def shut(self, client):
        verb = self.dice.choice([b"CLOSE", b"UNSELECT"])
        client.send(Command(verb))
        client.finish()
        client.leave()

    def come_again(self, client):
        """Leaves, politely or not, and comes back, often to the mailbox where it was."""
        names = [name for name in self.names() if client.box and self.world.names[name] == client.box.validity]
        if self.chance(2):
            client.send(Command(b"LOGOUT"))
            client.drain(lambda: not client.pending, PUSH_S)
        client.close()
        client.connect()
        if names and not self.chance(4):
            client.do(client.select(names[0], known=self.chance(3), matches=3))

    def break_off(self, client):
        """Its connection breaks, while an expunge may wait behind a change that it was told (RFC
        7162 §3.2); something else changes before it is back, and then it must know all."""
        names = [name for name in self.names() if client.box and self.world.names[name] == client.box.validity]
        is_ready = client.mode == "qresync" and len(client.slots) > 2 and client.knows_all() and not client.is_read_only
        if not is_ready or not names or self.observer.pending:
            return
        other, (gone, kept) = self.observer, self.dice.sample(client.slots, 2)
        other.do(other.select(names[0]))
        if self.chance(2):
            other.do(Command(b"UID STORE %d +FLAGS.SILENT (\\Deleted)" % gone, is_uid=True, asked={gone}, is_exact=True,
                             stores=(b"+", frozenset([b"\\Deleted"]), True)))
            other.do(Command(b"UID EXPUNGE %d" % gone, is_uid=True))
        if kept in client.slots:
            number = client.slots.index(kept) + 1
            client.do(Command(b"STORE %d %sFLAGS (k1)" % (number, self.dice.choice([b"+", b"-"])), asked={kept}, is_exact=True,
                              stores=(b"+", frozenset(), False)))
        client.close()
        other.do(Command(b"UID STORE 1:* %sFLAGS (k2)" % self.dice.choice([b"+", b"-"]), is_uid=True,
                         stores=(b"+", frozenset(), False)))
        other.do(Command(b"UNSELECT"))
        other.forget()
        client.connect()
        client.do(client.select(names[0]))

    def saved(self, client):
        """SEARCHRES: what was found is meant by "$", as far as it is still there."""
        found = client.do(Command(b"UID SEARCH RETURN (SAVE ALL) " + self.dice.choice(KEYS), is_uid=True,
                                  is_extended=True))
        told = client.do(Command(b"UID FETCH $ (FLAGS)", is_uid=True))
        if self.world.is_quiet and client.mode != "plain":
            assert told.fetched == set(found.numbers), (told.fetched, found.numbers)

    def enable_late(self, client):
        """RFC 7162 §3.1: a client may say at any time that it knows of mod-sequences."""
        if client.mode == "plain" and self.chance(20):
            mode = self.dice.choice(["condstore", "qresync"])
            client.do(Command(b"ENABLE " + mode.upper().encode()))
            assert client.mode == mode

    def restructure(self, client):
        """The command that creates, deletes or renames, and what it makes of the names."""
        self.renames += 1
        old_names = dict(self.world.names)
        odd = [name for name in self.names() if b"/odd" in name]
        what = self.dice.choice(["create", "delete", "rename", "rename all"])
        if what == "create" or not odd:
            command = Command(b"CREATE %s/odd%d" % (self.root, self.renames % 3))
            if command.text.split(b" ")[1] in old_names:
                command.expects_no = b"[ALREADYEXISTS]"
        elif what == "delete":
            name = self.dice.choice(odd)
            command = Command(b"DELETE " + name)
            self.world.unstable = {name}
        elif what == "rename":
            name = self.dice.choice(odd)
            above = self.dice.choice([b"", b"/one"])
            command = Command(b"RENAME %s %s%s/odd-%d" % (name, self.root, above, self.renames))
            self.world.unstable = {name}
        else:
            new = b"%s-%d" % (self.root.split(b"-")[0], self.renames)
            command = Command(b"RENAME %s %s" % (self.root, new))
            self.world.unstable = set(old_names)
            self.root = new
        if any(name.startswith(b + b"/") for b in self.world.unstable for name in old_names) and what == "delete":
            command.expects_no = b"[HASCHILDREN]"
            self.world.unstable = set()
        return command

    def look_at_names(self):
        """What is there now, asked by somebody who changes nothing."""
        before, names, lines = dict(self.world.names), {}, []
        self.observer.heard.clear()
        self.observer.do(Command(b'LIST "" "%s*" RETURN (STATUS (UIDVALIDITY UIDNEXT MESSAGES))' % self.root))
        for line in self.observer.heard:
            status = re.match(rb'\* STATUS "?([^ "]+)"? \(.*UIDVALIDITY (\d+)', line)
            if status:
                names[status[1]] = int(status[2])
        for name, validity in before.items():
            if validity not in names.values():
                self.world.box(validity).is_deleted = True
                assert name in self.world.unstable, name
            elif name not in self.world.unstable:
                assert names.get(name) == validity, (name, validity, names)
        assert len(set(names.values())) == len(names), names
        self.world.names, self.world.unstable = names, set()

    # Rounds

    def act(self, client):
        """Sends commands; not all are waited for here."""
        if client.box is None:
            return self.open(client)
        if client.is_idle:
            return client.wake() if self.chance(3) else None
        what = self.dice.randrange(40)
        if what < 3:
            return self.open(client)
        for limit, step in ((4, self.shut), (6, self.come_again), (7, self.saved), (8, self.enable_late),
                            (11, self.break_off)):
            if what < limit:
                return step(client)
        if what < 14:
            return client.idle()
        for number in range(self.dice.choice([1, 1, 2, 3])):
            # A second command knows no sequence numbers: the first may change them.
            is_uid = number > 0 or self.chance(2)
            steps = [self.append, self.noop, self.status]
            if client.slots:
                steps += [self.append, self.fetch, self.fetch, self.store, self.store, self.store, self.expunge, self.copy,
                          self.move, self.search]
            client.send(self.dice.choice(steps)(client, is_uid))
        return None

    def guarded(self, client, step):
        try:
            step(client)
        except (Gone, ConnectionError) as error:
            assert client.is_lost(), (client.name, error)
            self.world.counts["BYE"] += 1
            self.world.adopts = True
            client.close()
            client.connect()

    def round(self):
        actors = self.dice.sample(self.clients, self.dice.choice([1, 1, 2, 3, 4]))
        self.world.is_quiet = len(actors) == 1
        is_restructured = self.chance(12)
        if is_restructured:
            self.world.is_quiet = False
            self.observer.send(self.restructure(self.observer))
        for client in actors:
            self.guarded(client, self.act)
        for client in actors:
            if not client.is_idle:
                self.guarded(client, Client.finish)
        self.observer.finish()
        if is_restructured:
            self.look_at_names()
        for client in self.clients:
            self.guarded(client, Client.drain)
        if self.world.adopts:
            for name in self.names():
                self.audit(name)
            self.world.adopts = False
        self.world.settle()

    # When all is quiet

    def audit(self, name):
        """What is in a mailbox: all that came and that nobody removed."""
        observer = self.observer
        observer.do(observer.select(name))
        box, there = observer.box, len(observer.slots)
        if there:
            told = observer.do(Command(b"UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (SUBJECT)])", is_uid=True))
            assert len(told.fetched) == there, (name, there, told.fetched)
        there = set(observer.slots)
        if self.world.adopts:
            box.adopt(there)
        assert there <= box.tokens.keys(), (name, there - box.tokens.keys())
        assert not there & box.gone, (name, there & box.gone)
        assert not there & box.suspects, (name, there & box.suspects)
        box.suspects.clear()
        missing = box.tokens.keys() - box.gone - there
        assert all(map(box.may_go, missing)), (name, [uid for uid in missing if not box.may_go(uid)])
        assert not observer.modseqs or max(observer.modseqs.values()) <= observer.highest, name
        for key, wanted in ((b"SEEN", b"\\Seen"), (b"KEYWORD k1", b"k1"), (b"DELETED", b"\\Deleted")):
            found = set(observer.do(Command(b"UID SEARCH " + key, is_uid=True)).numbers)
            assert found == {uid for uid in there if wanted in observer.flags[uid]}, (name, key, found)
        truth = (list(observer.slots), dict(observer.flags), dict(observer.modseqs))
        observer.do(Command(b"UNSELECT"))
        observer.forget()
        return box, truth

    def agree(self, client, truth):
        """Without asking for all again, the client knows what is there."""
        slots, flags, modseqs = truth

        def is_same():
            pairs = list(zip(client.slots, slots))
            return len(client.slots) == len(slots) and all(
                mine is None or mine == theirs and client.flags.get(mine, flags[mine]) == flags[mine]
                for mine, theirs in pairs)

        if client.is_idle:
            assert client.drain(is_same, PUSH_S), (client.name, "no push", client.slots, slots, self.differs(client, truth))
            client.wake()
        client.do(Command(b"NOOP"))
        assert is_same(), (client.name, "after NOOP", client.slots, slots, self.differs(client, truth))
        unknown = [n + 1 for n, uid in enumerate(client.slots) if uid is None or uid not in client.flags]
        if unknown:
            client.do(Command(b"FETCH %s (UID FLAGS%s)" % (ranges_of(unknown), b" MODSEQ" * (client.mode != "plain"))))
        assert is_same() and client.knows_all(), (client.name, "after FETCH", client.slots, slots, self.differs(client, truth))
        for uid, modseq in client.modseqs.items():
            assert client.mode == "plain" or modseq == modseqs[uid], (uid, modseq, modseqs[uid])

    def differs(self, client, truth):
        return {uid: (client.flags[uid], truth[1].get(uid)) for uid in client.flags
                if client.flags[uid] != truth[1].get(uid)}

    def rest(self):
        self.world.is_quiet = True
        truths = dict(self.audit(name) for name in self.names())
        for client in self.clients:
            if client.box in truths:
                self.guarded(client, lambda client: self.agree(client, truths[client.box]))
            elif client.box:  # it was deleted under the client, who learns that
                if not client.is_idle:
                    client.send(Command(b"NOOP", names=[b""]))
                self.guarded(client, lambda client: client.drain(lambda: not client.pending, PUSH_S))
        self.world.settle()

    def play(self, rounds):
        for number in range(rounds):
            self.round()
            if number % 10 == 9:
                self.rest()
        self.rest()

    def clean(self):
        for client in self.clients:
            client.close()
        for name in sorted(self.names(), reverse=True):
            self.observer.do(Command(b"DELETE " + name))
        self.observer.close()


def play(address, seed, rounds):
    game = Game(address, seed)
    try:
        game.play(rounds)
    except BaseException:
        print(f"seed {seed} of {rounds} rounds fails; what each client heard at the end:")
        for client in [game.observer, *game.clients]:
            print(client.name, client.mode, "rev2" if client.is_rev2 else "rev1", client.slots)
            for line in client.heard:
                print("   ", line[:400].decode("utf-8", "replace"))
        raise
    game.clean()
    counts = ", ".join(f"{number} {what}" for what, number in sorted(game.world.counts.items()))
    print(f"seed {seed}: {rounds} rounds, {counts}", flush=True)


def main():
    if len(sys.argv) > 2:
        rest = sys.argv[3:]
        play((sys.argv[1], int(sys.argv[2])), int(rest[0]) if rest else 0, int(rest[1]) if len(rest) > 1 else 1000)
        return
    base = free_base()
    server = subprocess.Popen([sys.argv[1], str(base)], stderr=subprocess.DEVNULL)
    try:
        wait_for(base + 143)
        for seed in range(3):
            play(("127.0.0.1", base + 143), seed, 150)
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
