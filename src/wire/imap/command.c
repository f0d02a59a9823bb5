#include "wire/imap/command.h"

#include "wire/imap/mailbox_name.h"

/* auth-type [SP initial-resp]; RFC 4959 for the latter. */
static bool authenticate(struct imap_in *in, struct imap_command *command)
{
	struct cursor from;

	if (!imap_atom(in, &command->authenticate.mechanism))
		return imap_fail_here(in, "a mechanism is expected");
	command->authenticate.has_initial = imap_space(in);
	if (!command->authenticate.has_initial)
		return true;
	from = in->at;
	while (in->at.at<in->at.end && * in->at.at> 32 && *in->at.at < 127)
		in->at.at++;
	command->authenticate.initial = cur_since(from, in->at);
	if (command->authenticate.initial.len == 0)
		return imap_fail(in, "an initial response is expected");
	if (str_same(command->authenticate.initial, STR("=")))
		command->authenticate.initial.len = 0;
	return true;
}

/* Leniency: a name or password may hold whatever is no space, without quotes. */
static bool credential(struct imap_in *in, struct str *text)
{
	struct cursor from = in->at;

	if (cur_sees(from, '"') || cur_sees(from, '{'))
		return imap_string(in, text);
	while (in->at.at < in->at.end && (unsigned char)*in->at.at > ' ')
		in->at.at++;
	*text = cur_since(from, in->at);
	return text->len > 0;
}

static bool login(struct imap_in *in, struct imap_command *command)
{
	/* No part of what was sent goes into the reason: it may be the password. */
	return (credential(in, &command->login.user) && imap_space(in) &&
		credential(in, &command->login.password)) ||
	       (in->reason = STR(""),
		imap_fail(in, "a user and a password are expected"));
}

/* id_params_list = "(" *(string SP nstring) ")" / nil.  RFC 2971 §4. */
static bool id(struct imap_in *in, struct imap_command *command)
{
	struct str nil, pairs[2 * IMAP_ID_PAIRS_MAX];
	size_t count = 0;

	if (!cur_byte(&in->at, '('))
		return (imap_nstring(in, &nil) && !nil.ptr) ||
		       imap_fail_here(in, "a list or NIL is expected");
	while (!cur_byte(&in->at, ')')) {
		if (count == COUNT_OF(pairs))
			return imap_fail(in, "more than %d fields", IMAP_ID_PAIRS_MAX);
		if ((count > 0 && !imap_space(in)) || !imap_string(in, &pairs[count]) ||
		    !imap_space(in) || !imap_nstring(in, &pairs[count + 1]))
			return imap_fail_here(in, "a field and its value are expected");
		count += 2;
	}
	struct str *kept = ARENA_ARRAY(in->arena, struct str, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, pairs, count * sizeof *kept);
	command->id.pairs = kept;
	command->id.count = count;
	return true;
}

/* capability *(SP capability) */
static bool enable(struct imap_in *in, struct imap_command *command)
{
	struct str names[IMAP_ENABLE_MAX];
	size_t count = 0;

	do {
		if (count == IMAP_ENABLE_MAX)
			return imap_fail(in, "more than %d names", IMAP_ENABLE_MAX);
		if (!imap_atom(in, &names[count++]))
			return imap_fail_here(in, "a capability is expected");
	} while (imap_space(in));
	struct str *kept = ARENA_ARRAY(in->arena, struct str, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, names, count * sizeof *kept);
	command->enable.names = kept;
	command->enable.count = count;
	return true;
}

static bool select_(struct imap_in *in, struct imap_command *command)
{
	return imap_select(in, &command->select);
}

static bool mailbox(struct imap_in *in, struct imap_command *command)
{
	return imap_mailbox(in, &command->mailbox);
}

/* mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"].  RFC 6154 §6.  One use
 * is the most a mailbox of ours has. */
static bool create(struct imap_in *in, struct imap_command *command)
{
	struct str name;

	if (!imap_mailbox(in, &command->create.mailbox))
		return false;
	if (!imap_space(in))
		return true;
	if (!cur_byte(&in->at, '(') || !imap_label(in, &name) ||
	    !str_same_nocase(name, STR("USE")) || !imap_space(in) ||
	    !cur_byte(&in->at, '('))
		return imap_fail_here(in, "USE and a list is expected");
	struct cursor from = in->at;

	if (cur_byte(&in->at, '\\')) {
		if (!imap_atom(in, &name))
			return imap_fail_here(in, "a use is expected");
		command->create.use = cur_since(from, in->at);
	}
	return (cur_byte(&in->at, ')') && cur_byte(&in->at, ')')) ||
	       imap_fail_here(in, "one use is the most, and the list must end");
}

static bool rename_(struct imap_in *in, struct imap_command *command)
{
	return imap_mailbox(in, &command->rename.from) &&
	       (imap_space(in) || imap_fail_here(in, "a new name is expected")) &&
	       imap_mailbox(in, &command->rename.to);
}

static bool list(struct imap_in *in, struct imap_command *command)
{
	return imap_list(in, &command->list);
}

static bool lsub(struct imap_in *in, struct imap_command *command)
{
	return imap_lsub(in, &command->list);
}

static bool status(struct imap_in *in, struct imap_command *command)
{
	return imap_mailbox(in, &command->status.mailbox) &&
	       (imap_space(in) || imap_fail_here(in, "status items are expected")) &&
	       imap_status_items(in, &command->status.items);
}

static bool append(struct imap_in *in, struct imap_command *command)
{
	return imap_append(in, &command->append);
}

static bool replace(struct imap_in *in, struct imap_command *command)
{
	return imap_replace(in, &command->append);
}

static bool search(struct imap_in *in, struct imap_command *command)
{
	return imap_search(in, &command->search);
}

static bool sort(struct imap_in *in, struct imap_command *command)
{
	return imap_sort_search(in, &command->search);
}

static bool thread(struct imap_in *in, struct imap_command *command)
{
	return imap_thread_search(in, &command->search);
}

/* quoted *(SP quoted).  RFC 5267 §5. */
static bool cancel_update(struct imap_in *in, struct imap_command *command)
{
	struct str tags[IMAP_CANCEL_MAX];
	size_t count = 0;

	do {
		if (count == IMAP_CANCEL_MAX)
			return imap_fail(in, "more than %d tags", IMAP_CANCEL_MAX);
		if (!imap_quoted(in, &tags[count++]))
			return imap_fail_here(in, "a tag in quotes is expected");
	} while (imap_space(in));
	struct str *kept = ARENA_ARRAY(in->arena, struct str, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, tags, count * sizeof *kept);
	command->cancel.tags = kept;
	command->cancel.count = count;
	return true;
}

/* RFC 7377 §4.  It is always about UIDs, and answered with ESEARCH (§2.1). */
static bool esearch(struct imap_in *in, struct imap_command *command)
{
	struct imap_in at = *in;
	struct str name;

	if (imap_label(&at, &name) && str_same_nocase(name, STR("IN"))) {
		in->at = at.at;
		if (!imap_sources(in, &command->sources))
			return false;
		if (!imap_space(in))
			return imap_fail_here(in, "search keys are expected");
	}
	command->is_uid = true;
	if (!imap_search(in, &command->search))
		return false;
	if (!command->search.is_extended)
		command->search.returns = IMAP_RETURN_ALL;
	command->search.is_extended = true;
	return true;
}

static bool fetch(struct imap_in *in, struct imap_command *command)
{
	if (!imap_fetch(in, &command->fetch))
		return false;
	if (command->fetch.wants_vanished && !command->is_uid)
		return imap_fail(in, "VANISHED is for UID FETCH only");
	if (command->fetch.is_partial && !command->is_uid)
		return imap_fail(in, "PARTIAL is for UID FETCH only");
	if (command->is_uid)
		command->fetch.items |= IMAP_FETCH_UID; /* RFC 9051 §6.4.9 */
	return true;
}

static bool store(struct imap_in *in, struct imap_command *command)
{
	return imap_store(in, &command->store);
}

static bool copy(struct imap_in *in, struct imap_command *command)
{
	return imap_sequence_set(in, &command->copy.set) &&
	       (imap_space(in) || imap_fail_here(in, "a mailbox name is expected")) &&
	       imap_mailbox(in, &command->copy.mailbox);
}

static bool uid_expunge(struct imap_in *in, struct imap_command *command)
{
	return imap_sequence_set(in, &command->copy.set);
}

/* compress = "COMPRESS" SP algorithm.  RFC 4978 §5. */
static bool compress(struct imap_in *in, struct imap_command *command)
{
	return imap_atom(in, &command->mechanism) ||
	       imap_fail_here(in, "an algorithm is expected");
}

/* getquota = "GETQUOTA" SP quota-root-name.  RFC 9208 §7. */
static bool getquota(struct imap_in *in, struct imap_command *command)
{
	return imap_astring(in, &command->quota_root) ||
	       imap_fail_here(in, "a quota root is expected");
}

static bool setquota(struct imap_in *in, struct imap_command *command)
{
	return imap_setquota(in, &command->quota_root);
}

/* message-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number].  RFC 10022
 * §4. */
static bool uidbatches(struct imap_in *in, struct imap_command *command)
{
	if (!imap_nz_number(in, &command->batches.size))
		return imap_fail_here(in, "a number of messages is expected");
	command->batches.has_range = imap_space(in);
	if (!command->batches.has_range)
		return true;
	return (imap_nz_number(in, &command->batches.first) && cur_byte(&in->at, ':') &&
		imap_nz_number(in, &command->batches.last)) ||
	       imap_fail_here(in, "a range of batches is expected");
}

static bool notify(struct imap_in *in, struct imap_command *command)
{
	return imap_notify(in, &command->notify);
}

static bool setacl(struct imap_in *in, struct imap_command *command)
{
	return imap_setacl(in, &command->acl);
}

static bool identified(struct imap_in *in, struct imap_command *command)
{
	return imap_identified(in, &command->acl);
}

static bool getmetadata(struct imap_in *in, struct imap_command *command)
{
	return imap_getmetadata(in, &command->metadata);
}

static bool setmetadata(struct imap_in *in, struct imap_command *command)
{
	return imap_setmetadata(in, &command->metadata);
}

enum {
	ANY = IMAP_NOT_AUTHENTICATED | IMAP_AUTHENTICATED | IMAP_SELECTED,
	LOGGED_IN = IMAP_AUTHENTICATED | IMAP_SELECTED,
};

/* The commands, the states each is valid in, and what reads its arguments.  A null reader
 * means that there are none. */
static const struct row {
	struct str name;
	unsigned states;
	bool (*read)(struct imap_in *in, struct imap_command *command);
	bool (*read_uid)(struct imap_in *in, struct imap_command *command); /* UID form */
} rows[IMAP_VERB_COUNT] = {
	[IMAP_CAPABILITY] = {STR("CAPABILITY"), ANY},
	[IMAP_NOOP] = {STR("NOOP"), ANY},
	[IMAP_LOGOUT] = {STR("LOGOUT"), ANY},
	[IMAP_ID] = {STR("ID"), ANY, id},
	[IMAP_STARTTLS] = {STR("STARTTLS"), IMAP_NOT_AUTHENTICATED},
	[IMAP_AUTHENTICATE] = {STR("AUTHENTICATE"), IMAP_NOT_AUTHENTICATED, authenticate},
	[IMAP_LOGIN] = {STR("LOGIN"), IMAP_NOT_AUTHENTICATED, login},
	[IMAP_ENABLE] = {STR("ENABLE"), LOGGED_IN, enable},
	[IMAP_SELECT] = {STR("SELECT"), LOGGED_IN, select_},
	[IMAP_EXAMINE] = {STR("EXAMINE"), LOGGED_IN, select_},
	[IMAP_CREATE] = {STR("CREATE"), LOGGED_IN, create},
	[IMAP_DELETE] = {STR("DELETE"), LOGGED_IN, mailbox},
	[IMAP_RENAME] = {STR("RENAME"), LOGGED_IN, rename_},
	[IMAP_SUBSCRIBE] = {STR("SUBSCRIBE"), LOGGED_IN, mailbox},
	[IMAP_UNSUBSCRIBE] = {STR("UNSUBSCRIBE"), LOGGED_IN, mailbox},
	[IMAP_LIST] = {STR("LIST"), LOGGED_IN, list},
	[IMAP_LSUB] = {STR("LSUB"), LOGGED_IN, lsub},
	[IMAP_NAMESPACE] = {STR("NAMESPACE"), LOGGED_IN},
	[IMAP_STATUS] = {STR("STATUS"), LOGGED_IN, status},
	[IMAP_APPEND] = {STR("APPEND"), LOGGED_IN, append},
	[IMAP_IDLE] = {STR("IDLE"), LOGGED_IN},
	[IMAP_CHECK] = {STR("CHECK"), IMAP_SELECTED},
	[IMAP_CLOSE] = {STR("CLOSE"), IMAP_SELECTED},
	[IMAP_UNSELECT] = {STR("UNSELECT"), IMAP_SELECTED},
	[IMAP_EXPUNGE] = {STR("EXPUNGE"), IMAP_SELECTED, NULL, uid_expunge},
	[IMAP_SEARCH] = {STR("SEARCH"), IMAP_SELECTED, search, search},
	[IMAP_SORT] = {STR("SORT"), IMAP_SELECTED, sort, sort},
	[IMAP_THREAD] = {STR("THREAD"), IMAP_SELECTED, thread, thread},
	[IMAP_CANCELUPDATE] = {STR("CANCELUPDATE"), IMAP_SELECTED, cancel_update},
	[IMAP_ESEARCH] = {STR("ESEARCH"), LOGGED_IN, esearch},
	[IMAP_FETCH] = {STR("FETCH"), IMAP_SELECTED, fetch, fetch},
	[IMAP_STORE] = {STR("STORE"), IMAP_SELECTED, store, store},
	[IMAP_COPY] = {STR("COPY"), IMAP_SELECTED, copy, copy},
	[IMAP_MOVE] = {STR("MOVE"), IMAP_SELECTED, copy, copy},
	[IMAP_COMPRESS] = {STR("COMPRESS"), LOGGED_IN, compress},
	[IMAP_REPLACE] = {STR("REPLACE"), IMAP_SELECTED, replace, replace},
	[IMAP_GETQUOTA] = {STR("GETQUOTA"), LOGGED_IN, getquota},
	[IMAP_GETQUOTAROOT] = {STR("GETQUOTAROOT"), LOGGED_IN, mailbox},
	[IMAP_SETQUOTA] = {STR("SETQUOTA"), LOGGED_IN, setquota},
	[IMAP_UNAUTHENTICATE] = {STR("UNAUTHENTICATE"), LOGGED_IN},
	[IMAP_UIDBATCHES] = {STR("UIDBATCHES"), IMAP_SELECTED, uidbatches},
	[IMAP_NOTIFY] = {STR("NOTIFY"), LOGGED_IN, notify},
	[IMAP_GETACL] = {STR("GETACL"), LOGGED_IN, mailbox},
	[IMAP_SETACL] = {STR("SETACL"), LOGGED_IN, setacl},
	[IMAP_DELETEACL] = {STR("DELETEACL"), LOGGED_IN, identified},
	[IMAP_LISTRIGHTS] = {STR("LISTRIGHTS"), LOGGED_IN, identified},
	[IMAP_MYRIGHTS] = {STR("MYRIGHTS"), LOGGED_IN, mailbox},
	[IMAP_GETMETADATA] = {STR("GETMETADATA"), LOGGED_IN, getmetadata},
	[IMAP_SETMETADATA] = {STR("SETMETADATA"), LOGGED_IN, setmetadata},
};

struct str imap_verb_name(enum imap_verb verb)
{
	return rows[verb].name;
}

bool imap_verb_has_numbers(enum imap_verb verb)
{
	return rows[verb].read && rows[verb].read_uid;
}

static bool verb_named(struct str name, enum imap_verb *verb)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!str_same_nocase(name, rows[i].name))
			continue;
		*verb = (enum imap_verb)i;
		return true;
	}
	return false;
}

static bool may_be_now(struct imap_in *in, unsigned states, enum imap_state now)
{
	if (states & now)
		return true;
	if (now == IMAP_NOT_AUTHENTICATED)
		return imap_fail(in, "log in first");
	if (states == IMAP_SELECTED)
		return imap_fail(in, "select a mailbox first");
	return imap_fail(in, "you are logged in already");
}

/* ["UID" SP] name */
static bool verb(struct imap_in *in, struct imap_command *command)
{
	struct str name;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "a command is expected");
	command->is_uid = str_same_nocase(name, STR("UID"));
	if (command->is_uid && (!imap_space(in) || !imap_label(in, &name)))
		return imap_fail_here(in, "a command is expected after UID");
	if (verb_named(name, &command->verb) &&
	    (!command->is_uid || rows[command->verb].read_uid))
		return true;
	return imap_fail(in, "unknown command \"%.*s\"", STR_FMT(str_first(name, 40)));
}

static bool arguments(struct imap_in *in, struct imap_command *command)
{
	const struct row *row = &rows[command->verb];
	bool (*read)(struct imap_in *, struct imap_command *) =
		command->is_uid ? row->read_uid : row->read;

	if (read && !imap_space(in))
		return imap_fail(in, "arguments are expected");
	if (read && !read(in, command))
		return imap_fail_here(in, "wrong arguments");
	if (command->verb == IMAP_APPEND || command->verb == IMAP_REPLACE)
		return command->append.first.is_catenated ||
		       cur_done(in->at); /* the message follows */
	struct cursor end = in->at;

	if (imap_space(in))
		in->at = end;
	if (cur_byte(&in->at, '\r') && cur_byte(&in->at, '\n') && cur_done(in->at))
		return true;
	if (cur_sees(in->at, '\n'))
		return imap_fail(in, "lines must end in CRLF");
	if (command->verb == IMAP_LOGIN || command->verb == IMAP_AUTHENTICATE)
		return imap_fail(in, "too many arguments"); /* shows nothing of them */
	return imap_fail_here(in, "something is too much");
}

bool imap_command_parse(struct str text, struct imap_dialect dialect, struct arena *arena,
			struct imap_command *command, struct str *reason)
{
	struct imap_in in = imap_in_over(text, arena);
	struct str tag;

	*command = (struct imap_command){.tag = STR("")};
	*reason = STR("");
	in.is_utf8 = dialect.is_utf8;
	in.is_rev2 = dialect.is_rev2;
	if (!imap_tag(&in, &tag) || tag.len > IMAP_TAG_MAX || !cur_sees(in.at, ' ')) {
		*reason = STR("a command begins with a tag and a space");
		return false;
	}
	command->tag = tag;
	(void)imap_space(&in); /* at the line's end the verb is missing */
	if (verb(&in, command) &&
	    may_be_now(&in, rows[command->verb].states, dialect.state) &&
	    arguments(&in, command))
		return true;
	*reason = in.reason;
	return false;
}
