#include "text/html_text.h"

#include "base/num.h"
#include "base/utf8.h"

/* Elements whose content is not text to read. */
static const struct str hidden[] = {STR("head"),  STR("noframes"), STR("script"),
				    STR("style"), STR("template"), STR("title")};
/* Elements that begin on a line of their own. */
static const struct str blocks[] = {
	STR("address"), STR("article"), STR("blockquote"), STR("br"),    STR("center"),
	STR("dd"),      STR("div"),     STR("dl"),         STR("dt"),    STR("footer"),
	STR("form"),    STR("h1"),      STR("h2"),         STR("h3"),    STR("h4"),
	STR("h5"),      STR("h6"),      STR("header"),     STR("hr"),    STR("li"),
	STR("ol"),      STR("p"),       STR("pre"),        STR("table"), STR("td"),
	STR("th"),      STR("tr"),      STR("ul"),
};

static const struct {
	const char *name;
	uint32_t code;
} references[] = {
	{"amp", '&'},      {"apos", '\''},    {"auml", 0xe4},    {"Auml", 0xc4},
	{"bull", 0x2022},  {"cent", 0xa2},    {"copy", 0xa9},    {"eacute", 0xe9},
	{"egrave", 0xe8},  {"euro", 0x20ac},  {"gt", '>'},       {"hellip", 0x2026},
	{"laquo", 0xab},   {"ldquo", 0x201c}, {"lsquo", 0x2018}, {"lt", '<'},
	{"mdash", 0x2014}, {"middot", 0xb7},  {"nbsp", ' '},     {"ndash", 0x2013},
	{"ouml", 0xf6},    {"Ouml", 0xd6},    {"pound", 0xa3},   {"quot", '"'},
	{"raquo", 0xbb},   {"rdquo", 0x201d}, {"reg", 0xae},     {"rsquo", 0x2019},
	{"shy", 0},        {"szlig", 0xdf},   {"trade", 0x2122}, {"uuml", 0xfc},
	{"Uuml", 0xdc},    {"zwj", 0},        {"zwnj", 0},
};

struct scan {
	struct buf *out;
	struct str html;
	size_t at, from, max;
	char gap;      /* '\0', ' ' or '\n': what stands before the next text */
	bool no_close; /* no ">" follows any more */
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void widen_gap(struct scan *s, char gap)
{
	if (s->gap != '\n')
		s->gap = gap;
}

/* The gap that was due, unless nothing came before it. */
static void fill_gap(struct scan *s)
{
	if (s->gap && s->out->len > s->from)
		buf_add_byte(s->out, s->gap);
	s->gap = '\0';
}

static bool is_one_of(struct str name, const struct str *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_same_nocase(name, names[i]))
			return true;
	return false;
}

static struct str rest(const struct scan *s)
{
	return str_skip(s->html, s->at);
}

/* Past the end tag of a hidden element, or past everything.  Each is looked for once, as
 * the cursor ends up behind it. */
static void skip_hidden(struct scan *s, struct str name)
{
	while (s->at < s->html.len) {
		s->at += str_find(rest(s), STR("</"));
		struct str tag = str_skip(rest(s), 2);

		s->at += s->at < s->html.len ? 2 : 0;
		if (str_starts_nocase(tag, name))
			break;
	}
	s->at += str_find_byte(rest(s), '>');
	s->at += s->at < s->html.len;
}

/* A tag or comment at "<"; false if it is only a character. */
static bool markup(struct scan *s)
{
	struct str text = str_skip(rest(s), 1);
	bool is_end = str_starts(text, STR("/"));
	size_t len = 0;

	if (s->no_close)
		return false;
	if (str_starts(text, STR("!--"))) {
		s->at += 4;
		s->at += str_find(rest(s), STR("-->"));
		s->at += s->at < s->html.len ? 3 : 0;
		return true;
	}
	text = str_skip(text, is_end);
	while (len < text.len &&
	       (ascii_lower(text.ptr[len]) != ascii_upper(text.ptr[len]) ||
		is_ascii_digit((unsigned char)text.ptr[len])))
		len++;
	struct str name = str_first(text, len);

	if (len == 0 && !str_starts(text, STR("!")) && !str_starts(text, STR("?")))
		return false;
	size_t close = str_find_byte(text, '>');

	if (close == text.len) {
		s->no_close = true;
		return false;
	}
	s->at += 1 + is_end + close + 1;
	if (is_one_of(name, blocks, COUNT_OF(blocks)))
		widen_gap(s, '\n');
	if (!is_end && is_one_of(name, hidden, COUNT_OF(hidden)))
		skip_hidden(s, name);
	return true;
}

/* A character reference at "&"; false if it is only a character. */
static bool reference(struct scan *s)
{
	struct str text = str_first(str_skip(rest(s), 1), 12);
	size_t end = str_find_byte(text, ';');
	struct str name = str_first(text, end);
	uint64_t code = 0;

	if (end == text.len)
		return false;
	if (str_starts_nocase(name, STR("#x"))) {
		for (size_t i = 2; i < name.len; i++) {
			if (num_hex(name.ptr[i]) < 0)
				return false;
			code = code << 4 | (uint64_t)num_hex(name.ptr[i]);
		}
	} else if (str_starts(name, STR("#"))) {
		if (!num_parse(str_skip(name, 1), 0x10ffff, &code))
			return false;
	} else {
		size_t i = 0;

		while (i < COUNT_OF(references) &&
		       !str_same(name, str_c(references[i].name)))
			i++;
		if (i == COUNT_OF(references))
			return false;
		code = references[i].code;
	}
	s->at += end + 2;
	if (code <= ' ' || code == 0xa0) {
		widen_gap(s, code == 0 ? s->gap : ' ');
		return true;
	}
	fill_gap(s);
	utf8_add(s->out, code > 0x10ffff ? UTF8_REPLACEMENT : (uint32_t)code);
	return true;
}

/* The run of plain text at the cursor. */
static void text_run(struct scan *s)
{
	size_t from = s->at;

	do
		s->at++;
	while (s->at < s->html.len && s->html.ptr[s->at] != '<' &&
	       s->html.ptr[s->at] != '&' && !is_space(s->html.ptr[s->at]));
	fill_gap(s);
	size_t left = s->max - (s->out->len - s->from);
	struct str run = utf8_first((struct str){s->html.ptr + from, s->at - from}, left);

	buf_add(s->out, run);
	if (run.len < s->at - from)
		s->max = s->out->len - s->from; /* full, but for half a character */
}

void html_text_add(struct buf *out, struct str html, size_t max)
{
	struct scan s = {.out = out, .html = html, .from = out->len, .max = max};

	while (s.at < html.len && out->len - s.from < s.max && !out->failed) {
		char c = html.ptr[s.at];

		if (is_space(c)) {
			widen_gap(&s, ' ');
			s.at++;
		} else if (!(c == '<' && markup(&s)) && !(c == '&' && reference(&s))) {
			text_run(&s);
		}
	}
	struct str all = {out->ptr, out->len};

	if (all.len - s.from > max) /* a gap or a reference at the end */
		buf_cut(out, s.from + utf8_first(str_skip(all, s.from), max).len);
}
