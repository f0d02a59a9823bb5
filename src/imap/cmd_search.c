/* SEARCH.  RFC 9051 §6.4.4, §7.3.4; RFC 3501 §7.2.5; "$" is RFC 5182. */
#include "imap/match.h"
#include "imap/walk.h"
#include "text/charset.h"

enum { SEND_BYTES = 32 << 10 };

/* "" for UTF-8, and for ASCII, which is the same as far as it goes. */
static struct str other_charset(struct str charset)
{
	bool is_utf8 = str_same_nocase(charset, STR("UTF-8")) ||
		       str_same_nocase(charset, STR("US-ASCII"));

	return is_utf8 ? STR("") : charset;
}

/* What was found: the UIDs, and mod-sequences of the first, the last, and of all the
 * highest. */
struct hits {
	struct uids uids;
	uint64_t modseq_first, modseq_last, modseq;
};

static void hits_fini(struct hits *hits)
{
	uids_fini(&hits->uids);
}

static void hit(struct hits *hits, const struct message_row *row)
{
	if (hits->uids.count == 0)
		hits->modseq_first = row->modseq;
	hits->modseq_last = row->modseq;
	hits->modseq = num_max(hits->modseq, row->modseq);
	uids_add(&hits->uids, row->uid, row->uid);
}

/* The UIDs that match, of those the client knows. */
static enum store_outcome find_all(struct match *match, struct hits *hits)
{
	struct session *s = match->s;
	SCOPED(uids_fini) struct uids bounds = {0};

	match_bounds(match, &bounds);
	struct walk walk = walk_over(s, bounds.list, bounds.count, match->columns);

	for (const struct message_row *row;
	     !conn_is_broken(s->conn) && (row = walk_next(&walk));) {
		size_t count;
		const struct message_row *page = walk_page(&walk, &count);

		if (match_row(match, page, count))
			hit(hits, row);
	}
	return walk.outcome != STORE_OK ? walk.outcome : match->outcome;
}

/* Calls with each hit as the client counts: UIDs or sequence numbers. */
static void each_hit(struct session *s, const struct uids *hits, bool is_uid,
		     void (*take)(void *arg, uint32_t number), void *arg)
{
	for (size_t i = 0; i < hits->count; i++) {
		for (uint64_t uid = hits->list[i].first; uid <= hits->list[i].last;
		     uid++) {
			uint32_t number =
				is_uid ? (uint32_t)uid
				       : numbers_of_uid(&s->box.numbers, (uint32_t)uid);

			if (number != 0)
				take(arg, number);
			if (s->out.len > SEND_BYTES)
				session_send(s);
		}
	}
}

static void write_number(void *arg, uint32_t number)
{
	struct session *s = arg;

	buf_add_byte(&s->out, ' ');
	buf_add_u64(&s->out, number);
}

struct sums {
	uint32_t min, max, count;
};

static void sum_up(void *arg, uint32_t number)
{
	struct sums *sums = arg;

	if (sums->count++ == 0)
		sums->min = number;
	sums->max = number;
}

static void add_to_set(void *arg, uint32_t number)
{
	imap_set_add(arg, number);
}

/* Of what is returned.  RFC 4731 §3.2. */
static uint64_t modseq_of(const struct hits *hits, unsigned returns)
{
	uint64_t first = returns & IMAP_RETURN_MIN ? hits->modseq_first : 0;
	uint64_t last = returns & IMAP_RETURN_MAX ? hits->modseq_last : 0;

	if (returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT))
		return hits->modseq;
	return num_max(first, last);
}

/* "* ESEARCH (TAG "a1") UID MIN 2 MAX 9 ALL 2:9 COUNT 8". */
static void write_extended(struct session *s, const struct imap_command *command,
			   const struct hits *found, unsigned returns)
{
	const struct uids *hits = &found->uids;
	struct imap_set_writer writer = {.out = &s->out};
	struct sums sums = {0};

	each_hit(s, hits, command->is_uid, sum_up, &sums);
	buf_add_c(&s->out, "* ESEARCH (TAG ");
	imap_write_string(&s->out, command->tag);
	buf_add_c(&s->out, command->is_uid ? ") UID" : ")");
	if ((returns & IMAP_RETURN_MIN) && sums.count > 0)
		buf_printf(&s->out, " MIN %u", sums.min);
	if ((returns & IMAP_RETURN_MAX) && sums.count > 0)
		buf_printf(&s->out, " MAX %u", sums.max);
	if (returns & IMAP_RETURN_COUNT)
		buf_printf(&s->out, " COUNT %u", sums.count);
	if ((returns & IMAP_RETURN_ALL) && sums.count > 0) {
		buf_add_c(&s->out, " ALL ");
		each_hit(s, hits, command->is_uid, add_to_set, &writer);
		imap_set_end(&writer);
	}
	if (command->search.has_modseq && sums.count > 0)
		buf_printf(&s->out, " MODSEQ %llu",
			   (unsigned long long)modseq_of(found, returns));
	buf_add_c(&s->out, "\r\n");
}

/* With only MIN or MAX asked for, only these are saved.  RFC 5182 §2.4. */
static void save(struct session *s, const struct uids *hits, unsigned returns)
{
	bool is_all = (returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) ||
		      !(returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX));
	struct uids *saved = &s->box.saved;

	uids_clear(saved);
	if (hits->count == 0)
		return;
	uint32_t min = hits->list[0].first, max = hits->list[hits->count - 1].last;

	for (size_t i = 0; i < hits->count && is_all; i++)
		uids_add(saved, hits->list[i].first, hits->list[i].last);
	if (!is_all && (returns & IMAP_RETURN_MIN))
		uids_add(saved, min, min);
	if (!is_all && (returns & IMAP_RETURN_MAX) &&
	    (max != min || !(returns & IMAP_RETURN_MIN)))
		uids_add(saved, max, max);
}

static err_t answer(struct session *s, const struct imap_command *command,
		    const struct hits *hits)
{
	const struct imap_search *search = &command->search;
	unsigned shown = search->returns & ~(unsigned)IMAP_RETURN_SAVE;

	if (search->returns & IMAP_RETURN_SAVE)
		save(s, &hits->uids, search->returns);
	if (search->is_extended && shown == 0)
		return reply_ok(s, command, "Saved"); /* RFC 5182 §2.1: no response */
	if (!search->is_extended && !s->is_rev2) {
		buf_add_c(&s->out, "* SEARCH");
		each_hit(s, &hits->uids, command->is_uid, write_number, s);
		if (search->has_modseq && hits->uids.count > 0) /* RFC 7162 §3.1.6 */
			buf_printf(&s->out, " (MODSEQ %llu)",
				   (unsigned long long)hits->modseq);
		buf_add_c(&s->out, "\r\n");
	} else {
		write_extended(s, command, hits,
			       search->is_extended ? shown : IMAP_RETURN_ALL);
	}
	return reply_ok(s, command, "That is all");
}

err_t on_search(struct session *s, const struct imap_command *command)
{
	const struct imap_search *search = &command->search;
	SCOPED(hits_fini) struct hits hits = {0};
	SCOPED(match_fini) struct match match = {0};
	const char *reason = "";
	enum store_outcome outcome = STORE_OK;

	struct str charset = other_charset(search->charset);

	if (s->is_utf8 && search->charset.len > 0) /* RFC 6855 §3 */
		return reply_bad(s, command,
				 "with UTF8=ACCEPT there is no other charset");
	if (charset.len > 0 && !charset_is_known(charset)) {
		uids_clear(&s->box.saved);
		return reply_no(s, command,
				"[BADCHARSET (US-ASCII UTF-8)] That charset is not "
				"known; use UTF-8");
	}
	if (search->has_modseq)
		session_condstore(s);
	bool is_ready = match_init(&match, s, search->key, charset, &reason);

	if (!is_ready && reason[0] != '\0')
		return reply_bad(s, command, "%s", reason);
	if (is_ready && !command->is_uid)
		outcome = selected_number(s);
	if (!is_ready || outcome != STORE_OK)
		return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now; "
				    "connect again in a minute");
	outcome = find_all(&match, &hits);
	if (outcome != STORE_OK) {
		uids_clear(&s->box.saved);
		return reply_store(s, command, outcome);
	}
	return answer(s, command, &hits);
}
