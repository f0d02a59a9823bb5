#include "sieve/mail_tests.h"

#include "sieve/compiler.h"
#include "sieve/fields.h"
#include "sieve/match.h"
#include "wire/mail/address.h"
#include "wire/smtp/path.h"

enum { ADDRESSES_MAX = 10000, ADDRESSES_BYTES_MAX = 16 * 1024 * 1024 }; /* of a field */

/* RFC 5228 §5.7 */
bool test_header(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 1);
	struct fields fields = fields_begin(run, call, 0);
	const struct mail_field *field;

	while (fields_next(&fields, &field)) {
		if (match_value(&match, field_text(run, field, call->line)))
			return true;
	}
	return match_end(&match);
}

/* RFC 5228 §5.5: all of them. */
bool test_exists(struct sieve_run *run, const struct sieve_call *call)
{
	const struct sieve_value *names = &call->arguments[0];
	uint64_t steps = (uint64_t)RUN_FIELD_STEPS * run->mail->header->count;

	for (size_t i = 0; i < names->count; i++) {
		struct str name = run_text(run, &names->texts[i], call->line);

		if (!run_spend(run, steps, call->line) ||
		    !mail_header_find(run->mail->header, name))
			return false;
	}
	return true;
}

/* RFC 5228 §5.9: a mail of exactly that size is neither over nor under it. */
bool test_size(struct sieve_run *run, const struct sieve_call *call)
{
	uint64_t limit = call->arguments[0].number;

	return run_has_tag(call, SIEVE_GROUP_LIMIT, SIEVE_TAG_OVER)
		       ? run->mail->bytes > limit
		       : run->mail->bytes < limit;
}

/* ---- addresses --------------------------------------------------------------------- */

struct address {
	struct str all, local, domain;
	bool is_whole; /* it has a local part and a domain */
};

/* RFC 5233 §4: what stands behind the first "+", which is how addresses are read here
 * (directory/name.h).  False if there is none. */
static bool detail(struct str local, struct str *user, struct str *rest)
{
	size_t plus = str_find_byte(local, '+');

	*user = str_first(local, plus);
	*rest = str_skip(local, plus + 1);
	return plus < local.len;
}

/* RFC 5228 §2.7.4; false: the address does not match, whatever the keys. */
static bool part_of(const struct sieve_call *call, const struct address *address,
		    struct str *part)
{
	const struct sieve_tag *tag = call->given[SIEVE_GROUP_PART].tag;
	struct str user, rest;
	bool has_detail = detail(address->local, &user, &rest);

	*part = address->all;
	if (!tag || tag->id == SIEVE_TAG_ALL)
		return true;
	if (tag->id == SIEVE_TAG_DETAIL && !has_detail)
		return false;
	*part = tag->id == SIEVE_TAG_LOCALPART ? address->local
		: tag->id == SIEVE_TAG_DOMAIN  ? address->domain
		: tag->id == SIEVE_TAG_USER    ? user
					       : rest;
	return address->is_whole;
}

static bool address_matches(struct match *match, const struct address *address)
{
	struct str part;

	if (match_is_count(match))
		return match_value(match, address->all);
	return part_of(match->call, address, &part) && match_value(match, part);
}

static struct address mailbox(struct arena *arena, const struct mail_address *item)
{
	struct address address = {.local = item->local, .domain = item->domain};

	address.is_whole = item->local.len > 0 && item->domain.len > 0;
	/* What has only a name was meant to be one: "the address" is all there is. */
	if (item->local.len == 0 && item->domain.len == 0)
		address.all = item->name;
	else
		address.all = item->domain.len == 0 ? item->local
						    : arena_printf(arena, "%.*s@%.*s",
								   STR_FMT(item->local),
								   STR_FMT(item->domain));
	return address;
}

static bool any_matches(struct match *match, struct arena *arena,
			const struct mail_addresses *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct address address;

		if (list->items[i].kind != MAIL_MAILBOX)
			continue; /* RFC 5228 §5.1: never on the names of groups */
		if (!run_spend(match->run, RUN_ADDRESS_STEPS, match->call->line))
			return false;
		address = mailbox(arena, &list->items[i]);
		if (address_matches(match, &address))
			return true;
	}
	return false;
}

static bool list_matches(struct sieve_run *run, struct match *match,
			 const struct mail_field *field)
{
	struct address nothing = {.all = str_trim(field->value)};
	uint64_t steps = (uint64_t)RUN_DECODE_STEPS * field->value.len;
	SCOPED(arena_fini) struct arena arena;
	struct mail_addresses list;

	arena_init(&arena, ADDRESSES_BYTES_MAX);
	if (!run_spend(run, steps, match->call->line))
		return false;
	list = mail_addresses_parse(&arena, field->value, ADDRESSES_MAX);
	if (list.count == 0)
		return !match_is_count(match) && address_matches(match, &nothing);
	return any_matches(match, &arena, &list);
}

/* RFC 5228 §5.1: "Implementations MUST restrict the address test to headers that contain
 * addresses". */
static bool has_addresses(struct str name)
{
	static const struct str names[] = {
		STR("From"),
		STR("To"),
		STR("Cc"),
		STR("Bcc"),
		STR("Sender"),
		STR("Reply-To"),
		STR("Resent-From"),
		STR("Resent-To"),
		STR("Resent-Cc"),
		STR("Resent-Bcc"),
		STR("Resent-Sender"),
		STR("Resent-Reply-To"),
		STR("Return-Path"),
		STR("Delivered-To"),
		STR("X-Original-To"),
		STR("Envelope-To"),
		STR("X-Envelope-To"),
		STR("X-Delivered-To"),
		STR("Errors-To"),
		STR("Apparently-To"),
		STR("Mail-Reply-To"),
		STR("Mail-Followup-To"),
		STR("Disposition-Notification-To"),
		STR("Return-Receipt-To"),
		STR("Original-From"),
		STR("X-Original-From"),
		STR("X-Forwarded-To"),
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_same_nocase(names[i], name))
			return true;
	}
	return false;
}

bool test_address(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 1);
	struct fields fields = fields_begin(run, call, 0);
	const struct mail_field *field;

	while (fields_next(&fields, &field)) {
		if (has_addresses(field->name) && list_matches(run, &match, field))
			return true;
	}
	return match_end(&match);
}

bool check_address(struct compiler *compiler, struct sieve_call *call)
{
	const struct sieve_value *names = &call->arguments[0];

	for (size_t i = 0; i < names->count; i++) {
		if (!names->texts[i].refs && !has_addresses(names->texts[i].plain))
			return sieve_wrong(
				compiler, call->line,
				"\"%.*s\" is no field that holds addresses; "
				"the test \"header\" looks at any field.",
				STR_FMT(str_first(names->texts[i].plain, 100)));
	}
	return check_index(compiler, call);
}

/* ---- the envelope ------------------------------------------------------------------ */

/* RFC 5228 §5.4: the empty reverse-path matches as "", whatever the part. */
static bool envelope_matches(struct sieve_run *run, struct match *match, struct str path)
{
	struct address address = {0};
	struct smtp_path parsed;

	if (path.len == 0) /* RFC 5231 §4.2: it is not counted */
		return !match_is_count(match) && match_value(match, STR(""));
	if (!smtp_mailbox_parse(path, SMTP_UTF8, &parsed)) {
		if (str_find_byte(path, '@') < path.len)
			return false; /* no address at all */
		address.all = address.local = path;
	} else {
		address = (struct address){path, parsed.local, parsed.domain, true};
		if (!smtp_local_plain(parsed.local, run->arena, &address.local))
			run_fail(run, match->call->line,
				 "The script needs too much memory.");
	}
	return address_matches(match, &address);
}

bool test_envelope(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 1);
	const struct sieve_value *parts = &call->arguments[0];

	for (size_t i = 0; i < parts->count; i++) {
		struct str part = run_text(run, &parts->texts[i], call->line);
		bool is_from = str_same_nocase(part, STR("from"));

		if (!is_from && !str_same_nocase(part, STR("to"))) {
			run_fail(run, call->line,
				 "The envelope has no part \"%.*s\", only \"from\" and "
				 "\"to\".",
				 STR_FMT(str_first(part, 100)));
			return false;
		}
		if (envelope_matches(run, &match,
				     is_from ? run->mail->from : run->mail->to))
			return true;
	}
	return match_end(&match);
}

bool check_envelope(struct compiler *compiler, struct sieve_call *call)
{
	const struct sieve_value *parts = &call->arguments[0];

	for (size_t i = 0; i < parts->count; i++) {
		struct str part = parts->texts[i].plain;

		if (!parts->texts[i].refs && !str_same_nocase(part, STR("from")) &&
		    !str_same_nocase(part, STR("to")))
			return sieve_wrong(compiler, call->line,
					   "The envelope has no part \"%.*s\", only "
					   "\"from\" and \"to\".",
					   STR_FMT(str_first(part, 100)));
	}
	return true;
}
