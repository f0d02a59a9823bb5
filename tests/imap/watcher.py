"""A client that watches a mailbox and believes nothing: it keeps what RFC 9051 and RFC 7162
let a client keep (sequence numbers, UIDs, flags, mod-sequences, what is \\Recent), and asserts
that each response fits it.  What all of them were told meets in World."""
import collections, re, select, socket, time

WAIT_S = 30
PUSH_S = 20  # less than the 30 s after which an idle session looks by itself


class Gone(Exception):
    """The server said BYE, as it may when the mailbox was deleted."""


class World:
    """What was told to anybody, by UIDVALIDITY, which no two mailboxes share."""

    def __init__(self):
        self.boxes, self.ids = {}, {}
        self.names = {}        # what each name has for UIDVALIDITY
        self.unstable = set()  # names that are being changed just now
        self.is_quiet = True   # one client only does something
        self.adopts = False    # some command got no reply, so nobody knows whether it was done
        self.counts = collections.Counter()

    def box(self, validity):
        return self.boxes.setdefault(validity, Box(validity))

    def identify(self, validity, mailbox_id):
        """One mailbox, one UIDVALIDITY, whatever its name."""
        assert self.ids.setdefault(validity, mailbox_id) == mailbox_id, (validity, mailbox_id)
        assert list(self.ids.values()).count(mailbox_id) == 1, (validity, mailbox_id)

    def settle(self):
        """Nothing is under way: each UID that anybody saw was given to a message."""
        for box in self.boxes.values():
            unknown = box.rumours - box.tokens.keys()
            assert not unknown, (box.validity, unknown)
            box.rumours.clear()


class Box:
    def __init__(self, validity):
        self.validity = validity
        self.tokens = {}      # by UID: which message it is, or (box, UID) of what it was copied from
        self.rumours = set()  # UIDs seen
        self.gone = set()     # UIDs that somebody was told are gone
        self.doomed = set()   # UIDs that may go: they were \Deleted at some time
        self.suspects = set() # UIDs that must be gone, or a STORE was not refused that had to be
        self.flags_at = {}    # by (UID, mod-sequence)
        self.next, self.highest = 1, 0  # the greatest UIDNEXT and HIGHESTMODSEQ told
        self.recent_from = 1  # below it all were told to sessions that may write
        self.recent_to = {}   # by UID: the stay of such a session to which it was \\Recent
        self.is_deleted = False

    def token(self, uid):
        """Which message it is, as far as that was told: of a copy, what it was copied from."""
        token = self.tokens.get(uid)
        return token[0].token(token[1]) if isinstance(token, tuple) else token

    def may_go(self, uid):
        """Flags come along with a copy, so its original may have had \\Deleted."""
        token = self.tokens.get(uid)
        return uid in self.doomed or isinstance(token, tuple) and token[0].may_go(token[1])

    def arrive(self, uid, token, floor):
        assert uid not in self.tokens and uid >= floor, (self.validity, uid, floor)
        self.tokens[uid] = token
        self.next = max(self.next, uid + 1)

    def adopt(self, there):
        """After a command without a reply: what is there now."""
        for uid in there - self.tokens.keys():
            self.tokens[uid] = None
            self.next = max(self.next, uid + 1)
        self.gone |= self.tokens.keys() - there

    def tell_flags(self, uid, flags, modseq):
        self.doomed |= {uid} if b"\\Deleted" in flags else set()
        if modseq is not None:
            known = self.flags_at.setdefault((uid, modseq), flags)
            assert known == flags, (self.validity, uid, modseq, known, flags)


class Command:
    """verb and is_uid say what may come meanwhile; done(client, command, line) what OK means."""

    def __init__(self, text, done=None, names=(), is_uid=False, **more):
        self.text, self.done, self.names, self.is_uid = text, done, set(names), is_uid
        self.verb = text.split(b" ")[1 if is_uid else 0].split(b"\r")[0].decode()
        self.stores = None        # of a STORE: (sign, flags, is silent)
        self.asked = set()        # the UIDs it names, as far as known
        self.is_exact = False     # and these are all
        self.fetched = set()      # UIDs of FETCH responses meanwhile
        self.numbers = []         # what SEARCH found
        self.is_extended = False  # whether that is an ESEARCH for rev1, too
        self.is_recent = False    # whether it looked for what is recent
        self.expects_no = b""     # the code of a NO that must come
        self.since = None         # of UNCHANGEDSINCE, and
        self.known = {}           # the mod-sequences told to anybody before
        self.__dict__.update(more)

    def may_expunge(self):
        """RFC 9051 §7.5.1."""
        return self.is_uid and self.verb != "SEARCH" or self.verb not in ("FETCH", "STORE", "SEARCH")


def uids_of(text):
    return [uid for part in text.split(b",") for a, *b in [part.split(b":")]
            for uid in range(int(a), int(b[0] if b else a) + 1)]


def ranges_of(uids):
    ranges = []
    for uid in sorted(uids):
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return b",".join(b"%d" % first if first == last else b"%d:%d" % (first, last) for first, last in ranges)


class Client:
    def __init__(self, world, address, name, is_rev2=False, mode="plain"):
        self.world, self.name, self.is_rev2, self.mode = world, name, is_rev2, mode
        self.address, self.caches = address, {}
        self.heard = collections.deque(maxlen=60)
        self.told_flags = frozenset()
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.address, WAIT_S)
        self.input, self.tags, self.pending = b"", 0, collections.deque()
        self.forget()
        self.line()
        self.do(Command(b"LOGIN alice pass"))
        wanted = [b"IMAP4rev2"] if self.is_rev2 else []
        wanted += {"qresync": [b"QRESYNC"], "condstore": [b"CONDSTORE"]}.get(self.mode, [])
        if wanted:
            self.do(Command(b"ENABLE " + b" ".join(wanted)))

    def forget(self):
        """Nothing is selected."""
        self.box, self.is_read_only, self.is_idle = None, False, False
        self.slots, self.flags, self.modseqs, self.base = [], {}, {}, 0
        self.highest = self.seen = self.said_highest = None
        self.saved = None
        self.opening = None  # what SELECT said so far
        self.recent, self.owes_recent = 0, False  # as RECENT said; EXISTS came, but RECENT not yet
        self.recents, self.recent_floor = {}, 1  # by UID: whether it is \\Recent here; none is below that
        self.stay = object()  # from one SELECT to the next

    def leave(self):
        """A client with QRESYNC keeps what it knows, if that is everything."""
        if self.box and self.mode == "qresync" and self.knows_all() and self.highest:
            self.caches[self.box.validity] = (self.highest, dict(self.flags), list(self.slots))
        self.forget()

    def knows_all(self):
        return None not in self.slots and all(uid in self.flags for uid in self.slots)

    def close(self):
        self.leave()
        self.socket.close()

    # Bytes

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Gone
        self.input += data

    def line(self):
        """A whole response, its literals in quotes."""
        line = b""
        while True:
            while b"\r\n" not in self.input:
                self.more()
            part, self.input = self.input.split(b"\r\n", 1)
            literal = re.search(rb"\{(\d+)\}$", part)
            line += part
            if not literal:
                self.heard.append(line)
                return line
            while len(self.input) < int(literal[1]):
                self.more()
            line += b'"' + self.input[:int(literal[1])] + b'"'
            self.input = self.input[int(literal[1]):]

    # Commands

    def send(self, command):
        self.tags += 1
        command.tag = b"%s%d" % (self.name.encode(), self.tags)
        command.box = self.box
        command.floors = {v: (box.next, box.highest) for v, box in self.world.boxes.items()}
        command.recent_floors = {v: box.recent_from for v, box in self.world.boxes.items()}
        self.pending.append(command)
        self.heard.append(b"C: " + command.tag + b" " + command.text[:300])
        self.socket.sendall(command.tag + b" " + command.text + b"\r\n")

    def do(self, command):
        self.send(command)
        self.finish()
        return command

    def finish(self):
        while self.pending:
            self.take(self.line())

    def idle(self):
        self.send(Command(b"IDLE"))
        while True:
            line = self.line()
            if line.startswith(b"+"):
                break
            self.take(line)
        self.is_idle = True

    def wake(self):
        self.is_idle = False
        self.socket.sendall(b"DONE\r\n")
        self.finish()

    def drain(self, until=lambda: False, wait_s=0):
        """Takes what is there, or what comes until something is so."""
        end = time.time() + wait_s
        while not until():
            if b"\r\n" in self.input:
                self.take(self.line())
            elif select.select([self.socket], [], [], max(0, end - time.time()))[0]:
                self.more()
            else:
                break
        return until()

    def take(self, line):
        command = self.pending[0] if self.pending else None
        if command and line.startswith(command.tag + b" "):
            self.pending.popleft()
            self.complete(command, line)
        elif line.startswith(b"* BYE"):
            if not command or command.verb != "LOGOUT":
                assert self.is_lost(), line
                raise Gone
        else:
            assert line.startswith(b"* "), line
            self.learn(command, line)

    def is_lost(self):
        """Whether the mailbox was, or is just being, deleted."""
        if not self.box:
            return False
        return self.box.is_deleted or any(
            self.world.names.get(name) == self.box.validity for name in self.world.unstable)

    def complete(self, command, line):
        words = line.split(b" ", 2)
        self.world.counts[command.verb] += 1
        assert words[1] != b"BAD", (command.text, line)
        if words[1] == b"NO" and command.expects_no and command.expects_no in line:
            return
        self.update_highest(line)
        if words[1] == b"NO":
            is_excused = command.names & self.world.unstable or self.is_lost()
            assert is_excused, (command.text, line)
            self.world.counts["NO"] += 1
            if command.verb in ("SELECT", "EXAMINE"):
                self.forget()
            return
        assert not command.expects_no, (command.text, line)
        if command.verb == "STORE":
            self.stored(command, line)
        self.check_order()
        self.check_recent(command)
        if command.done:
            command.done(self, command, line)

    def check_order(self):
        known = [uid for uid in self.slots if uid is not None]
        assert all(a < b for a, b in zip(known, known[1:])), known

    def check_recent(self, command):
        """RFC 3501 §2.3.2, §7.3.2: the count fits the flags, and what a session that may write was
        told is recent to nobody who comes later."""
        assert not self.owes_recent, command.text
        if not self.box or self.is_rev2 or self.opening is not None:
            return
        known = [uid for uid in self.slots if uid is not None]
        if not self.is_read_only:
            self.box.recent_from = max([self.box.recent_from, self.next] + [uid + 1 for uid in known])
        if all(uid in self.recents for uid in self.slots):
            recent = [uid for uid in known if self.recents[uid]]
            assert len(recent) == self.recent, (command.text, self.recent, recent)
            self.world.counts["RECENT"] += bool(recent)

    def update_highest(self, line):
        """RFC 7162 §6: how a client learns up to where it knows everything."""
        code = re.search(rb"^\S+ OK \[HIGHESTMODSEQ (\d+)\]", line)
        if code:
            self.said_highest = int(code[1])
            self.tell_highest(self.said_highest)
        if self.highest is not None:
            if self.said_highest is not None:
                self.highest = self.said_highest
            elif self.seen is not None:
                self.highest = max(self.highest, self.seen)
        self.seen = self.said_highest = None

    def tell_highest(self, value):
        if self.box:
            self.box.highest = max(self.box.highest, value)

    # Responses

    def learn(self, command, line):
        vanished = re.match(rb"\* VANISHED (\(EARLIER\) )?([\d:,]+)$", line)
        number = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)\b", line)
        if vanished:
            self.learn_vanished(command, bool(vanished[1]), uids_of(vanished[2]))
        elif number:
            self.learn_number(command, int(number[1]), number[2].decode(), line)
        elif re.match(rb"\* OK \[", line):
            self.learn_code(command, line)
        elif re.match(rb"\* (E?SEARCH)\b", line):
            assert command.verb == "SEARCH", line
            self.learn_search(command, line)
        elif line.startswith(b"* STATUS "):
            self.learn_status(command, line)
        elif line.startswith(b"* FLAGS ("):
            self.told_flags = frozenset(line[9:-1].split())
        elif line.startswith(b"* ENABLED "):
            for mode in ("condstore", "qresync"):
                self.mode = mode if mode.upper().encode() in line else self.mode

    def learn_number(self, command, number, what, line):
        opening = self.opening
        if what == "RECENT":
            assert not self.is_rev2, line
            if opening is not None:
                opening["recent"] = number
                return
            assert number <= len(self.slots), (line, len(self.slots))
            self.recent, self.owes_recent = number, False
        elif what == "EXISTS":
            if opening is not None and "exists" not in opening:
                opening["exists"] = number
                return
            assert number >= len(self.slots), (line, len(self.slots))
            self.slots += [None] * (number - len(self.slots))
            self.owes_recent = not self.is_rev2
        elif what == "EXPUNGE":
            assert command and command.may_expunge(), (command and command.text, line)
            assert self.mode != "qresync" and opening is None, line
            assert 1 <= number <= len(self.slots), (line, len(self.slots))
            self.remove_slot(number - 1)
        else:
            self.learn_fetch(command, number, line)

    def remove_slot(self, at):
        uid = self.slots.pop(at)
        self.base -= at < self.base
        if uid is not None:
            self.remove_uid(uid)

    def remove_uid(self, uid):
        self.box.gone.add(uid)
        self.flags.pop(uid, None)
        self.modseqs.pop(uid, None)

    def learn_vanished(self, command, is_earlier, uids):
        assert self.mode == "qresync" and command, uids
        if is_earlier and self.opening is not None:
            self.opening["vanished"] += uids
            return
        if is_earlier:
            assert command.verb == "FETCH" and command.is_uid, command.text
            assert not set(uids) & set(self.slots), uids
            return
        assert command.may_expunge(), (command.text, uids)
        for uid in uids:
            if uid in self.slots:
                self.remove_slot(self.slots.index(uid))
                continue
            at = sum(1 for known in self.slots if known is not None and known < uid)
            place = [i for i, known in enumerate(self.slots) if known is None and
                     sum(1 for k in self.slots[:i] if k is not None) == at]
            assert place, (uid, self.slots)  # one that it was told of
            self.remove_slot(place[-1 if uid >= self.next else 0])
            self.remove_uid(uid)

    def learn_fetch(self, command, number, line):
        found = {word: re.search(rb"\b%s (\d+|\([^)]*\))" % word, line)
                 for word in (b"UID", b"FLAGS", b"MODSEQ")}
        uid = found[b"UID"] and int(found[b"UID"][1])
        flags = found[b"FLAGS"] and frozenset(found[b"FLAGS"][1][1:-1].split())
        modseq = found[b"MODSEQ"] and int(found[b"MODSEQ"][1][1:-1])
        is_asked = command and command.verb == "FETCH"
        assert not flags or flags - {b"\\Recent"} <= self.told_flags, (line, self.told_flags)
        assert uid or is_asked or self.mode != "qresync", line  # RFC 7162 §3.2.4
        assert modseq or is_asked or self.mode == "plain", line  # RFC 7162 §3.2
        if self.opening is not None:
            self.opening["fetched"].append((number, uid, flags, modseq))
            return
        assert 1 <= number <= len(self.slots), (line, len(self.slots))
        if uid:
            assert (number <= self.base) == (uid < self.next), (line, self.base, self.next)
            assert self.slots[number - 1] in (None, uid), (line, self.slots[number - 1])
            self.slots[number - 1] = uid
            self.box.rumours.add(uid)
        else:
            uid = self.slots[number - 1]
        if uid:
            self.learn_flags(command, uid, flags, modseq)
            token = re.search(rb'Subject: token (\d+)\r\n', line)
            known = self.box.token(uid)
            assert not token or known in (None, int(token[1])), (line, known)

    def learn_flags(self, command, uid, flags, modseq):
        if command:
            command.fetched.add(uid)
        if modseq:
            assert modseq >= self.modseqs.get(uid, 0), (uid, modseq, self.modseqs.get(uid))
            self.modseqs[uid] = modseq
            self.seen = max(self.seen or 0, modseq)
        if flags is not None:
            flags = self.learn_recent(uid, flags)
            self.box.tell_flags(uid, flags, modseq)
            self.flags[uid] = flags
        elif command and command.stores and modseq:
            self.apply(uid, command.stores)  # what .SILENT leaves to the client

    def learn_recent(self, uid, flags):
        """What is \\Recent stays so, in one session only of those that may write, and is
        IMAP4rev1's alone."""
        is_recent = b"\\Recent" in flags
        assert self.recents.setdefault(uid, is_recent) == is_recent, (uid, flags)
        if is_recent:
            assert not self.is_rev2 and uid >= self.recent_floor, (uid, self.recent_floor)
        if is_recent and not self.is_read_only:
            assert self.box.recent_to.setdefault(uid, self.stay) is self.stay, (uid, flags)
        return flags - {b"\\Recent"}

    def apply(self, uid, stores):
        sign, flags, _ = stores
        before = self.flags.get(uid)
        if sign == b"":
            self.flags[uid] = frozenset(flags)
        elif before is not None:
            self.flags[uid] = before | flags if sign == b"+" else before - flags

    def stored(self, command, line):
        sign, flags, is_silent = command.stores
        if b"\\Deleted" in flags and sign != b"-":
            self.box.doomed |= command.asked
        if is_silent and self.mode == "plain":
            if not command.is_exact:  # it does not know which it meant
                self.flags = {uid: self.flags[uid] for uid in self.flags.keys() & command.asked}
            for uid in command.asked & set(self.slots):
                if uid in command.fetched:  # told meanwhile: before ours or after?
                    self.flags.pop(uid, None)
                else:
                    self.apply(uid, command.stores)
        refused = re.search(rb"\[MODIFIED ([\d:,]+)\]", line)
        refused = uids_of(refused[1]) if refused else []
        if not command.is_uid:
            refused = [self.slots[number - 1] for number in refused]
        for uid in refused:
            assert command.since is not None and (uid is None or not command.is_exact or uid in command.asked), line
            told = self.modseqs.get(uid)
            assert told is None or told > command.since, (line, uid, told)
        if command.since is not None:
            late = {uid for uid in command.asked if command.known.get(uid, 0) > command.since}
            self.box.suspects |= late - self.box.gone - set(refused)  # not there any more, it seems
            self.world.counts["MODIFIED"] += bool(refused)

    def learn_code(self, command, line):
        highest = re.match(rb"\* OK \[HIGHESTMODSEQ (\d+)\]", line)
        copied = re.match(rb"\* OK \[COPYUID (\d+) ([\d:,]+) ([\d:,]+)\]", line)
        if copied:
            self.copied(command, *copied.groups())
        if b"[CLOSED]" in line:
            assert command.verb in ("SELECT", "EXAMINE"), line
            self.world.counts["CLOSED"] += 1
        if self.opening is not None:
            for word in (b"UIDVALIDITY", b"UIDNEXT", b"HIGHESTMODSEQ", b"MAILBOXID"):
                value = re.match(rb"\* OK \[%s \(?(\w+)\)?\]" % word, line)
                if value:
                    self.opening[word] = value[1]
        elif highest:
            self.said_highest = int(highest[1])
            self.tell_highest(self.said_highest)
            if self.highest is None:
                self.highest = self.said_highest

    def learn_search(self, command, line):
        assert line.startswith(b"* ESEARCH" if self.is_rev2 or command.is_extended else b"* SEARCH"), line
        if line.startswith(b"* ESEARCH"):
            assert b'(TAG "%s")' % command.tag in line, line
            assert (b" UID" in line) == command.is_uid, line
            found = re.search(rb" ALL ([\d:,]+)", line)
            command.numbers = uids_of(found[1]) if found else []
        else:
            command.numbers = [int(n) for n in re.sub(rb"\(MODSEQ \d+\)", b"", line).split()[2:]]
        if not command.is_uid:
            assert all(1 <= n <= len(self.slots) for n in command.numbers), (line, len(self.slots))
        else:
            self.box.rumours |= set(command.numbers)
        if command.is_recent:
            told = [n if command.is_uid else self.slots[n - 1] for n in command.numbers]
            assert all(self.recents.get(uid, True) for uid in told), (line, self.recents)

    def learn_status(self, command, line):
        """UIDNEXT and HIGHESTMODSEQ are never below what anybody was told before it was asked."""
        value = {word: int(number) for word, number in re.findall(rb"([A-Z]+) (\d+)", line.rsplit(b"(", 1)[1])}
        floor = command.floors.get(value[b"UIDVALIDITY"], (0, 0))
        assert value[b"UIDNEXT"] >= floor[0], (line, floor)
        assert value.get(b"HIGHESTMODSEQ", floor[1]) >= floor[1], (line, floor)
        box = self.world.box(value[b"UIDVALIDITY"])
        box.next = max(box.next, value[b"UIDNEXT"])
        command.status = value

    def copied(self, command, validity, sources, targets):
        sources, targets = uids_of(sources), uids_of(targets)
        box = self.world.box(int(validity))
        floor = command.floors.get(int(validity), (0, 0))[0]
        assert len(sources) == len(targets) and sorted(sources) == sources, command.text
        assert all(a < b for a, b in zip(targets, targets[1:])), command.text
        for source, target in zip(sources, targets):
            box.rumours.add(target)
            self.box.rumours.add(source)
            box.arrive(target, (self.box, source), floor)
        if command.is_exact:
            assert set(sources) <= command.asked, (command.text, sources)
        if command.verb == "MOVE":
            self.box.doomed |= set(sources)
            command.moved = set(sources)

    # Opening a mailbox

    def select(self, name, verb=b"SELECT", with_cache=True, **more):
        """The command that opens a mailbox; to be sent when nothing else is under way."""
        validity = self.world.names.get(name)
        cache = self.caches.get(validity) if with_cache and self.mode == "qresync" else None
        text = verb + b" " + name
        if cache:
            samples = self.samples(cache, **more)
            text += b" (QRESYNC (%d %d%s))" % (validity, cache[0], samples)
        elif self.mode == "condstore":
            text += b" (CONDSTORE)"
        self.leave()
        self.opening = {"vanished": [], "fetched": [], "cache": (validity, cache), "is_partial": cache and samples}
        return Command(text, Client.opened, [name])

    def samples(self, cache, known=False, matches=0):
        """What the client may tell besides: the UIDs it knows, and which number some have."""
        _, _, slots = cache
        if not slots or not known:
            return b""
        text = b" " + ranges_of(slots)
        if matches:
            places = sorted(set(range(0, len(slots), max(1, len(slots) // matches))))
            text += b" (%s %s)" % (ranges_of(p + 1 for p in places), ranges_of(slots[p] for p in places))
        return text

    def opened(self, command, line):
        said, self.opening = self.opening, None
        validity, cache = said["cache"]
        now = int(said[b"UIDVALIDITY"])
        self.world.identify(now, said[b"MAILBOXID"])
        self.box = self.world.box(now)
        self.is_read_only = b"[READ-ONLY]" in line
        self.next, self.highest = int(said[b"UIDNEXT"]), int(said[b"HIGHESTMODSEQ"])
        self.base = said["exists"]
        assert ("recent" in said) != self.is_rev2 and said.get("recent", 0) <= self.base, said
        self.recent = said.get("recent", 0)
        self.recent_floor = command.recent_floors.get(now, 1)
        floor = command.floors.get(now, (0, 0))
        assert self.next >= floor[0] and self.highest >= floor[1], (line, self.next, self.highest, floor)
        self.tell_highest(self.highest)
        self.box.next = max(self.box.next, self.next)
        if cache and validity == now:
            self.resynchronised(cache, said)
        else:
            assert not said["vanished"] and not said["fetched"], said
            self.slots = [None] * said["exists"]
        self.seen = None
        self.world.counts["resync" if cache and validity == now else "open"] += 1

    def resynchronised(self, cache, said):
        _, flags, slots = cache
        self.flags = {uid: f for uid, f in flags.items() if uid not in set(said["vanished"])}
        for number, uid, new, modseq in said["fetched"]:
            assert uid and new is not None and modseq, said
            self.box.rumours.add(uid)
            self.learn_flags(None, uid, new, modseq)
        self.box.gone |= set(said["vanished"]) & set(slots)
        self.slots = sorted(self.flags)
        if said["is_partial"]:  # what is new it was not told of
            assert all(uid in slots for _, uid, *_ in said["fetched"]), said
            self.slots += [None] * (said["exists"] - len(self.slots))
        if len(self.slots) != said["exists"]:
            # Something went between the look at the mailbox and the look at its messages.
            assert not self.world.is_quiet, (said, self.slots)
            self.world.counts["crossed"] += 1
            self.slots, self.flags, self.modseqs = [None] * said["exists"], {}, {}
            return
        for number, uid, *_ in said["fetched"]:
            assert self.slots[number - 1] == uid, (number, uid, self.slots)
