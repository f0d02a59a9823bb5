#include "wire/mail/received.h"

enum clause { FROM, BY, VIA, WITH, ID, FOR, CLAUSES };

struct scan {
	struct str rest;
	struct mail_received *received;
	struct str values[CLAUSES];
	size_t clause;                   /* that words belong to; CLAUSES: none */
	bool is_fresh;                   /* its first word comes now, whatever that is */
	bool is_growing;                 /* the next word belongs to the value, too */
	bool has_helo;                   /* a comment says it */
	bool is_no_comment, is_no_quote; /* NOT_CLOSED */
	struct str last;                 /* behind the last ";" */
	struct str tail;                 /* behind the value of the last clause */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- comments ---------------------------------------------------------------------- */

/* The length of the comment at the front with its brackets, 0 if it does not end.  RFC
 * 5322 §3.2.2 */
static size_t comment_len(struct str text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\\')
			i++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* Where the word stands, whatever its case; the text's length if nowhere. */
static size_t find_nocase(struct str text, struct str word)
{
	for (size_t i = 0; i + word.len <= text.len; i++) {
		if (str_same_nocase((struct str){text.ptr + i, word.len}, word))
			return i;
	}
	return text.len;
}

/* Up to white space or one of the octets that end a word in comments. */
static struct str first_word(struct str text)
{
	size_t len = 0;

	text = str_trim(text);
	while (len < text.len && !is_space(text.ptr[len]) &&
	       !memchr("()[],;", text.ptr[len], 6))
		len++;
	return str_first(text, len);
}

static struct str without_brackets(struct str s)
{
	if (str_starts(s, STR("<")))
		s = str_skip(s, 1);
	return str_first(s, str_find_byte(s, '>'));
}

/* "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]", "2001:db8::1%eth0", with a port. */
static bool address(struct str text, struct ip *ip)
{
	text = str_trim(text);
	if (str_starts(text, STR("["))) {
		text = str_skip(text, 1);
		text = str_first(text, str_find_byte(text, ']'));
	}
	if (str_starts_nocase(text, STR("IPv6:")))
		text = str_skip(text, 5);
	text = str_first(text, str_find_byte(text, '%'));
	if (text.len > IP_TEXT_BYTES)
		return false;
	return ip_parse(text, ip) ||
	       ip4_parse(str_first(text, str_rfind_byte(text, ':')), ip);
}

static void note_address(struct mail_received *received, struct str text)
{
	if (!received->has_ip)
		received->has_ip = address(text, &received->ip);
}

/* What stands before "[192.0.2.1]": the name that the server found, behind "joe@". */
static void note_reverse(struct mail_received *received, struct str text)
{
	size_t user = str_rfind_byte(text, '@');

	text = str_trim(text);
	if (user < text.len)
		text = str_skip(text, user + 1);
	if (str_ends(text, STR(".")))
		text.len--;
	if (text.len == 0 || first_word(text).len != text.len ||
	    str_same_nocase(text, STR("unknown")) || received->reverse.len > 0 ||
	    str_find_byte(text, '=') < text.len)
		return;
	received->reverse = text;
}

/* HELO_IN_COMMENT */
static void note_helo(struct scan *scan, struct str comment)
{
	static const struct str marks[] = {STR("helo="), STR("HELO "), STR("EHLO ")};

	for (size_t i = 0; i < COUNT_OF(marks) && !scan->has_helo; i++) {
		size_t at = find_nocase(comment, marks[i]);

		if (at == comment.len || (at > 0 && !is_space(comment.ptr[at - 1])))
			continue;
		struct str said = str_trim(str_skip(comment, at + marks[i].len));
		size_t len = 0;

		while (len < said.len && !is_space(said.ptr[len]))
			len++;
		scan->received->helo = str_first(said, len);
		scan->has_helo = true;
	}
}

/* TCP-info: behind "from".  RFC 5321 §4.4 */
static void on_client_comment(struct scan *scan, struct str comment)
{
	struct mail_received *received = scan->received;
	size_t bracket = str_find_byte(comment, '[');
	size_t user = str_rfind_byte(comment, '@');

	note_helo(scan, comment);
	if (bracket < comment.len) {
		note_address(received, str_skip(comment, bracket));
		if (received->has_ip)
			note_reverse(received, str_first(comment, bracket));
		return;
	}
	note_address(received,
		     user < comment.len ? str_skip(comment, user + 1) : comment);
}

static bool is_of_tls(struct str comment)
{
	return str_starts_nocase(comment, STR("using TLS")) ||
	       str_starts_nocase(comment, STR("using SSL")) ||
	       str_starts_nocase(comment, STR("version=TLS")) ||
	       str_starts_nocase(comment, STR("version=SSL")) ||
	       str_starts_nocase(comment, STR("cipher=")) ||
	       str_starts_nocase(comment, STR("TLSv1")) ||
	       str_starts_nocase(comment, STR("TLS1"));
}

/* NO_FROM */
static bool is_of_inside(struct str comment)
{
	return find_nocase(comment, STR(", from userid ")) < comment.len ||
	       find_nocase(comment, STR(", from user ")) < comment.len ||
	       str_starts_nocase(comment, STR("from ")) ||
	       (str_starts_nocase(comment, STR("qmail")) &&
		find_nocase(comment, STR(" invoked ")) < comment.len);
}

static void on_comment(struct scan *scan, struct str comment)
{
	static const struct str mark = STR("envelope-from");
	struct mail_received *received = scan->received;
	size_t at = find_nocase(comment, mark);

	comment = str_trim(comment);
	scan->is_growing = false;
	if (is_of_tls(comment) && received->tls.len == 0)
		received->tls = comment;
	else if (scan->clause == FROM)
		on_client_comment(scan, comment);
	else if (scan->values[FROM].len == 0 && is_of_inside(comment))
		received->is_inside = true;
	if (at < comment.len && received->sender.len == 0)
		received->sender = without_brackets(
			first_word(str_skip(comment, at + mark.len + 1)));
}

/* ---- words ------------------------------------------------------------------------- */

static size_t clause_of(struct str word)
{
	static const struct str names[CLAUSES] = {STR("from"), STR("by"), STR("via"),
						  STR("with"), STR("id"), STR("for")};

	for (size_t i = 0; i < CLAUSES; i++) {
		if (str_same_nocase(word, names[i]))
			return i;
	}
	return CLAUSES;
}

/* The length of a quoted text at the front, 0 if it does not end.  RFC 5322 §3.2.4 */
static size_t quote_len(struct str text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] == '\\')
			i++;
		else if (text.ptr[i] == '"')
			return i + 1;
	}
	return 0;
}

static size_t word_len(struct scan *scan)
{
	struct str text = scan->rest;
	size_t len = 0;

	while (len < text.len && !is_space(text.ptr[len]) && text.ptr[len] != ';') {
		size_t quoted = 0;

		if (text.ptr[len] == '(' && !scan->is_no_comment && len > 0)
			break;
		if (text.ptr[len] == '"' && !scan->is_no_quote) {
			quoted = quote_len(str_skip(text, len));
			scan->is_no_quote = quoted == 0;
		}
		len += quoted > 0 ? quoted : 1;
	}
	return len;
}

static void on_word(struct scan *scan, struct str word)
{
	size_t clause = scan->is_fresh ? CLAUSES : clause_of(word);

	if (clause < CLAUSES) {
		/* Of two of a kind the first counts. */
		scan->clause = scan->values[clause].len == 0 ? clause : CLAUSES;
		scan->is_fresh = scan->clause < CLAUSES;
		scan->is_growing = false;
		return;
	}
	if (scan->clause == CLAUSES)
		return;
	struct str *value = &scan->values[scan->clause];

	if (scan->is_fresh) {
		*value = word;
		scan->is_growing = scan->clause == FROM || scan->clause == VIA ||
				   scan->clause == WITH; /* WORDS */
		scan->tail = str_skip(scan->rest, word.len);
	} else if (scan->is_growing) {
		value->len = (size_t)(word.ptr + word.len - value->ptr);
		scan->tail = str_skip(scan->rest, word.len);
	}
	scan->is_fresh = false;
}

static void step(struct scan *scan)
{
	char c = scan->rest.ptr[0];
	size_t len = 1;

	if (c == ';') {
		scan->clause = CLAUSES;
		scan->is_fresh = false;
		scan->last = str_skip(scan->rest, 1);
	} else if (c == '(' && !scan->is_no_comment &&
		   (len = comment_len(scan->rest)) > 0) {
		on_comment(scan, (struct str){scan->rest.ptr + 1, len - 2});
	} else if (!is_space(c)) {
		scan->is_no_comment |= c == '(';
		len = word_len(scan);
		on_word(scan, str_first(scan->rest, len));
	}
	scan->rest = str_skip(scan->rest, len);
}

/* ---- the whole --------------------------------------------------------------------- */

/* "with local" (Exim), and filters: "from joe@example.org by x with qmail-scanner". */
static bool is_handed_over(const struct mail_received *received)
{
	return str_starts_nocase(received->with, STR("local")) ||
	       str_find_byte(received->from, '@') < received->from.len;
}

/* "mail.example.org [192.0.2.1]", as fetchmail and SpamAssassin have it. */
static struct str without_literal(struct mail_received *received, struct str from)
{
	size_t at = str_find(from, STR(" ["));

	if (at < from.len)
		note_address(received, str_skip(from, at));
	return at < from.len && received->has_ip ? str_trim(str_first(from, at)) : from;
}

static void finish(struct scan *scan)
{
	struct mail_received *received = scan->received;

	received->from = without_literal(received, scan->values[FROM]);
	received->by = scan->values[BY];
	received->via = scan->values[VIA];
	received->with = scan->values[WITH];
	received->id = scan->values[ID];
	received->rcpt = without_brackets(scan->values[FOR]);
	note_address(received, received->from);
	if (!scan->has_helo)
		received->helo = received->from;
	else if (!str_starts(received->from, STR("[")))
		note_reverse(received, received->from);
	if (!received->has_ip && is_handed_over(received))
		received->is_inside = true;
	received->has_date = mail_date_parse(scan->last, &received->date) ||
			     mail_date_parse(scan->tail, &received->date);
}

bool mail_received_parse(struct str value, struct mail_received *received)
{
	struct scan scan = {.rest = str_first(value, MAIL_RECEIVED_BYTES_MAX),
			    .received = received,
			    .clause = CLAUSES};

	*received = (struct mail_received){0};
	while (scan.rest.len > 0)
		step(&scan);
	finish(&scan);
	return received->has_date && (received->from.len > 0 || received->by.len > 0 ||
				      received->with.len > 0 || received->is_inside);
}
