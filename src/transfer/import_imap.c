/* Bringing mail from another's IMAP server: the mailboxes are listed, the messages of
 * each are listed by UID, and those not brought yet are fetched, many a command and two
 * commands ahead.  Nothing is changed there: EXAMINE and BODY.PEEK[]. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "rt/clock.h"
#include "store/role.h"
#include "transfer/imap_link.h"
#include "wire/imap/sequence_set.h"
#include "wire/imap/write.h"

enum {
	LIST_ARENA_MAX = 64 << 20,
	UIDS_MAX = 50 * 1000 * 1000,
	FETCH_MESSAGES = 100, /* of one command */
	FETCHES_AHEAD = 2,
	TRIES_MAX = 6, /* to connect, while nothing gets through */
	WHERE_MAX = 8192,
};

/* A mailbox there. */
struct remote {
	struct str name; /* as on the wire */
	struct str path; /* as box_path makes them */
	enum mailbox_role role;
	bool is_finished;
};

struct imap_import {
	struct intake *intake;
	const struct imap_source *source;
	struct imap_link link;
	struct arena arena; /* of the list */
	struct imap_namespaces namespaces;
	struct remote *list;
	size_t count, room;
	bool is_too_much;

	/* of the mailbox that is being read */
	const struct remote *at;
	struct str validity; /* UIDVALIDITY, as the server wrote it */
	char validity_room[16];
	uint64_t exists;
	uint32_t *uids; /* to be fetched */
	size_t uid_count, uid_room;
	struct buf text; /* of the message that comes */
};

static struct report *report_of(const struct imap_import *import)
{
	return intake_options(import->intake)->report;
}

/* ---- the list of mailboxes --------------------------------------------------------- */

static enum mailbox_role role_among(struct str attributes)
{
	while (attributes.len > 0) {
		enum mailbox_role role = role_of_use(str_cut(&attributes, ' '));

		if (role != ROLE_NONE && role != ROLE_ALL && role != ROLE_FLAGGED &&
		    role != ROLE_IMPORTANT)
			return role;
	}
	return ROLE_NONE;
}

/* The name without the prefix of the name space, level by level. */
static struct str path_of(struct imap_import *import, const struct imap_listed *listed)
{
	struct str rest = listed->name, prefix = import->namespaces.personal, path;
	struct box_path made = {.text = BUF(0)};

	if (prefix.len > 0 && rest.len > prefix.len && str_starts(rest, prefix))
		rest = str_skip(rest, prefix.len);
	while (rest.len > 0) {
		struct str level = listed->delimiter ? str_cut(&rest, listed->delimiter)
						     : str_skip(rest, 0);

		if (!listed->delimiter)
			rest.len = 0;
		box_path_add_utf7(&made, level);
	}
	if (!arena_copy(&import->arena, buf_str(&made.text), &path))
		path = STR("");
	buf_fini(&made.text);
	return path;
}

static bool is_elsewhere(const struct imap_import *import, struct str name)
{
	const struct imap_namespaces *spaces = &import->namespaces;

	return (spaces->others.len > 0 && str_starts(name, spaces->others)) ||
	       (spaces->shared.len > 0 && str_starts(name, spaces->shared));
}

static bool is_quotable(struct str name)
{
	return !memchr(name.ptr, 0, name.len) && !memchr(name.ptr, '\r', name.len) &&
	       !memchr(name.ptr, '\n', name.len);
}

static void on_list(void *arg, const struct imap_response *response)
{
	struct imap_import *import = arg;
	const struct imap_listed *listed = &response->list;

	if (response->kind != IMAP_SAYS_LIST || import->is_too_much ||
	    !listed->is_selectable || listed->name.len == 0 ||
	    is_elsewhere(import, listed->name))
		return;
	if (!is_quotable(listed->name)) {
		report_lost(report_of(import), listed->name,
			    "such a mailbox name cannot be asked for");
		return;
	}
	MEM_ROOM(import->list, import->count, import->room);
	struct remote *remote = &import->list[import->count++];

	*remote = (struct remote){.path = path_of(import, listed),
				  .role = role_among(listed->attributes)};
	import->is_too_much |= !arena_copy(&import->arena, listed->name, &remote->name) ||
			       remote->path.len == 0;
}

static void on_namespace(void *arg, const struct imap_response *response)
{
	struct imap_import *import = arg;
	struct imap_namespaces *to = &import->namespaces;

	if (response->kind != IMAP_SAYS_NAMESPACE)
		return;
	*to = response->namespaces;
	if (!arena_copy(&import->arena, to->personal, &to->personal) ||
	    !arena_copy(&import->arena, to->others, &to->others) ||
	    !arena_copy(&import->arena, to->shared, &to->shared))
		import->is_too_much = true;
}

static err_t list_mailboxes(struct imap_import *import)
{
	struct imap_link *link = &import->link;

	if (import->count > 0)
		return OK; /* by an earlier connection */
	if (imap_link_can(link, STR("NAMESPACE"))) {
		imap_link_send(link, "NAMESPACE");
		TRY(imap_link_await(link, on_namespace, import));
	}
	bool may_ask = imap_link_can(link, STR("LIST-EXTENDED")) &&
		       imap_link_can(link, STR("SPECIAL-USE"));

	imap_link_send(link, "LIST \"\" \"*\"%s", may_ask ? " RETURN (SPECIAL-USE)" : "");
	TRY(imap_link_await(link, on_list, import));
	if (!import->is_too_much)
		return OK;
	(void)report_fail(report_of(import), "There are too many mailboxes.");
	return ERR_LIMIT;
}

/* ---- what is to be fetched --------------------------------------------------------- */

static struct ident ident_of_uid(const struct imap_import *import, uint32_t uid)
{
	struct str parts[] = {
		import->source->host,
		import->source->user,
		import->at->name,
		import->validity,
		{(const char *)&uid, sizeof uid},
	};

	return ident_of(parts, COUNT_OF(parts));
}

static void on_examine(void *arg, const struct imap_response *response)
{
	struct imap_import *import = arg;
	struct str code = response->code, name = str_cut(&code, ' ');

	if (response->kind == IMAP_SAYS_EXISTS)
		import->exists = response->exists;
	if (response->kind != IMAP_SAYS_STATUS ||
	    !str_same_nocase(name, STR("UIDVALIDITY")) ||
	    code.len > sizeof import->validity_room)
		return;
	memcpy(import->validity_room, code.ptr, code.len);
	import->validity = (struct str){import->validity_room, code.len};
}

static void on_uid(void *arg, const struct imap_response *response)
{
	struct imap_import *import = arg;
	uint32_t uid = response->fetch.uid;

	if (response->kind != IMAP_SAYS_FETCH || uid == 0 ||
	    import->uid_count == UIDS_MAX)
		return;
	struct ident ident = ident_of_uid(import, uid);

	if (intake_has(import->intake, &ident)) {
		(void)intake_wants(import->intake, &ident); /* counts it */
		return;
	}
	MEM_ROOM(import->uids, import->uid_count, import->uid_room);
	import->uids[import->uid_count++] = uid;
}

static int by_number(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

static err_t examine(struct imap_import *import)
{
	struct imap_link *link = &import->link;
	SCOPED(buf_fini) struct buf name = BUF(16 << 10);

	imap_write_quoted(&name, import->at->name);
	import->validity = STR("");
	import->exists = 0;
	import->uid_count = 0;
	imap_link_send(link, "EXAMINE %.*s", STR_FMT(buf_str(&name)));
	TRY(imap_link_await(link, on_examine, import));
	if (import->exists == 0)
		return OK;
	imap_link_send(link, "UID FETCH 1:* (UID)");
	TRY(imap_link_await(link, on_uid, import));
	if (import->uid_count > 0)
		qsort(import->uids, import->uid_count, sizeof *import->uids, by_number);
	return OK;
}

/* ---- messages ---------------------------------------------------------------------- */

static void on_message(void *arg, const struct imap_response *response)
{
	struct imap_import *import = arg;
	const struct imap_fetched *fetch = &response->fetch;
	SCOPED(buf_fini) struct buf where = BUF(WHERE_MAX);

	if (response->kind != IMAP_SAYS_FETCH || fetch->uid == 0 ||
	    fetch->body == IMAP_TEXT_ABSENT || intake_is_over(import->intake))
		return;
	struct incoming incoming = {
		.ident = ident_of_uid(import, fetch->uid),
		.flags = (uint8_t)fetch->flags.system,
		.keywords = fetch->flags.keywords,
		.keyword_count = fetch->flags.keyword_count,
		.received_at = fetch->has_date ? fetch->date.at_s : clock_s(),
		.zone_minutes = fetch->has_date ? fetch->date.zone_minutes : 0,
	};

	if (!intake_wants(import->intake, &incoming.ident))
		return;
	buf_printf(&where, "%.*s, UID %u", STR_FMT(import->at->path), fetch->uid);
	incoming.where = buf_str(&where);
	if (fetch->body == IMAP_TEXT_OUTSIDE && import->link.is_too_long) {
		report_lost(report_of(import), incoming.where,
			    "it is longer than messages may be here "
			    "(limits.message-size)");
		return;
	}
	buf_add(intake_text(import->intake),
		fetch->body == IMAP_TEXT_HERE ? fetch->text : buf_str(&import->text));
	(void)intake_add(import->intake, &incoming); /* the loop looks if it is over */
}

/* Asks for the messages from *from on; false if there are none left. */
static bool ask(struct imap_import *import, size_t *from)
{
	SCOPED(buf_fini) struct buf set = BUF(16 << 10);
	struct imap_set_writer writer = {.out = &set};
	size_t end = num_min(*from + FETCH_MESSAGES, import->uid_count);

	if (*from == end)
		return false;
	while (*from < end)
		imap_set_add(&writer, import->uids[(*from)++]);
	imap_set_end(&writer);
	imap_link_send(&import->link,
		       "UID FETCH %.*s (UID FLAGS INTERNALDATE BODY.PEEK[])",
		       STR_FMT(buf_str(&set)));
	return true;
}

static err_t fetch_all(struct imap_import *import)
{
	size_t from = 0, under_way = 0;

	import->link.message = &import->text;
	while (!intake_is_over(import->intake)) {
		while (under_way < FETCHES_AHEAD && ask(import, &from))
			under_way++;
		if (under_way == 0)
			break;
		err_t err = imap_link_await(&import->link, on_message, import);

		under_way--;
		if (err == ERR_DENIED) /* some could not be had */
			report_lost(report_of(import), import->at->path,
				    import->link.why);
		else if (err != OK)
			return err;
	}
	import->link.message = NULL;
	return OK;
}

static err_t read_mailbox(struct imap_import *import, struct remote *remote)
{
	import->at = remote;
	err_t err = examine(import);

	if (err == ERR_DENIED) {
		report_lost(report_of(import), remote->path, import->link.why);
		remote->is_finished = true;
		return OK;
	}
	TRY(err);
	if (import->validity.len == 0) { /* RFC 9051 §6.3.2: MUST be told */
		report_lost(report_of(import), remote->path,
			    "the server tells no UIDVALIDITY");
	} else if (intake_mailbox(import->intake, remote->path, remote->role)) {
		TRY(fetch_all(import));
	}
	remote->is_finished = true;
	return OK;
}

/* ---- connections ------------------------------------------------------------------- */

/* As far as this connection goes. */
static err_t run_once(struct imap_import *import)
{
	TRY(imap_link_open(&import->link, import->source));
	TRY(list_mailboxes(import));
	for (size_t i = 0; i < import->count; i++) {
		if (intake_is_over(import->intake))
			return OK;
		if (!import->list[i].is_finished)
			TRY(read_mailbox(import, &import->list[i]));
	}
	return intake_flush(import->intake) ? OK : ERR_CANCELED;
}

/* What got through is committed, so that it is not asked for again. */
static bool may_try_again(struct imap_import *import, err_t err, unsigned *tries,
			  uint64_t *before)
{
	struct report *report = report_of(import);

	if (!intake_flush(import->intake) || err == ERR_DENIED || err == ERR_LIMIT ||
	    err == ERR_CANCELED)
		return false;
	if (report->messages > *before)
		*tries = 0;
	*before = report->messages;
	if (++*tries == TRIES_MAX)
		return false;
	return task_sleep_ms((uint64_t)500 << *tries) == OK;
}

void import_imap(struct intake *intake, const struct imap_source *source)
{
	struct imap_import import = {
		.intake = intake,
		.source = source,
		.text = BUF(intake_options(intake)->message_bytes_max)};
	unsigned tries = 0;
	uint64_t before = 0;
	err_t err;

	arena_init(&import.arena, LIST_ARENA_MAX);
	while ((err = run_once(&import)) != OK) {
		bool goes_on = may_try_again(&import, err, &tries, &before);

		if (!goes_on)
			(void)report_fail(
				report_of(&import), "%.*s: %s.", STR_FMT(source->host),
				import.link.why[0] ? import.link.why : err_text(err));
		imap_link_close(&import.link);
		if (!goes_on)
			break;
	}
	if (err == OK)
		imap_link_close(&import.link);
	mem_free(import.list);
	mem_free(import.uids);
	buf_fini(&import.text);
	arena_fini(&import.arena);
}
