#include "headers/part.h"
#include "mailauth/dmarc_walk.h"
#include "text/text_header.h"

enum { ADDRESSES_MAX = 200, SHOWN_BYTES_MAX = 2000 };

const char *headers_word_name(enum headers_word word)
{
	switch (word) {
	case HEADERS_GENUINE:
		return "genuine";
	case HEADERS_DOUBTFUL:
		return "doubtful";
	case HEADERS_FORGED:
		return "forged";
	case HEADERS_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *headers_trust_name(enum headers_trust trust)
{
	switch (trust) {
	case HEADERS_TRUST_NONE:
		return "none";
	case HEADERS_TRUST_ASSUMED:
		return "assumed";
	case HEADERS_TRUST_NAMED:
		break;
	}
	return "named";
}

const char *headers_method_name(enum headers_method method)
{
	switch (method) {
	case HEADERS_SPF:
		return "spf";
	case HEADERS_DKIM:
		return "dkim";
	case HEADERS_DMARC:
		return "dmarc";
	case HEADERS_ARC:
	case HEADERS_METHODS:
		break;
	}
	return "arc";
}

const char *headers_weight_name(enum headers_weight weight)
{
	switch (weight) {
	case HEADERS_INFO:
		return "info";
	case HEADERS_ODD:
		return "odd";
	case HEADERS_ALARM:
		break;
	}
	return "alarm";
}

void headers_note_add(struct work *work, enum headers_weight weight, const char *code,
		      struct str sentence)
{
	struct headers *headers = work->headers;

	if (headers->note_count < HEADERS_NOTES_MAX)
		headers->notes[headers->note_count++] =
			(struct headers_note){weight, code, sentence};
}

struct str headers_value(struct work *work, const char *name)
{
	const struct mail_field *field = mail_header_find(&work->header, str_c(name));
	struct str line = STR("");

	if (field && mail_unfold(work->arena, field->value, &line))
		return str_trim(line);
	return STR("");
}

size_t headers_count(const struct work *work, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < work->header.count; i++)
		count += str_same_nocase(work->header.fields[i].name, str_c(name));
	return count;
}

bool headers_are_kin(struct str a, struct str b)
{
	/* A suffix of one label is nobody's. */
	return str_find_byte(a, '.') < a.len && str_find_byte(b, '.') < b.len &&
	       (dmarc_is_within(a, b) || dmarc_is_within(b, a));
}

bool headers_is_trusted(const struct work *work, struct str name)
{
	struct str lower, trusted;

	if (!dmarc_domain(name, work->arena, &lower))
		return false;
	for (size_t i = 0; i < work->query->trusted_count; i++) {
		if (dmarc_domain(work->query->trusted[i], work->arena, &trusted) &&
		    dmarc_is_within(lower, trusted))
			return true;
	}
	return work->headers->trust == HEADERS_TRUST_ASSUMED &&
	       str_same_nocase(name, work->headers->trusted);
}

/* Decoded, on one line, and not too much of it. */
static struct str decoded(struct work *work, struct str value)
{
	SCOPED(buf_fini) struct buf text = BUF(SHOWN_BYTES_MAX * 4);
	struct str copy;

	text_header_add(&text, str_first(value, SHOWN_BYTES_MAX));
	(void)arena_copy(work->arena, buf_str(&text), &copy); /* then it is "" */
	return copy;
}

static void read_author(struct work *work)
{
	struct headers *headers = work->headers;
	const struct mail_address *author =
		mail_first_mailbox(&work->envelope.lists[MAIL_FROM_LIST]);

	headers->from = decoded(work, headers_value(work, "From"));
	headers->subject = decoded(work, work->envelope.subject);
	headers->date = decoded(work, work->envelope.date_text);
	headers->message_id = decoded(work, work->envelope.message_id);
	if (!author || author->domain.len == 0)
		return;
	headers->from_address =
		arena_printf(work->arena, "%.*s@%.*s", STR_FMT(author->local),
			     STR_FMT(author->domain));
	if (!dmarc_domain(author->domain, work->arena, &headers->from_domain))
		headers->from_domain = author->domain;
}

static void read_return_path(struct work *work)
{
	struct headers *headers = work->headers;
	struct str path = headers_value(work, "Return-Path");

	headers->has_return_path = mail_header_find(&work->header, STR("Return-Path"));
	if (str_starts(path, STR("<")))
		path = str_skip(path, 1);
	headers->return_path = str_trim(str_first(path, str_find_byte(path, '>')));
}

void headers_analyse(const struct headers_query *query, struct arena *arena,
		     struct headers *headers)
{
	struct work work = {.query = query, .arena = arena, .headers = headers};
	struct str text = str_first(query->text, query->pasted.header_len);

	*headers = (struct headers){.has_body = query->pasted.has_body,
				    .mended = query->pasted.mended};
	work.header = mail_header_split(arena, str_first(text, HEADERS_BYTES_MAX),
					HEADERS_FIELDS_MAX);
	mail_envelope_parse(arena, str_first(text, HEADERS_BYTES_MAX), ADDRESSES_MAX,
			    &work.envelope);
	headers->is_cut = work.header.is_cut || text.len > HEADERS_BYTES_MAX;
	read_author(&work);
	read_return_path(&work);
	headers_find_hops(&work);
	headers_find_claims(&work);
	headers_check_now(&work);
	headers_find_signs(&work);
	headers_decide(&work);
}
