/* GETMETADATA and SETMETADATA.  RFC 5464 §4. */
#include "imap/metadata.h"

#include "imap/events.h"

enum scope { SCOPE_SHARED, SCOPE_PRIVATE, SCOPES };

static struct str root_of(enum scope scope)
{
	return scope == SCOPE_SHARED ? STR("/shared") : STR("/private");
}

static enum scope scope_of(struct str name)
{
	return str_starts(name, STR("/private")) ? SCOPE_PRIVATE : SCOPE_SHARED;
}

static account_t account_of(const struct session *s, const struct mailbox *mailbox)
{
	return mailbox ? mailbox->account : s->login.account;
}

/* "meta/MAILBOX/s" or "meta/MAILBOX/p/ACCOUNT", in the arena. */
static struct str place_of(struct session *s, const struct mailbox *mailbox,
			   enum scope scope)
{
	struct pair_key front, own;
	struct str head = pair_metadata(&front, mailbox ? mailbox->row.id : 0);
	struct str tail =
		scope == SCOPE_SHARED ? STR("s/") : pair_private(&own, s->login.account);

	return arena_printf(&s->scratch, "%.*s%.*s", STR_FMT(head),
			    STR_FMT(str_first(tail, tail.len - 1)));
}

/* What there is in one scope; the pairs' names begin with place. */
struct annotations {
	struct str place;
	struct kv_row *rows;
	size_t count;
	bool is_loaded;
};

/* RFC 5464 §3.3: l, and one of those that have to do with messages.  The server has none
 * that all share. */
static bool may_read(const struct mailbox *mailbox)
{
	enum { ANY_OF = ACL_READ | ACL_SEEN | ACL_WRITE | ACL_INSERT | ACL_POST };

	return !mailbox ||
	       ((mailbox->row.rights & ACL_LOOKUP) && (mailbox->row.rights & ANY_OF));
}

static enum store_outcome load(struct session *s, const struct mailbox *mailbox,
			       enum scope scope, struct annotations *all)
{
	if (all->is_loaded)
		return STORE_OK;
	all->is_loaded = true;
	if (!mailbox && scope == SCOPE_SHARED)
		return STORE_OK;
	all->place = place_of(s, mailbox, scope);
	struct str prefix = arena_printf(&s->scratch, "%.*s/", STR_FMT(all->place));

	if (all->place.len == 0 || prefix.len == 0)
		return STORE_INVALID;
	return store_kv_scan(session_store(s), account_of(s, mailbox), prefix, STR(""),
			     METADATA_COUNT_MAX, &s->scratch, &all->rows, &all->count);
}

/* ---- getting ----------------------------------------------------------------------- */

/* Is the annotation the one asked for, or as far below it as is wanted? */
static bool is_asked(struct str asked, struct str name, enum imap_depth depth)
{
	if (!str_starts(name, asked))
		return false;
	struct str below = str_skip(name, asked.len);

	if (below.len == 0)
		return true;
	if (depth == IMAP_DEPTH_0 || below.ptr[0] != '/')
		return false;
	below = str_skip(below, 1);
	return depth == IMAP_DEPTH_INFINITY || str_find_byte(below, '/') == below.len;
}

struct telling {
	struct session *s;
	const struct mailbox *mailbox;
	const struct imap_metadata *asked;
	uint64_t longest;
	bool is_begun;
};

static void begin_one(struct telling *t, struct str name)
{
	struct session *s = t->s;

	if (t->is_begun) {
		buf_add_byte(&s->out, ' ');
	} else {
		buf_add_c(&s->out, "* METADATA ");
		if (t->mailbox)
			imap_write_mailbox(&s->out, t->mailbox->path, session_is_utf8(s));
		else
			buf_add_c(&s->out, "\"\"");
		buf_add_c(&s->out, " (");
	}
	t->is_begun = true;
	imap_write_astring(&s->out, name);
	buf_add_byte(&s->out, ' ');
}

/* value = nstring / literal8: the latter where it is binary. */
static void write_value(struct session *s, struct str value)
{
	if (str_find_byte(value, 0) == value.len) {
		imap_write_string(&s->out, value);
		return;
	}
	imap_write_literal_head(&s->out, value.len, true);
	buf_add(&s->out, value);
}

/* False if there was none. */
static bool tell_asked(struct telling *t, struct str asked, enum scope scope,
		       const struct annotations *all)
{
	bool is_there = false;

	for (size_t i = 0; i < all->count; i++) {
		struct str value = all->rows[i].value;
		struct str name =
			arena_printf(&t->s->scratch, "%.*s%.*s", STR_FMT(root_of(scope)),
				     STR_FMT(str_skip(all->rows[i].key, all->place.len)));

		if (name.len == 0 || !is_asked(asked, name, t->asked->depth))
			continue;
		is_there = true;
		if (t->asked->has_max_size && value.len > t->asked->max_size) {
			t->longest = num_max(t->longest, value.len);
			continue;
		}
		begin_one(t, name);
		write_value(t->s, value);
	}
	return is_there;
}

enum store_outcome metadata_write(struct session *s, const struct mailbox *mailbox,
				  const struct imap_metadata *asked, uint64_t *longest)
{
	struct telling t = {.s = s, .mailbox = mailbox, .asked = asked};
	struct annotations all[SCOPES] = {0};

	*longest = 0;
	if (!may_read(mailbox))
		return STORE_DENIED;
	for (size_t i = 0; i < asked->count; i++) {
		struct str name = asked->entries[i].name;
		enum scope scope = scope_of(name);
		enum store_outcome outcome = load(s, mailbox, scope, &all[scope]);

		if (outcome != STORE_OK) {
			buf_reset(&s->out);
			return outcome;
		}
		if (tell_asked(&t, name, scope, &all[scope]) ||
		    asked->depth != IMAP_DEPTH_0)
			continue;
		begin_one(&t, name);
		buf_add_c(&s->out, "NIL"); /* RFC 9590 §3 */
	}
	if (t.is_begun)
		buf_add_c(&s->out, ")\r\n");
	*longest = t.longest;
	return STORE_OK;
}

/* The mailbox; NULL for the server. */
static enum store_outcome find(struct session *s, struct str name,
			       struct mailbox **mailbox)
{
	*mailbox = NULL;
	if (name.len == 0)
		return STORE_OK;
	enum store_outcome outcome = mailbox_find(s, name, mailbox);

	if (outcome == STORE_OK && !((*mailbox)->row.rights & ACL_LOOKUP))
		outcome = STORE_ABSENT;
	return outcome;
}

err_t on_getmetadata(struct session *s, const struct imap_command *command)
{
	const struct imap_metadata *asked = &command->metadata;
	struct mailbox *mailbox;
	uint64_t longest = 0;
	enum store_outcome outcome = find(s, asked->mailbox, &mailbox);

	if (outcome == STORE_OK)
		outcome = metadata_write(s, mailbox, asked, &longest);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	if (longest > 0)
		return reply_ok(s, command,
				"[METADATA LONGENTRIES %llu] Some are longer than that",
				(unsigned long long)longest);
	return reply_ok(s, command, "That is all");
}

/* ---- setting ----------------------------------------------------------------------- */

static bool has_row(const struct annotations *all, struct str key)
{
	for (size_t i = 0; i < all->count; i++)
		if (str_same(all->rows[i].key, key))
			return true;
	return false;
}

/* An entry as an operation.  What goes and is not there, or comes twice, the last of
 * which counts, is none. */
struct setting {
	struct session *s;
	const struct mailbox *mailbox;
	struct annotations all[SCOPES];
	size_t fresh[SCOPES]; /* how many more there will be */
	struct store_op *ops;
	size_t count;
};

static enum store_outcome set_one(struct setting *set, const struct imap_entry *entry,
				  const struct imap_entry *after, size_t left)
{
	enum scope scope = scope_of(entry->name);
	struct annotations *all = &set->all[scope];
	enum store_outcome outcome = load(set->s, set->mailbox, scope, all);

	for (size_t i = 0; i < left; i++)
		if (str_same(after[i].name, entry->name))
			return STORE_OK;
	if (outcome != STORE_OK)
		return outcome;
	struct str below = str_skip(entry->name, root_of(scope).len);
	struct str key = arena_printf(&set->s->scratch, "%.*s%.*s", STR_FMT(all->place),
				      STR_FMT(below));
	bool is_there = has_row(all, key);

	if (key.len == 0 || below.len == 0)
		return STORE_INVALID;
	if (!entry->value.ptr && !is_there)
		return STORE_OK;
	set->fresh[scope] += entry->value.ptr && !is_there;
	set->ops[set->count].kind = entry->value.ptr ? OP_KV_PUT : OP_KV_DELETE;
	set->ops[set->count++].kv = (struct op_kv){.key = key, .value = entry->value};
	return STORE_OK;
}

/* Who may change what all see of a mailbox is who may change its messages. */
static bool may_set(const struct mailbox *mailbox, const struct imap_metadata *asked)
{
	if (!may_read(mailbox))
		return false;
	for (size_t i = 0; i < asked->count; i++)
		if (scope_of(asked->entries[i].name) == SCOPE_SHARED &&
		    (!mailbox || !(mailbox->row.rights & (ACL_WRITE | ACL_ADMIN))))
			return false;
	return true;
}

static err_t set_all(struct session *s, const struct imap_command *command,
		     struct setting *set)
{
	const struct imap_metadata *asked = &command->metadata;
	struct store_commit commit = {.account = account_of(s, set->mailbox)};
	struct store_result result;
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; i < asked->count && outcome == STORE_OK; i++)
		outcome = set_one(set, &asked->entries[i], &asked->entries[i + 1],
				  asked->count - i - 1);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	for (int scope = 0; scope < SCOPES; scope++)
		if (set->fresh[scope] > 0 &&
		    set->all[scope].count + set->fresh[scope] > METADATA_COUNT_MAX)
			return reply_no(s, command,
					"[METADATA TOOMANY] There are %d already; remove "
					"some",
					METADATA_COUNT_MAX);
	commit.ops = set->ops;
	commit.count = set->count;
	if (set->count > 0)
		outcome = store_commit(session_store(s), &commit, &s->scratch, &result);
	if (outcome == STORE_OK && set->count > 0)
		events_own(s, commit.account, result.change);
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	return reply_ok(s, command, "Noted");
}

err_t on_setmetadata(struct session *s, const struct imap_command *command)
{
	const struct imap_metadata *asked = &command->metadata;
	struct setting set = {.s = s};
	struct mailbox *mailbox;
	enum store_outcome outcome = find(s, asked->mailbox, &mailbox);

	if (outcome == STORE_OK && !may_set(mailbox, asked))
		outcome = STORE_DENIED;
	if (outcome != STORE_OK)
		return reply_store(s, command, outcome);
	for (size_t i = 0; i < asked->count; i++)
		if (asked->entries[i].value.len > METADATA_VALUE_MAX)
			return reply_no(s, command,
					"[METADATA MAXSIZE %d] That is too long; shorten "
					"it",
					METADATA_VALUE_MAX);
	set.mailbox = mailbox;
	set.ops = ARENA_ARRAY(&s->scratch, struct store_op, asked->count);
	if (!set.ops)
		return reply_store(s, command, STORE_INVALID);
	return set_all(s, command, &set);
}
