#include "wire/mail/address.h"

#include "wire/mail/encoded_word.h"

/* The walk.  What is found unclosed once stays unclosed to the end, so nobody makes us
 * look for the same end again and again. */
struct walk {
	struct arena *arena;
	struct str text;
	size_t at;
	bool quote_open, comment_open; /* no end of these follows any more */
	struct mail_addresses list;
	size_t max;
	struct str comment; /* the last one of this element, without its parentheses */
};

static bool is_space(char c)
{
	return (unsigned char)c <= 32 || c == 127;
}

/* Where the quoted string or domain literal at from ends, past its closing mark; from if
 * it is not closed. */
static size_t quoted_end(struct str text, size_t from, char close)
{
	for (size_t at = from + 1; at < text.len; at++) {
		if (text.ptr[at] == '\\')
			at++;
		else if (text.ptr[at] == close)
			return at + 1;
	}
	return from;
}

/* The same for a comment, which nests.  RFC 5322 §3.2.2. */
static size_t comment_end(struct str text, size_t from)
{
	size_t depth = 0;

	for (size_t at = from; at < text.len; at++) {
		if (text.ptr[at] == '\\')
			at++;
		else if (text.ptr[at] == '(')
			depth++;
		else if (text.ptr[at] == ')' && --depth == 0)
			return at + 1;
	}
	return from;
}

static struct str between(struct str text, size_t from, size_t to)
{
	return (struct str){text.ptr + from, to - from};
}

/* Passes over one lexical unit: a quoted string, a comment, or an octet. */
static void pass(struct walk *w)
{
	size_t end = w->at;
	char c = w->text.ptr[w->at];

	if (c == '"' && !w->quote_open) {
		end = quoted_end(w->text, w->at, '"');
		w->quote_open = end == w->at;
	} else if (c == '(' && !w->comment_open) {
		end = comment_end(w->text, w->at);
		w->comment_open = end == w->at;
		if (end > w->at)
			w->comment = between(w->text, w->at + 1, end - 1);
	}
	w->at = end > w->at ? end : w->at + 1;
}

/* Moves to the first of the marks that is not inside a quoted string or comment, or to
 * the end. */
static void pass_to(struct walk *w, const char *marks)
{
	while (w->at < w->text.len) {
		char c = w->text.ptr[w->at];

		if (c != '\0' && strchr(marks, c))
			return;
		pass(w);
	}
}

/* What the words of a text are put together to. */
struct join {
	char *to;
	size_t len;
	bool gap; /* space or a comment came since the last word */
};

static void join_word(struct join *j, bool spaced, struct str word, bool is_quoted)
{
	if (spaced && j->gap && j->len > 0)
		j->to[j->len++] = ' ';
	j->gap = false;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.ptr[i];

		if (is_quoted && c == '\\' && i + 1 < word.len)
			c = word.ptr[++i];
		if (c == '\r' || c == '\n')
			continue; /* a fold inside, quoted or not; RFC 5322 §3.2.4 */
		j->to[j->len++] = c;
	}
}

/* True if text has nothing to undo: no space, quote, comment or quoted pair. */
static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (is_space(c) || c == '"' || c == '(' || c == '\\')
			return false;
	}
	return true;
}

static struct str trimmed(struct str text)
{
	while (text.len > 0 && is_space(text.ptr[0]))
		text = str_skip(text, 1);
	while (text.len > 0 && is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* In a local part there is no space around dots, whatever was written (RFC 5322 §4.4). */
static void close_dots(struct join *j)
{
	size_t len = 0;

	for (size_t i = 0; i < j->len; i++) {
		if (j->to[i] == ' ' && ((i + 1 < j->len && j->to[i + 1] == '.') ||
					(len > 0 && j->to[len - 1] == '.')))
			continue;
		j->to[len++] = j->to[i];
	}
	j->len = len;
}

enum join_as { JOIN_PHRASE, JOIN_LOCAL, JOIN_DOMAIN };

/* The words of text without comments, quotes undone: with one space between the words of
 * a phrase, none in a domain.  Borrowed where nothing changes; "" at the arena's bound.
 */
static struct str joined(struct walk *w, struct str text, enum join_as as)
{
	text = trimmed(text);
	if (is_plain(text))
		return text;
	struct join j = {.to = arena_alloc(w->arena, text.len, 1)};
	struct walk in = {.text = text};
	bool has_quotes = false;

	if (!j.to) {
		w->list.is_cut = true;
		return STR("");
	}
	while (in.at < text.len) {
		size_t from = in.at;
		char c = text.ptr[from];

		pass(&in);
		if (c == '"' && in.at - from >= 2 && !in.quote_open) {
			has_quotes = true;
			join_word(&j, as != JOIN_DOMAIN,
				  between(text, from + 1, in.at - 1), true);
		} else if (is_space(c) || (c == '(' && in.at - from > 1)) {
			j.gap = true;
		} else {
			join_word(&j, as != JOIN_DOMAIN, between(text, from, in.at),
				  false);
		}
	}
	if (as == JOIN_LOCAL && !has_quotes)
		close_dots(&j);
	return (struct str){j.to, j.len};
}

static void list_add(struct walk *w, struct mail_address address)
{
	if (w->list.count == w->max)
		w->list.is_cut = true;
	else
		w->list.items[w->list.count++] = address;
}

/* The domain at the cursor, up to one of the marks.  A literal may hold anything. */
static struct str domain(struct walk *w, const char *marks)
{
	size_t from = w->at;

	while (w->at < w->text.len && is_space(w->text.ptr[w->at]))
		w->at++;
	if (w->at < w->text.len && w->text.ptr[w->at] == '[') {
		size_t end = w->at;

		while (end < w->text.len && !strchr("],;<>\n", w->text.ptr[end]))
			end++;
		if (end < w->text.len && w->text.ptr[end] == ']')
			w->at = end + 1;
	}
	pass_to(w, marks);
	return joined(w, between(w->text, from, w->at), JOIN_DOMAIN);
}

/* [route ":"] local "@" domain ">", the "<" being passed.  RFC 5322 §3.4, §4.4. */
static struct mail_address angle_addr(struct walk *w)
{
	struct mail_address found = {0};
	struct str outside = w->comment;
	size_t from = w->at;

	while (w->at < w->text.len && is_space(w->text.ptr[w->at]))
		w->at++;
	if (w->at < w->text.len && w->text.ptr[w->at] == '@') {
		pass_to(w, ":><;"); /* "<" so that nobody makes us look twice */
		if (w->at < w->text.len && w->text.ptr[w->at] == ':') {
			found.route =
				joined(w, between(w->text, from, w->at++), JOIN_DOMAIN);
			from = w->at;
		} else {
			w->at = from;
		}
	}
	pass_to(w, "@>,;");
	found.local = joined(w, between(w->text, from, w->at), JOIN_LOCAL);
	if (w->at < w->text.len && w->text.ptr[w->at] == '@') {
		w->at++;
		found.domain = domain(w, ">,;");
	}
	if (w->at < w->text.len && w->text.ptr[w->at] == '>')
		w->at++;
	w->comment = outside; /* those within name nobody */
	pass_to(w, ",;");     /* TEXT_AFTER_ADDRESS */
	return found;
}

static bool has_space(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_space(text.ptr[i]))
			return true;
	return false;
}

/* COMMENT_IS_NAME */
static struct str comment_name(struct walk *w)
{
	struct join j = {.to = arena_alloc(w->arena, w->comment.len, 1)};

	if (!j.to)
		return STR("");
	join_word(&j, false, trimmed(w->comment), true);
	return (struct str){j.to, j.len};
}

/* A mailbox that may lack its parts, from the cursor to the next separator, of which the
 * octets before the first mark at end have been looked at.  RFC 5322 §3.4. */
static void mailbox(struct walk *w, size_t from)
{
	struct mail_address found = {0};
	struct str before = between(w->text, from, w->at);
	char mark = w->at < w->text.len ? w->text.ptr[w->at] : '\0';

	if (mark == '@') {
		w->at++;
		found.domain = domain(w, ",;<");
		mark = w->at < w->text.len ? w->text.ptr[w->at] : '\0';
		if (mark == '<') /* AT_IN_NAME */
			before = between(w->text, from, w->at);
		else
			found.local = joined(w, before, JOIN_LOCAL);
	}
	if (mark == '<') {
		struct str name = joined(w, before, JOIN_PHRASE);

		w->at++;
		found = angle_addr(w);
		found.name = name;
	} else if (found.domain.len == 0 && found.local.len == 0) { /* NO_DOMAIN */
		struct str words = joined(w, before, JOIN_LOCAL);

		if (has_space(words))
			found.name = words;
		else
			found.local = words;
	}
	if (found.name.len == 0 && found.local.len > 0 && w->comment.len > 0)
		found.name = comment_name(w);
	if (found.name.len + found.local.len + found.domain.len > 0)
		list_add(w, found); /* else EMPTY_ELEMENT */
}

/* An upper bound of the items in text: one a separator, and a group's end is one more. */
static size_t items_max(struct str text)
{
	size_t count = 3;

	for (size_t i = 0; i < text.len; i++)
		count +=
			text.ptr[i] == ';' ? 2 : text.ptr[i] == ',' || text.ptr[i] == ':';
	return count;
}

/* One element and the separator after it; *in_group tells of what list. */
static void element(struct walk *w, bool *in_group)
{
	size_t from = w->at;

	w->comment = STR("");
	pass_to(w, *in_group ? ",;<@" : ",;<@:");
	if (w->at < w->text.len && w->text.ptr[w->at] == ':') {
		struct mail_address start = {.kind = MAIL_GROUP_START};

		start.name = joined(w, between(w->text, from, w->at++), JOIN_PHRASE);
		*in_group = w->list.count + 1 < w->max; /* else there is no room to end */
		if (*in_group) {
			list_add(w, start);
			w->max--; /* kept for its end */
		} else {
			w->list.is_cut = true;
		}
		return;
	}
	mailbox(w, from);
	if (w->at < w->text.len && w->text.ptr[w->at++] == ';' && *in_group) {
		w->max++;
		list_add(w, (struct mail_address){.kind = MAIL_GROUP_END});
		*in_group = false;
	}
}

struct mail_addresses mail_addresses_parse(struct arena *arena, struct str value,
					   size_t max)
{
	struct walk w = {.arena = arena, .text = trimmed(value)};
	size_t room = items_max(value);
	bool in_group = false;

	w.max = room < max ? room : max;
	w.list.items = ARENA_ARRAY(arena, struct mail_address, w.max);
	if (!w.list.items) {
		w.list.is_cut = true;
		return w.list;
	}
	while (w.at < w.text.len && !w.list.is_cut)
		element(&w, &in_group);
	if (in_group) {
		w.max++;
		list_add(&w, (struct mail_address){.kind = MAIL_GROUP_END});
	}
	return w.list;
}

static void add_quoted(struct buf *buf, struct str text)
{
	buf_add_byte(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add_byte(buf, '\\');
		buf_add_byte(buf, text.ptr[i]);
	}
	buf_add_byte(buf, '"');
}

void mail_local_add(struct buf *buf, struct str local)
{
	bool is_atom = local.len > 0 && local.ptr[0] != '.';

	for (size_t i = 0; i < local.len && is_atom; i++) {
		char c = local.ptr[i];

		is_atom = !is_space(c) && !strchr("()<>[]:;@\\,\"", c) &&
			  (c != '.' || (i + 1 < local.len && local.ptr[i + 1] != '.'));
	}
	if (is_atom) {
		buf_add(buf, local);
		return;
	}
	add_quoted(buf, local);
}

void mail_name_add(struct buf *buf, struct str name)
{
	bool is_plain = !mail_words_any(name);

	for (size_t i = 0; i < name.len && is_plain; i++)
		is_plain = name.ptr[i] >= ' ' && name.ptr[i] < 127;
	if (is_plain)
		add_quoted(buf, name);
	else
		mail_words_add(buf, name);
}
