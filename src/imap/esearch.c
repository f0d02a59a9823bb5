#include "imap/esearch.h"

#include "imap/mailboxes.h"

enum { SEND_BYTES = 32 << 10 };

/* With these alone, what lies outside the part need not be looked at. */
enum {
	ONLY_A_PART = IMAP_RETURN_PARTIAL | IMAP_RETURN_SAVE | IMAP_RETURN_CONTEXT |
		      IMAP_RETURN_RELEVANCY,
	RETURN_DATA = IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_ALL |
		      IMAP_RETURN_COUNT | IMAP_RETURN_PARTIAL | IMAP_RETURN_RELEVANCY,
};

enum store_outcome esearch_find(struct find *find, const struct imap_command *command,
				struct found *found)
{
	const struct imap_search *search = &command->search;
	const struct imap_partial *partial = &search->partial;
	bool is_part = (search->returns & IMAP_RETURN_PARTIAL) &&
		       (search->returns & ~(unsigned)ONLY_A_PART) == 0;
	size_t count = (size_t)num_max(partial->first, partial->last);

	if (command->verb == IMAP_SORT)
		return find_sorted(find, &search->sort, found);
	if (is_part && partial->is_from_end)
		return find_last(find, count, found);
	return is_part ? find_first(find, count, found) : find_all(find, found);
}

uint32_t esearch_number(const struct session *s, bool is_uid, uint32_t uid)
{
	return is_uid ? uid : numbers_of_uid(&s->box.numbers, uid);
}

/* Numbers on their way out. */
struct saying {
	struct session *s;
	bool is_uid, is_set;
	struct imap_set_writer set;
};

static bool say(void *arg, uint32_t uid)
{
	struct saying *saying = arg;
	struct session *s = saying->s;
	uint32_t number = esearch_number(s, saying->is_uid, uid);

	if (number == 0)
		return true;
	if (saying->is_set) {
		imap_set_add(&saying->set, number);
	} else {
		buf_add_byte(&s->out, ' ');
		buf_add_u64(&s->out, number);
	}
	if (s->out.len > SEND_BYTES)
		session_send(s);
	return true;
}

static void say_set(struct session *s, const struct imap_command *command,
		    const struct found *found, size_t begin, size_t end)
{
	struct saying saying = {.s = s,
				.is_uid = command->is_uid,
				.is_set = true,
				.set = {.out = &s->out}};

	found_each(found, begin, end, say, &saying);
	imap_set_end(&saying.set);
}

static bool add_uid(void *arg, uint32_t uid)
{
	uids_add(arg, uid, uid);
	return true;
}

struct part {
	uint64_t begin, end;
};

static struct part part_of(const struct imap_search *search, size_t total)
{
	struct part part = {0};

	if (search->returns & IMAP_RETURN_PARTIAL)
		imap_partial_places(&search->partial, total, &part.begin, &part.end);
	return part;
}

/* The first, the last and the part, of which those that are asked for. */
static void add_returned(struct uids *set, const struct imap_search *search,
			 const struct found *found)
{
	size_t total = found_count(found);
	struct part part = part_of(search, total);

	if ((search->returns & IMAP_RETURN_MIN) && total > 0)
		found_each(found, 0, 1, add_uid, set);
	if ((search->returns & IMAP_RETURN_MAX) && total > 0)
		found_each(found, total - 1, total, add_uid, set);
	found_each(found, part.begin, part.end, add_uid, set);
	uids_sort(set);
}

/* The highest of what is returned.  RFC 4731 §3.2. */
static enum store_outcome modseq_of(struct session *s, const struct imap_search *search,
				    unsigned returns, const struct found *found,
				    uint64_t *modseq)
{
	SCOPED(uids_fini) struct uids returned = {0};

	bool has_all = returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT);

	*modseq = found->modseq;
	if (has_all ||
	    ((returns & IMAP_RETURN_RELEVANCY) && !(returns & IMAP_RETURN_PARTIAL)))
		return STORE_OK;
	*modseq = 0;
	add_returned(&returned, search, found);
	struct walk walk = walk_over(s, returned.list, returned.count, ROW_MODSEQ);

	for (const struct message_row *row; (row = walk_next(&walk));)
		*modseq = num_max(*modseq, row->modseq);
	return walk.outcome;
}

void esearch_begin(struct session *s, struct str tag, bool is_uid)
{
	buf_add_c(&s->out, "* ESEARCH (TAG ");
	imap_write_string(&s->out, tag);
	buf_add_c(&s->out, is_uid ? ") UID" : ")");
}

/* "* ESEARCH (TAG "a1" MAILBOX "x" UIDVALIDITY 7) UID".  RFC 7377 §2.1. */
static void begin_in(struct session *s, struct str tag, const struct mailbox *in)
{
	buf_add_c(&s->out, "* ESEARCH (TAG ");
	imap_write_string(&s->out, tag);
	buf_add_c(&s->out, " MAILBOX ");
	imap_write_mailbox(&s->out, in->path, session_is_utf8(s));
	buf_printf(&s->out, " UIDVALIDITY %u) UID", in->row.uid_validity);
}

/* "PARTIAL (1:500 2,7:9)" */
static void say_part(struct session *s, const struct imap_command *command,
		     const struct found *found)
{
	const struct imap_search *search = &command->search;
	struct part part = part_of(search, found_count(found));

	buf_add_c(&s->out, " PARTIAL (");
	imap_partial_write(&s->out, &search->partial);
	buf_add_byte(&s->out, ' ');
	if (part.begin < part.end)
		say_set(s, command, found, part.begin, part.end);
	else
		buf_add_c(&s->out, "NIL");
	buf_add_byte(&s->out, ')');
}

struct rating {
	struct saying saying;
	const struct scores *scores;
	char before; /* the next one */
};

static bool rate(void *arg, uint32_t uid)
{
	struct rating *rating = arg;
	struct session *s = rating->saying.s;

	if (esearch_number(s, rating->saying.is_uid, uid) == 0)
		return true; /* as say() passes over it */
	buf_add_byte(&s->out, rating->before);
	buf_add_u64(&s->out, scores_of(rating->scores, uid));
	rating->before = ' ';
	if (s->out.len > SEND_BYTES)
		session_send(s);
	return true;
}

/* "RELEVANCY (4 99 42)": of the part, or of all, one after the other as these stand in
 * PARTIAL and ALL; nothing if there are none.  RFC 6203 §4. */
static void say_scores(struct session *s, const struct imap_command *command,
		       const struct found *found)
{
	size_t count = found_count(found);
	struct part part = {0, count};
	struct rating rating = {{.s = s, .is_uid = command->is_uid}, &found->scores, '('};

	if (command->search.returns & IMAP_RETURN_PARTIAL)
		part = part_of(&command->search, count);
	if (part.begin >= part.end)
		return;
	buf_add_c(&s->out, " RELEVANCY ");
	found_each(found, part.begin, part.end, rate, &rating);
	buf_add_c(&s->out, rating.before == '(' ? "()" : ")");
}

/* "* ESEARCH (TAG "a1") UID MIN 2 MAX 9 COUNT 8 ALL 2:9". */
static void write_extended(struct session *s, const struct imap_command *command,
			   const struct found *found, unsigned returns, uint64_t modseq)
{
	size_t count = found_count(found);
	bool is_uid = command->is_uid;

	if (found->in)
		begin_in(s, command->tag, found->in);
	else
		esearch_begin(s, command->tag, is_uid);
	if ((returns & IMAP_RETURN_MIN) && count > 0)
		buf_printf(&s->out, " MIN %u",
			   esearch_number(s, is_uid, found_at(found, 0)));
	if ((returns & IMAP_RETURN_MAX) && count > 0)
		buf_printf(&s->out, " MAX %u",
			   esearch_number(s, is_uid, found_at(found, count - 1)));
	if (returns & IMAP_RETURN_COUNT)
		buf_printf(&s->out, " COUNT %zu", count);
	if ((returns & IMAP_RETURN_ALL) && count > 0) {
		buf_add_c(&s->out, " ALL ");
		say_set(s, command, found, 0, count);
	}
	if (returns & IMAP_RETURN_PARTIAL)
		say_part(s, command, found);
	if (returns & IMAP_RETURN_RELEVANCY)
		say_scores(s, command, found);
	if (modseq > 0)
		buf_printf(&s->out, " MODSEQ %llu", (unsigned long long)modseq);
	buf_add_c(&s->out, "\r\n");
}

/* "* SEARCH 2 84 882", "* SORT 84 2 882". */
static void write_plain(struct session *s, const struct imap_command *command,
			const struct found *found)
{
	struct saying saying = {.s = s, .is_uid = command->is_uid};

	buf_add_c(&s->out, "* ");
	buf_add(&s->out, imap_verb_name(command->verb));
	found_each(found, 0, found_count(found), say, &saying);
	if (command->search.has_modseq && found_count(found) > 0) /* RFC 7162 §3.1.6 */
		buf_printf(&s->out, " (MODSEQ %llu)", (unsigned long long)found->modseq);
	buf_add_c(&s->out, "\r\n");
}

/* With only MIN, MAX or PARTIAL asked for, only these are saved.  RFC 5182 §2.4, RFC 9394
 * §3.2. */
static void save(struct session *s, const struct imap_search *search,
		 const struct found *found)
{
	struct uids *saved = &s->box.saved;
	bool is_all = (search->returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) ||
		      !(search->returns &
			(IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_PARTIAL));

	uids_clear(saved);
	if (!is_all)
		add_returned(saved, search, found);
	for (size_t i = 0; i < found->uids.count && is_all; i++)
		uids_add(saved, found->uids.list[i].first, found->uids.list[i].last);
}

enum store_outcome esearch_write(struct session *s, const struct imap_command *command,
				 const struct found *found)
{
	const struct imap_search *search = &command->search;
	unsigned returns = search->is_extended ? search->returns : IMAP_RETURN_ALL;
	bool is_plain =
		!search->is_extended && (command->verb != IMAP_SEARCH || !s->is_rev2);
	enum store_outcome outcome = STORE_OK;
	uint64_t modseq = 0;

	if (search->returns & IMAP_RETURN_SAVE)
		save(s, search, found);
	if (search->returns == IMAP_RETURN_SAVE)
		return STORE_OK; /* RFC 5182 §2.1: no response */
	if (is_plain) {
		write_plain(s, command, found);
		return STORE_OK;
	}
	if (search->has_modseq && (returns & RETURN_DATA))
		outcome = modseq_of(s, search, returns, found, &modseq);
	if (outcome == STORE_OK)
		write_extended(s, command, found, returns, modseq);
	return outcome;
}

void esearch_refuse_updates(struct session *s, struct str tag)
{
	buf_add_c(&s->out, "* NO [NOUPDATE ");
	imap_write_quoted(&s->out, tag);
	buf_add_c(&s->out, "] Too much is kept up to date already\r\n");
}
