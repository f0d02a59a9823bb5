#include "sieve/body.h"

#include "sieve/match.h"
#include "text/charset.h"
#include "text/html_text.h"
#include "wire/mail/mime.h"

/* ---- the parts --------------------------------------------------------------------- */

static const struct mime_part *root(struct sieve_run *run, unsigned line)
{
	if (!run->mime) {
		if (!run_spend(run, run->mail->text.len, line))
			return NULL;
		run->mime = ARENA_NEW(run->arena, struct mime);
		if (run->mime)
			*run->mime = mime_parse(run->arena, run->mail->text);
	}
	if (run->mime && run->mime->root)
		return run->mime->root;
	run_fail(run, line, "The script needs too much memory.");
	return NULL;
}

static bool is_markup(const struct mime_part *part)
{
	return mime_is(part, "text", "html") || mime_is(part, "application", "xhtml+xml");
}

static bool is_text(const struct mime_part *part)
{
	return str_same_nocase(part->type, STR("text")) || is_markup(part);
}

/* RFC 2045 §6.4: in an encoding that nobody knows it is octets, whatever its type says.
 */
static bool is_readable(const struct mime_part *part)
{
	return part->kind == MIME_LEAF && is_text(part) &&
	       part->transfer != MAIL_TRANSFER_UNKNOWN;
}

static struct str encoded(const struct sieve_run *run, const struct mime_part *part)
{
	return str_first(str_skip(run->mail->text, part->body_at), part->body_len);
}

/* Into run->scratch: the transfer encoding undone, text as UTF-8. */
static void decode(struct sieve_run *run, const struct mime_part *part, struct str raw)
{
	SCOPED(buf_fini) struct buf octets = BUF(raw.len + 1);

	if (!is_text(part)) {
		mail_transfer_decode(part->transfer, raw, &run->scratch);
		return;
	}
	mail_transfer_decode(part->transfer, raw, &octets);
	(void)charset_add_utf8(&run->scratch,
			       mail_param_plain(&part->params, STR("charset")),
			       buf_str(&octets)); /* its best effort is what is matched */
}

/* Good until the next. */
static struct str decoded(struct sieve_run *run, const struct mime_part *part,
			  unsigned line)
{
	struct str raw = encoded(run, part);

	buf_reset(&run->scratch);
	if (!run_spend(run, (uint64_t)2 * raw.len, line))
		return STR("");
	decode(run, part, raw);
	if (!buf_ok(&run->scratch))
		run_fail(run, line, "A part of the mail is too big to be looked into.");
	return buf_str(&run->scratch);
}

/* ---- :content ---------------------------------------------------------------------- */

/* RFC 5173 §5.2 */
static bool is_content(const struct mime_part *part, struct str wanted)
{
	size_t slash = str_find_byte(wanted, '/');
	struct str type = str_first(wanted, slash);
	struct str subtype = str_skip(wanted, slash + 1);

	if (wanted.len == 0)
		return true;
	if (!str_same_nocase(part->type, type))
		return false;
	if (slash == wanted.len)
		return true;
	return subtype.len > 0 && str_same_nocase(part->subtype, subtype);
}

/* Without the boundary that text ends with, and the line end before it. */
static struct str without_last_line(struct str text)
{
	size_t end =
		text.len > 0 ? str_rfind_byte(str_first(text, text.len - 1), '\n') : 0;

	if (end + 1 >= text.len) /* there is only the boundary */
		return STR("");
	text = str_first(text, end);
	return str_ends(text, STR("\r")) ? str_first(text, end - 1) : text;
}

/* Without the line end, and the boundary behind it, that text begins with. */
static struct str without_first_line(struct str text)
{
	text = str_skip(text, str_find_byte(text, '\n') + 1);
	return str_skip(text, str_find_byte(text, '\n') + 1);
}

/* RFC 5173 §5.2: "treating the entire prologue and the entire epilogue as separate
 * strings". */
static bool around_matches(struct sieve_run *run, struct match *match,
			   const struct mime_part *part)
{
	struct str whole = encoded(run, part);
	size_t first, last;

	if (!part->first)
		return match_value(match, whole);
	first = part->first->header_at - part->body_at;
	last = part->last->body_at + part->last->body_len - part->body_at;
	return match_value(match, without_last_line(str_first(whole, first))) ||
	       match_value(match, without_first_line(str_skip(whole, last)));
}

static bool header_matches(struct sieve_run *run, struct match *match,
			   const struct mime_part *part)
{
	const struct mime_part *inner = part->first;

	if (!inner)
		return match_value(match, encoded(run, part));
	struct str header =
		str_first(str_skip(run->mail->text, inner->header_at), inner->header_len);

	/* The blank line is no part of it. */
	if (str_ends(header, STR("\n\r\n")) || str_same(header, STR("\r\n")))
		header.len -= 2;
	return match_value(match, header);
}

static bool part_matches(struct sieve_run *run, struct match *match,
			 const struct mime_part *part)
{
	switch (part->kind) {
	case MIME_MULTIPART:
		return around_matches(run, match, part);
	case MIME_MESSAGE:
		return header_matches(run, match, part);
	case MIME_LEAF:
		break;
	}
	return match_value(match, decoded(run, part, match->call->line));
}

static bool content_matches(struct sieve_run *run, struct match *match,
			    const struct sieve_value *types)
{
	unsigned line = match->call->line;
	const struct mime_part *at = root(run, line);

	for (struct mime_part *part = run->mime ? run->mime->root : NULL; at && part;
	     part = mime_next(part)) {
		bool is_wanted = false;

		for (size_t i = 0; i < types->count && !is_wanted; i++)
			is_wanted =
				is_content(part, run_text(run, &types->texts[i], line));
		if (!run_spend(run, RUN_PART_STEPS * (types->count + 1), line))
			return false;
		if (is_wanted && part_matches(run, match, part))
			return true;
	}
	return false;
}

/* ---- :text and :raw ---------------------------------------------------------------- */

/* RFC 5173 §5.3: text as people see it, without the marks of HTML. */
static bool text_matches(struct sieve_run *run, struct match *match)
{
	unsigned line = match->call->line;

	if (!root(run, line))
		return false;
	for (struct mime_part *part = run->mime->root; part; part = mime_next(part)) {
		struct str text;

		if (!run_spend(run, RUN_PART_STEPS, line))
			return false;
		if (!is_readable(part))
			continue;
		text = decoded(run, part, line);
		SCOPED(buf_fini) struct buf plain = BUF(text.len + 1);

		if (is_markup(part)) {
			html_text_add(&plain, text, text.len);
			text = buf_str(&plain);
		}
		if (match_value(match, text))
			return true;
	}
	return false;
}

/* RFC 5173 §4: a message that is only a header, without an empty line, has none. */
static bool has_body(const struct sieve_mail *mail)
{
	struct str header = str_first(mail->text, mail->header->len);

	return mail->text.len > header.len || str_ends(header, STR("\n\r\n")) ||
	       str_ends(header, STR("\n\n")) || str_same(header, STR("\r\n"));
}

bool test_body(struct sieve_run *run, const struct sieve_call *call)
{
	const struct sieve_given *transform = &call->given[SIEVE_GROUP_BODY];
	struct match match = match_begin(run, call, 0);
	bool holds;

	match.sets_variables = false; /* RFC 5173 §6 */
	if (!has_body(run->mail))
		return match_end(&match);
	if (transform->tag && transform->tag->id == SIEVE_TAG_RAW)
		holds = match_value(&match,
				    str_skip(run->mail->text, run->mail->header->len));
	else if (transform->tag && transform->tag->id == SIEVE_TAG_CONTENT)
		holds = content_matches(run, &match, &transform->value);
	else
		holds = text_matches(run, &match);
	return holds || match_end(&match);
}
