#include "wire/auth/authres.h"

#include "base/num.h"
#include "base/utf8.h"
#include "wire/cursor.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 127;
}

/* token of RFC 2045 §5.1, and what is beyond ASCII (RFC 6532 §3.2) */
static bool is_token(char c)
{
	return !is_control(c) && c != ' ' && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* ---- reading ----------------------------------------------------------------------- */

/* A comment that is not closed goes to the end. */
static void skip_cfws(struct cursor *c)
{
	size_t depth = 0;

	for (; c->at < c->end; c->at++) {
		if (*c->at == '(')
			depth++;
		else if (depth > 0 && *c->at == ')')
			depth--;
		else if (depth > 0 && *c->at == '\\')
			c->at += c->at + 1 < c->end;
		else if (depth == 0 && !is_space(*c->at))
			return;
	}
}

static bool token_take(struct cursor *c, struct str *token)
{
	struct cursor from = *c;

	while (c->at < c->end && is_token(*c->at))
		c->at++;
	*token = cur_since(from, *c);
	return token->len > 0;
}

/* Moves past a quoted-string; *raw is what stands between the quotes. */
static bool quoted_take(struct cursor *c, struct str *raw)
{
	struct cursor at = *c;

	if (!cur_byte(&at, '"'))
		return false;
	struct cursor from = at;

	for (; at.at < at.end && *at.at != '"'; at.at++)
		if (*at.at == '\\' && at.at + 1 < at.end)
			at.at++;
	*raw = cur_since(from, at);
	if (!cur_byte(&at, '"'))
		return false;
	*c = at;
	return true;
}

static bool unquote(struct str raw, struct arena *arena, struct str *text)
{
	char *room = arena_alloc(arena, raw.len + 1, 1);
	size_t len = 0;

	if (!room)
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] == '\\' && i + 1 < raw.len)
			i++;
		if (raw.ptr[i] != '\r' && raw.ptr[i] != '\n')
			room[len++] = raw.ptr[i];
	}
	*text = (struct str){room, len};
	return true;
}

/* value = token / quoted-string */
static bool value_take(struct cursor *c, struct arena *arena, struct str *value)
{
	struct str raw;

	if (quoted_take(c, &raw))
		return unquote(raw, arena, value);
	return token_take(c, value);
}

/* pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]; BARE_VALUE */
static bool pvalue_take(struct cursor *c, struct arena *arena, struct str *value)
{
	struct cursor at = *c, from;
	struct str raw;

	skip_cfws(&at);
	from = at;
	bool is_quoted = quoted_take(&at, &raw);

	if (is_quoted && !cur_sees(at, '@')) {
		*c = at;
		return unquote(raw, arena, value);
	}
	while (at.at < at.end && !is_control(*at.at) && !strchr(" ;(\"", *at.at))
		at.at++;
	*value = cur_since(from, at);
	if (value->len > 0)
		*c = at;
	return value->len > 0;
}

static bool keyword_take(struct cursor *c, const char *word)
{
	struct cursor at = *c;
	struct str token;

	if (!token_take(&at, &token) || !str_same_nocase(token, str_c(word)))
		return false;
	*c = at;
	return true;
}

static bool byte_take(struct cursor *c, char byte)
{
	struct cursor at = *c;

	skip_cfws(&at);
	if (!cur_byte(&at, byte))
		return false;
	skip_cfws(&at);
	*c = at;
	return true;
}

/* authres-version = 1*DIGIT [CFWS]; the same behind a method's "/" */
static bool version_take(struct cursor *c, uint64_t *version)
{
	struct cursor at = *c;
	struct str token;

	if (!token_take(&at, &token) || !num_parse(token, 1000000, version))
		return false;
	*c = at;
	return true;
}

/* methodspec = [CFWS] method [CFWS] "=" [CFWS] result */
static bool methodspec_take(struct cursor *c, struct authres_result *result)
{
	uint64_t version = 1;

	skip_cfws(c);
	if (!token_take(c, &result->method))
		return false;
	if (byte_take(c, '/') && !version_take(c, &version))
		return false;
	return version == 1 && byte_take(c, '=') && token_take(c, &result->result);
}

/* reasonspec = "reason" [CFWS] "=" [CFWS] value */
static bool reasonspec_take(struct cursor *c, struct arena *arena, struct str *reason)
{
	struct cursor at = *c;

	if (!keyword_take(&at, "reason") || !byte_take(&at, '=') ||
	    !value_take(&at, arena, reason))
		return false;
	*c = at;
	return true;
}

/* ptype [CFWS] "." [CFWS] property.  A token may hold the dot, since keywords have none
 * (RFC 5321 §4.1.2). */
static bool property_name_take(struct cursor *c, struct authres_property *property)
{
	struct str token;

	if (!token_take(c, &token))
		return false;
	bool has_dot = str_find_byte(token, '.') < token.len;

	property->ptype = str_cut(&token, '.');
	property->name = token;
	if (token.len > 0)
		return property->ptype.len > 0;
	skip_cfws(c);
	if (has_dot)
		return property->ptype.len > 0 && token_take(c, &property->name);
	return cur_byte(c, '.') && (skip_cfws(c), token_take(c, &property->name));
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue */
static bool propspec_take(struct cursor *c, struct arena *arena,
			  struct authres_property *property)
{
	struct cursor at = *c;

	if (!property_name_take(&at, property) || !byte_take(&at, '=') ||
	    !pvalue_take(&at, arena, &property->value))
		return false;
	*c = at;
	return true;
}

/* Where the result ends: the next ";" that is in no comment and no quotes. */
static struct cursor result_end(struct cursor c)
{
	struct str raw;

	while (c.at < c.end && *c.at != ';') {
		const char *before = c.at;

		skip_cfws(&c);
		if (c.at == before && !quoted_take(&c, &raw))
			c.at++;
	}
	return c;
}

/* What stands behind one ";". */
static bool resinfo_read(struct cursor c, struct arena *arena,
			 struct authres_result *result)
{
	struct authres_property property;

	*result = (struct authres_result){.reason = STR("")};
	if (!methodspec_take(&c, result))
		return false;
	result->properties =
		ARENA_ARRAY(arena, struct authres_property, AUTHRES_PROPERTIES_MAX);
	if (!result->properties)
		return false;
	skip_cfws(&c);
	if (reasonspec_take(&c, arena, &result->reason))
		skip_cfws(&c);
	while (result->count < AUTHRES_PROPERTIES_MAX &&
	       propspec_take(&c, arena, &property)) {
		result->properties[result->count++] = property;
		skip_cfws(&c);
	}
	return cur_done(c);
}

static bool is_none(struct cursor c)
{
	skip_cfws(&c);
	if (!keyword_take(&c, "none"))
		return false;
	skip_cfws(&c);
	return cur_done(c);
}

static bool is_empty(struct cursor c)
{
	skip_cfws(&c);
	return cur_done(c);
}

/* 1*resinfo, or no-result */
static bool results_read(struct cursor *c, struct arena *arena, struct authres *authres)
{
	authres->results = ARENA_ARRAY(arena, struct authres_result, AUTHRES_RESULTS_MAX);
	if (!authres->results)
		return false;
	while (cur_byte(c, ';')) {
		struct cursor end = result_end(*c), one = {c->at, end.at};

		*c = end;
		if (is_empty(one) || is_none(one)) /* EMPTY_RESULT */
			continue;
		if (authres->count == AUTHRES_RESULTS_MAX ||
		    !resinfo_read(one, arena, &authres->results[authres->count]))
			authres->is_partial = true; /* WRONG_RESULT */
		else
			authres->count++;
	}
	return true;
}

/* [CFWS] authserv-id [ CFWS authres-version ], up to the first ";" */
static bool beginning_take(struct cursor *c, struct arena *arena, struct authres *authres)
{
	skip_cfws(c);
	if (!value_take(c, arena, &authres->id))
		return false;
	skip_cfws(c);
	authres->version = 1;
	if (!cur_done(*c) && !cur_sees(*c, ';') && !version_take(c, &authres->version))
		return false;
	skip_cfws(c);
	return cur_done(*c) || cur_sees(*c, ';');
}

bool authres_parse(struct str value, struct arena *arena, struct authres *authres)
{
	struct cursor c = cur_over(value);

	*authres = (struct authres){.id = STR("")};
	return value.len <= AUTHRES_BYTES_MAX && beginning_take(&c, arena, authres) &&
	       results_read(&c, arena, authres);
}

struct str authres_value(const struct authres_result *result, const char *ptype,
			 const char *name)
{
	for (size_t i = 0; i < result->count; i++)
		if (str_same_nocase(result->properties[i].ptype, str_c(ptype)) &&
		    str_same_nocase(result->properties[i].name, str_c(name)))
			return result->properties[i].value;
	return STR("");
}

bool authres_claims(struct str value, struct str id, struct arena *arena)
{
	struct cursor c = cur_over(value);
	struct authres authres;

	return !beginning_take(&c, arena, &authres) || authres.version != 1 ||
	       str_same_nocase(authres.id, id);
}

/* ---- writing ----------------------------------------------------------------------- */

enum { LINE_COLUMNS = 78, TAB_COLUMNS = 8 };

/* Goes to a new line if so much more would make this one too long. */
static void space(struct authres_writer *writer, size_t len)
{
	bool folds =
		writer->column + 1 + len > LINE_COLUMNS && writer->column > TAB_COLUMNS;

	buf_add_c(writer->buf, folds ? "\r\n\t" : " ");
	writer->column = (folds ? TAB_COLUMNS : writer->column + 1) + len;
}

/* Cut to the bound, never within a character. */
static struct str bounded(struct str text)
{
	size_t len = text.len;

	if (len <= AUTHRES_VALUE_MAX)
		return text;
	len = AUTHRES_VALUE_MAX;
	while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return str_first(text, len);
}

/* Appends text with a "\" before each of `escaped`; '?' for what may not stand there. */
static void add_clean(struct buf *buf, struct str text, const char *escaped)
{
	bool is_utf8 = utf8_valid(text);

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (is_control(c) || ((unsigned char)c >= 0x80 && !is_utf8))
			c = '?';
		if (strchr(escaped, c))
			buf_add_byte(buf, '\\');
		buf_add_byte(buf, c);
	}
}

static bool is_all_token(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_token(text.ptr[i]))
			return false;
	return text.len > 0 && utf8_valid(text);
}

static bool is_atext(char c)
{
	return is_token(c) || c == '=' || c == '/' || c == '?';
}

/* Behind the local-part's octets: local-part = dot-atom / quoted-string. */
static bool local_part_take(struct cursor *c)
{
	struct str raw;

	if (quoted_take(c, &raw)) {
		for (size_t i = 0; i < raw.len; i++)
			if (is_control(raw.ptr[i]))
				return false;
		return true;
	}
	while (c->at < c->end && is_atext(*c->at))
		c->at++;
	return true;
}

/* [ local-part ] "@" domain-name, which is written without quotes around it. */
static bool is_address(struct str text)
{
	struct cursor c = cur_over(text);
	struct str domain;

	return utf8_valid(text) && local_part_take(&c) && cur_byte(&c, '@') &&
	       token_take(&c, &domain) && cur_done(c);
}

/* The value in the form it needs. */
static void add_value(struct buf *buf, struct str value)
{
	value = bounded(value);
	if (is_all_token(value) || is_address(value)) {
		buf_add(buf, value);
		return;
	}
	buf_add_byte(buf, '"');
	add_clean(buf, value, "\"\\");
	buf_add_byte(buf, '"');
}

enum { WORD_BYTES_MAX = 2 * AUTHRES_VALUE_MAX + 100 };

static void add_word(struct authres_writer *writer, const struct buf *word)
{
	space(writer, word->len);
	buf_add(writer->buf, buf_str(word));
}

void authres_begin_at(struct authres_writer *writer, struct buf *buf, size_t column,
		      struct str id)
{
	SCOPED(buf_fini) struct buf word = BUF(WORD_BYTES_MAX);

	*writer = (struct authres_writer){.buf = buf, .column = column};
	if (is_address(id)) /* that is no value */
		buf_printf(&word, "\"%.*s\"", STR_FMT(bounded(id)));
	else
		add_value(&word, id);
	add_word(writer, &word);
}

void authres_begin(struct authres_writer *writer, struct buf *buf, struct str id)
{
	static const char name[] = "Authentication-Results:";

	buf_add_c(buf, name);
	authres_begin_at(writer, buf, sizeof name - 1, id);
}

void authres_add(struct authres_writer *writer, const char *method, const char *result)
{
	buf_add_c(writer->buf, ";\r\n\t");
	buf_printf(writer->buf, "%s=%s", method, result);
	writer->column = TAB_COLUMNS + strlen(method) + 1 + strlen(result);
	writer->has_result = true;
}

/* Folded between its words. */
void authres_add_comment(struct authres_writer *writer, struct str text)
{
	SCOPED(buf_fini) struct buf word = BUF(WORD_BYTES_MAX);

	text = str_trim(bounded(text));
	if (text.len == 0)
		return;
	buf_add_byte(&word, '(');
	while (text.len > 0) {
		struct str part = str_cut(&text, ' ');

		if (part.len == 0)
			continue;
		add_clean(&word, part, "()\\");
		if (text.len > 0)
			add_word(writer, &word);
		if (text.len > 0)
			buf_reset(&word);
	}
	buf_add_byte(&word, ')');
	add_word(writer, &word);
}

void authres_add_reason(struct authres_writer *writer, struct str text)
{
	SCOPED(buf_fini) struct buf word = BUF(WORD_BYTES_MAX);

	if (text.len == 0)
		return;
	buf_add_c(&word, "reason=\"");
	add_clean(&word, bounded(text), "\"\\");
	buf_add_byte(&word, '"');
	add_word(writer, &word);
}

void authres_add_property(struct authres_writer *writer, const char *ptype,
			  const char *name, struct str value)
{
	SCOPED(buf_fini) struct buf word = BUF(WORD_BYTES_MAX);

	if (value.len == 0)
		return;
	buf_printf(&word, "%s.%s=", ptype, name);
	add_value(&word, value);
	add_word(writer, &word);
}

void authres_end(struct authres_writer *writer)
{
	buf_add_c(writer->buf, writer->has_result ? "\r\n" : "; none\r\n");
}
