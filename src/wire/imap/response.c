#include "wire/imap/response.h"

#include "base/num.h"

enum { NEST_MAX = 40 };

static bool is_end(const struct imap_in *in)
{
	return in->at.end - in->at.at == 2 && in->at.at[0] == '\r' &&
	       in->at.at[1] == '\n';
}

/* The word up to the next space or line end. */
static struct str word(struct imap_in *in)
{
	struct cursor from = in->at;

	while (in->at.at < in->at.end && !memchr(" \r\n", *in->at.at, 3))
		in->at.at++;
	return cur_since(from, in->at);
}

bool imap_has_word(struct str words, struct str wanted)
{
	while (words.len > 0)
		if (str_same_nocase(str_cut(&words, ' '), wanted))
			return true;
	return false;
}

static bool read_condition(struct str name, enum imap_condition *condition)
{
	static const struct str names[] = {STR("OK"), STR("NO"), STR("BAD"), STR("BYE"),
					   STR("PREAUTH")};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!str_same_nocase(name, names[i]))
			continue;
		*condition = (enum imap_condition)i;
		return true;
	}
	return false;
}

/* ---- framing ----------------------------------------------------------------------- */

/* "{310}" at the end of the line; *head is where it begins. */
static bool announced(struct str line, uint64_t *len, size_t *head)
{
	size_t brace = str_rfind_byte(line, '{');
	struct str number = str_skip(line, brace + 1);

	if (brace == line.len || !str_ends(number, STR("}")))
		return false;
	*head = brace > 0 && line.ptr[brace - 1] == '~' ? brace - 1 : brace;
	return num_parse(str_first(number, number.len - 1), INT64_MAX, len);
}

bool imap_response_literal(struct str so_far, uint64_t *len, bool *is_message)
{
	static const struct str item = STR("BODY[] ");
	struct str rest = so_far;
	enum imap_condition condition;
	size_t head;

	/* Words for people may end in anything. */
	if (!str_same(str_cut(&rest, ' '), STR("*")) ||
	    read_condition(str_first(rest, str_find_byte(rest, ' ')), &condition) ||
	    !announced(so_far, len, &head))
		return false;
	*is_message =
		head > item.len &&
		str_same_nocase(str_skip(str_first(so_far, head), head - item.len), item);
	return true;
}

/* ---- pieces ------------------------------------------------------------------------ */

/* Steps over one value of any shape. */
static bool skip_value(struct imap_in *in)
{
	size_t depth = 0;
	struct str text;

	do {
		struct cursor from = in->at;

		if (cur_byte(&in->at, '(')) {
			if (++depth > NEST_MAX)
				return imap_fail(in, "too many parentheses");
		} else if (depth > 0 && cur_byte(&in->at, ')')) {
			depth--;
		} else if (cur_sees(in->at, '"') || cur_sees(in->at, '{')) {
			if (!imap_string(in, &text))
				return false;
		} else if (depth == 0 || !imap_space(in)) {
			while (in->at.at < in->at.end &&
			       !memchr(" ()\r\n", *in->at.at, 5))
				in->at.at++;
			if (in->at.at == from.at)
				return imap_fail_here(in, "a value is expected");
		}
	} while (depth > 0);
	return true;
}

static bool is_atom(struct imap_in *in, struct str text)
{
	struct imap_in inside = imap_in_over(text, in->arena);
	struct str atom;

	return imap_atom(&inside, &atom) && cur_done(inside.at);
}

/* "(" words ")": the next word of it; false at its end, which is passed. */
static bool next_in_list(struct imap_in *in, struct str *item)
{
	struct cursor from;

	while (imap_space(in))
		continue;
	from = in->at;
	while (in->at.at < in->at.end && !memchr(" ()\r\n", *in->at.at, 5))
		in->at.at++;
	*item = cur_since(from, in->at);
	return item->len > 0;
}

static bool read_flags(struct imap_in *in, struct imap_flags *flags)
{
	struct str item;

	*flags = (struct imap_flags){0};
	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "flags are expected");
	while (next_in_list(in, &item)) {
		unsigned bit = imap_system_flag(item);

		flags->system |= bit;
		if (bit != 0 || item.ptr[0] == '\\' || !is_atom(in, item) ||
		    item.len > IMAP_KEYWORD_BYTES_MAX ||
		    flags->keyword_count == IMAP_KEYWORDS_MAX)
			continue;
		if (!flags->keywords)
			flags->keywords =
				ARENA_ARRAY(in->arena, struct str, IMAP_KEYWORDS_MAX);
		if (!flags->keywords)
			return imap_fail(in, "too much in one response");
		flags->keywords[flags->keyword_count++] = item;
	}
	return cur_byte(&in->at, ')') || imap_fail_here(in, "the flags do not end");
}

/* QUOTED-CHAR in quotes, or NIL. */
static bool read_delimiter(struct imap_in *in, char *delimiter)
{
	struct str text;

	if (!imap_nstring(in, &text) || text.len > 1)
		return imap_fail_here(in, "a delimiter is expected");
	*delimiter = text.len == 1 ? text.ptr[0] : '\0';
	return true;
}

/* ---- responses --------------------------------------------------------------------- */

/* resp-text = ["[" resp-text-code "]" SP] text */
static bool read_text(struct imap_in *in, struct imap_response *response)
{
	struct str rest = {in->at.at, (size_t)(in->at.end - in->at.at)};

	if (!str_ends(rest, STR("\r\n")))
		return imap_fail(in, "a line that does not end");
	rest.len -= 2;
	response->text = rest;
	if (str_starts(rest, STR("[")) && str_find_byte(rest, ']') < rest.len) {
		struct str name;

		response->text = str_trim(str_skip(rest, str_find_byte(rest, ']') + 1));
		response->code =
			str_first(str_skip(rest, 1), str_find_byte(rest, ']') - 1);
		rest = response->code;
		name = str_cut(&rest, ' ');
		if (str_same_nocase(name, STR("CAPABILITY")))
			response->capabilities = rest;
	}
	in->at.at = in->at.end;
	return true;
}

/* mailbox-list = "(" attributes ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox ...
 */
static bool read_list(struct imap_in *in, struct imap_listed *list)
{
	struct str attribute;

	*list = (struct imap_listed){.is_selectable = true};
	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "attributes are expected");
	struct cursor from = in->at;

	while (next_in_list(in, &attribute)) {
		if (str_same_nocase(attribute, STR("\\Noselect")) ||
		    str_same_nocase(attribute, STR("\\NonExistent")))
			list->is_selectable = false;
	}
	list->attributes = cur_since(from, in->at);
	if (!cur_byte(&in->at, ')') || !imap_space(in) ||
	    !read_delimiter(in, &list->delimiter) || !imap_space(in) ||
	    !imap_astring(in, &list->name))
		return imap_fail_here(in, "a mailbox is expected");
	while (imap_space(in))
		if (!is_end(in) && !skip_value(in))
			return false;
	return true;
}

/* Namespace = nil / "(" 1*("(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) ... ")") ")";
 * the first of them counts. */
static bool read_namespace(struct imap_in *in, struct str *prefix, char *delimiter)
{
	struct cursor from = in->at;
	struct imap_in inside;

	*prefix = STR("");
	*delimiter = '\0';
	if (!skip_value(in))
		return false;
	inside = *in;
	inside.at = from;
	if (!cur_byte(&inside.at, '('))
		return true;
	return (cur_byte(&inside.at, '(') && imap_string(&inside, prefix) &&
		imap_space(&inside) && read_delimiter(&inside, delimiter)) ||
	       imap_fail_here(in, "a name space is expected");
}

static bool read_namespaces(struct imap_in *in, struct imap_namespaces *all)
{
	char ignored;

	return read_namespace(in, &all->personal, &all->delimiter) && imap_space(in) &&
	       read_namespace(in, &all->others, &ignored) && imap_space(in) &&
	       read_namespace(in, &all->shared, &ignored);
}

static bool read_body(struct imap_in *in, struct imap_fetched *fetch)
{
	struct cursor at = in->at;
	struct str rest = {at.at, (size_t)(at.end - at.at)};
	size_t line_end = str_find(rest, STR("\r\n"));
	uint64_t len;
	size_t head;

	if (line_end < rest.len && announced(str_first(rest, line_end), &len, &head) &&
	    head == 0) {
		in->at.at += line_end + 2;
		fetch->body = IMAP_TEXT_OUTSIDE;
		return true;
	}
	if (!imap_nstring(in, &fetch->text))
		return imap_fail_here(in, "a message is expected");
	fetch->body = fetch->text.ptr ? IMAP_TEXT_HERE : IMAP_TEXT_ABSENT;
	return true;
}

static bool read_date(struct imap_in *in, struct imap_fetched *fetch)
{
	struct imap_in trial = *in;

	fetch->has_date = imap_date_time(&trial, &fetch->date);
	if (!fetch->has_date)
		return skip_value(in);
	in->at = trial.at;
	return true;
}

static bool read_item(struct imap_in *in, struct imap_fetched *fetch)
{
	struct str name = word(in);

	if (!imap_space(in))
		return imap_fail_here(in, "an item is expected");
	if (str_same_nocase(name, STR("UID")))
		return imap_nz_number(in, &fetch->uid) ||
		       imap_fail_here(in, "a UID is expected");
	if (str_same_nocase(name, STR("FLAGS")))
		return read_flags(in, &fetch->flags);
	if (str_same_nocase(name, STR("INTERNALDATE")))
		return read_date(in, fetch);
	if (str_same_nocase(name, STR("BODY[]")))
		return read_body(in, fetch);
	return skip_value(in);
}

/* msg-att = "(" item *(SP item) ")" */
static bool read_fetch(struct imap_in *in, struct imap_fetched *fetch)
{
	*fetch = (struct imap_fetched){.text = STR("")};
	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "items are expected");
	do {
		if (cur_sees(in->at, ')'))
			break;
		if (!read_item(in, fetch))
			return false;
	} while (imap_space(in));
	return cur_byte(&in->at, ')') || imap_fail_here(in, "the items do not end");
}

/* Behind "* ". */
static bool read_untagged(struct imap_in *in, struct imap_response *response)
{
	struct str name = word(in);
	uint64_t number = 0;

	if (read_condition(name, &response->condition)) {
		response->kind = IMAP_SAYS_STATUS;
		(void)imap_space(in); /* some send no text */
		return read_text(in, response);
	}
	if (num_parse(name, UINT32_MAX, &number) && imap_space(in))
		name = word(in);
	if (str_same_nocase(name, STR("EXISTS"))) {
		response->kind = IMAP_SAYS_EXISTS;
		response->exists = number;
		return true;
	}
	(void)imap_space(in); /* EXISTS has nothing behind it */
	if (str_same_nocase(name, STR("CAPABILITY"))) {
		response->kind = IMAP_SAYS_CAPABILITY;
		bool ok = read_text(in, response);

		response->capabilities = response->text;
		return ok;
	}
	if (str_same_nocase(name, STR("FETCH"))) {
		response->kind = IMAP_SAYS_FETCH;
		return read_fetch(in, &response->fetch);
	}
	if (str_same_nocase(name, STR("LIST"))) {
		response->kind = IMAP_SAYS_LIST;
		return read_list(in, &response->list);
	}
	if (str_same_nocase(name, STR("NAMESPACE"))) {
		response->kind = IMAP_SAYS_NAMESPACE;
		return read_namespaces(in, &response->namespaces);
	}
	in->at.at = in->at.end;
	return true;
}

bool imap_response(struct imap_in *in, struct imap_response *response)
{
	struct cursor from = in->at;
	struct str first = word(in);

	*response = (struct imap_response){
		.tag = first, .code = STR(""), .text = STR(""), .capabilities = STR("")};
	bool has_space = imap_space(in), ok;

	if (str_same(first, STR("+"))) {
		response->kind = IMAP_SAYS_CONTINUE;
		ok = read_text(in, response);
	} else if (str_same(first, STR("*"))) {
		ok = has_space && read_untagged(in, response);
	} else {
		response->kind = IMAP_SAYS_DONE;
		ok = first.len > 0 && has_space &&
		     read_condition(word(in), &response->condition);
		if (ok) {
			(void)imap_space(in); /* some send no text */
			ok = read_text(in, response);
		}
	}
	if (ok && (cur_done(in->at) || is_end(in)))
		return true;
	in->at = from;
	return imap_fail_here(in, "no response of IMAP");
}
