#include "wire/document/pdf_text.h"

#include <math.h>

#include "wire/document/pdf_token.h"

enum {
	NUMBERS_MAX = 6, /* the last operands, which count */
	STRING_MAX = 64 * 1024,
	ARRAYS_DEEP = 8,
};

/* In sizes of the font. */
static const double new_line = 0.5, new_word = 0.17, one_word_back = -0.5;

/* What stands before an operator. */
struct operands {
	double numbers[NUMBERS_MAX]; /* the last ones */
	size_t count;
	struct str name;
	struct pdf_token string; /* raw.ptr NULL: none */
	struct str array;        /* what stands between its brackets */
};

static double number(const struct operands *o, size_t from_end)
{
	return from_end < o->count ? o->numbers[o->count - 1 - from_end] : 0;
}

/* ---- places ------------------------------------------------------------------------ */

/* First m, then n.  §8.3.4 */
static struct pdf_matrix both(const struct pdf_matrix *m, const struct pdf_matrix *n)
{
	return (struct pdf_matrix){
		m->a * n->a + m->b * n->c,        m->a * n->b + m->b * n->d,
		m->c * n->a + m->d * n->c,        m->c * n->b + m->d * n->d,
		m->e * n->a + m->f * n->c + n->e, m->e * n->b + m->f * n->d + n->f};
}

static void move(struct pdf_matrix *m, double x, double y)
{
	const struct pdf_matrix by = {1, 0, 0, 1, x, y};

	*m = both(&by, m);
}

static bool ends_in_space(const struct buf *out)
{
	return out->len == 0 || out->ptr[out->len - 1] == ' ' ||
	       out->ptr[out->len - 1] == '\n';
}

/* A new line or word, if what comes does not stand where the last text ended. */
static void part_from_last(struct pdf_text *t)
{
	struct pdf_matrix m = both(&t->at, &t->now.ctm);
	double unit = hypot(m.a, m.b), size = fabs(t->now.size) * unit;
	double x = m.e - t->end_x, y = m.f - t->end_y;

	if (!t->has_end || !(size > 0) || ends_in_space(t->out))
		return;
	double along = (x * m.a + y * m.b) / unit, across = (y * m.a - x * m.b) / unit;

	if (fabs(across) > new_line * size)
		buf_add_byte(t->out, '\n');
	else if (along > new_word * size || along < one_word_back * size)
		buf_add_byte(t->out, ' ');
}

static void note_end(struct pdf_text *t)
{
	struct pdf_matrix m = both(&t->at, &t->now.ctm);

	t->has_end = true;
	t->end_x = m.e;
	t->end_y = m.f;
}

/* ---- showing ----------------------------------------------------------------------- */

/* Of a font that does not say: as most are. */
static double guessed_width(uint32_t code)
{
	if (code < 256 && code != 0 && strchr(" ijltfrI.,;:'!|()[]", (int)code))
		return 280;
	if (code == 'm' || code == 'w' || code == 'M' || code == 'W')
		return 830;
	return code >= 'A' && code <= 'Z' ? 680 : 530;
}

static double width_of(const struct pdf_font *font, uint32_t code)
{
	if (code < font->width_count)
		return font->widths[code];
	return font->width_else != 0 ? font->width_else : guessed_width(code);
}

static void add_text(struct pdf_text *t, const struct pdf_font *font, uint32_t code)
{
	if (font->is_utf16 ||
	    (font->map.count > 0 && pdf_cmap_add(&font->map, code, t->out)))
		return;
	if (!font->is_wide)
		buf_add(t->out, font->text[code & 255]);
}

/* §9.4.4 */
static void show_octets(struct pdf_text *t, struct str octets)
{
	const struct pdf_state *now = &t->now;
	const struct pdf_font *font = now->font;
	size_t step = font && font->is_wide ? 2 : 1;

	if (!font)
		return;
	part_from_last(t);
	if (font->is_utf16)
		pdf_utf16_add(t->out, octets);
	for (; octets.len >= step; octets = str_skip(octets, step)) {
		uint32_t code = (unsigned char)octets.ptr[0];

		if (step == 2)
			code = code << 8 | (unsigned char)octets.ptr[1];
		add_text(t, font, code);
		double wide = width_of(font, code) / 1000 * now->size + now->char_space;

		if (code == ' ' && step == 1)
			wide += now->word_space;
		move(&t->at, wide * now->scale, 0);
	}
	note_end(t);
}

static void show_string(struct pdf_text *t, const struct pdf_token *string)
{
	if (!string->raw.ptr)
		return;
	buf_reset(&t->octets);
	pdf_string_add(&t->octets, string);
	show_octets(t, buf_str(&t->octets));
}

static void on_show(struct pdf_text *t, const struct operands *o)
{
	show_string(t, &o->string);
}

/* TJ: strings, and numbers that move what follows to the left. */
static void on_show_array(struct pdf_text *t, const struct operands *o)
{
	struct str rest = o->array;
	struct pdf_token token;

	while (buf_ok(t->out) && pdf_token_take(&rest, &token)) {
		if (token.kind == PDF_STRING || token.kind == PDF_HEX)
			show_string(t, &token);
		else if (token.kind == PDF_NUMBER)
			move(&t->at, -token.number / 1000 * t->now.size * t->now.scale,
			     0);
	}
}

/* ---- operators --------------------------------------------------------------------- */

static void on_save(struct pdf_text *t, const struct operands *o)
{
	(void)o;
	if (t->saved_count < PDF_STATES_MAX)
		t->saved[t->saved_count] = t->now;
	t->saved_count++;
}

static void on_restore(struct pdf_text *t, const struct operands *o)
{
	(void)o;
	if (t->saved_count > t->saved_least && --t->saved_count < PDF_STATES_MAX)
		t->now = t->saved[t->saved_count];
}

static struct pdf_matrix matrix_of(const struct operands *o)
{
	return (struct pdf_matrix){number(o, 5), number(o, 4), number(o, 3),
				   number(o, 2), number(o, 1), number(o, 0)};
}

static void on_concat(struct pdf_text *t, const struct operands *o)
{
	struct pdf_matrix m = matrix_of(o);

	t->now.ctm = both(&m, &t->now.ctm);
}

static void on_begin(struct pdf_text *t, const struct operands *o)
{
	(void)o;
	t->line = t->at = PDF_IDENTITY;
}

static void on_font(struct pdf_text *t, const struct operands *o)
{
	buf_reset(&t->octets);
	pdf_name_add(&t->octets, o->name);
	t->now.font = t->find(t->arg, buf_str(&t->octets));
	t->now.size = number(o, 0);
}

static void next_line(struct pdf_text *t, double x, double y)
{
	move(&t->line, x, y);
	t->at = t->line;
}

static void on_move(struct pdf_text *t, const struct operands *o)
{
	next_line(t, number(o, 1), number(o, 0));
}

static void on_move_leading(struct pdf_text *t, const struct operands *o)
{
	t->now.leading = -number(o, 0);
	on_move(t, o);
}

static void on_matrix(struct pdf_text *t, const struct operands *o)
{
	t->line = t->at = matrix_of(o);
}

static void on_line(struct pdf_text *t, const struct operands *o)
{
	(void)o;
	next_line(t, 0, -t->now.leading);
}

static void on_line_show(struct pdf_text *t, const struct operands *o)
{
	on_line(t, o);
	on_show(t, o);
}

static void on_spaced_show(struct pdf_text *t, const struct operands *o)
{
	t->now.word_space = number(o, 1);
	t->now.char_space = number(o, 0);
	on_line_show(t, o);
}

static void on_char_space(struct pdf_text *t, const struct operands *o)
{
	t->now.char_space = number(o, 0);
}

static void on_word_space(struct pdf_text *t, const struct operands *o)
{
	t->now.word_space = number(o, 0);
}

static void on_scale(struct pdf_text *t, const struct operands *o)
{
	t->now.scale = number(o, 0) / 100;
}

static void on_leading(struct pdf_text *t, const struct operands *o)
{
	t->now.leading = number(o, 0);
}

static void on_form(struct pdf_text *t, const struct operands *o)
{
	SCOPED(buf_fini) struct buf name = BUF(1024);

	if (t->depth == PDF_FORMS_DEEP || t->forms_left == 0)
		return;
	t->forms_left--;
	pdf_name_add(&name, o->name);
	t->show(t->arg, t, buf_str(&name));
}

static const struct {
	const char *name;
	void (*run)(struct pdf_text *t, const struct operands *o);
} operators[] = {
	{"Tj", on_show},        {"TJ", on_show_array}, {"'", on_line_show},
	{"\"", on_spaced_show}, {"Td", on_move},       {"TD", on_move_leading},
	{"Tm", on_matrix},      {"T*", on_line},       {"Tf", on_font},
	{"Tc", on_char_space},  {"Tw", on_word_space}, {"Tz", on_scale},
	{"TL", on_leading},     {"BT", on_begin},      {"q", on_save},
	{"Q", on_restore},      {"cm", on_concat},     {"Do", on_form},
};

/* ---- content ----------------------------------------------------------------------- */

/* §8.9.7: BI, a dictionary, ID, octets, EI.  Behind ID: to after the EI that stands
 * between white space. */
static void skip_image(struct str *rest)
{
	struct str s = *rest;

	for (;;) {
		size_t at = str_find(s, STR("EI"));
		struct str behind = str_skip(s, at + 2);

		if (at == s.len) {
			*rest = behind;
			return;
		}
		bool is_first = at == 0 || (unsigned char)s.ptr[at - 1] <= ' ';

		s = behind;
		if (is_first && (s.len == 0 || (unsigned char)s.ptr[0] <= ' ')) {
			*rest = s;
			return;
		}
	}
}

/* "[...]", whose end may be missing. */
static struct str take_array(struct pdf_text *t, struct str *rest)
{
	struct str start = *rest, end = *rest;
	struct pdf_token token;
	unsigned depth = 1;

	while (depth > 0 && t->tokens_left > 0) {
		end = *rest;
		if (!pdf_token_take(rest, &token)) {
			end = *rest;
			break;
		}
		t->tokens_left--;
		if (token.kind == PDF_ARRAY_BEGIN && depth < ARRAYS_DEEP)
			depth++;
		else if (token.kind == PDF_ARRAY_END)
			depth--;
	}
	return str_first(start, start.len - end.len);
}

static void operate(struct pdf_text *t, struct str name, const struct operands *o)
{
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (str_same(name, str_c(operators[i].name))) {
			operators[i].run(t, o);
			return;
		}
	}
}

static void add_number(struct operands *o, double value)
{
	if (o->count == NUMBERS_MAX) {
		memmove(o->numbers, o->numbers + 1, sizeof o->numbers - sizeof value);
		o->count--;
	}
	o->numbers[o->count++] = value;
}

static void run(struct pdf_text *t, struct str content)
{
	struct operands o = {.count = 0};
	struct pdf_token token;

	while (t->tokens_left > 0 && buf_ok(t->out) && pdf_token_take(&content, &token)) {
		t->tokens_left--;
		switch (token.kind) {
		case PDF_NUMBER:
			add_number(&o, token.number);
			break;
		case PDF_STRING:
		case PDF_HEX:
			o.string = token;
			break;
		case PDF_NAME:
			o.name = token.raw;
			break;
		case PDF_ARRAY_BEGIN:
			o.array = take_array(t, &content);
			break;
		case PDF_WORD:
			if (str_same(token.raw, STR("ID")))
				skip_image(&content);
			operate(t, token.raw, &o);
			o = (struct operands){.count = 0};
			break;
		case PDF_ARRAY_END:
		case PDF_DICT_BEGIN:
		case PDF_DICT_END:
			break;
		}
	}
}

void pdf_text_init(struct pdf_text *text, struct buf *out, pdf_font_find *find,
		   pdf_form_show *show, void *arg)
{
	*text = (struct pdf_text){.out = out,
				  .find = find,
				  .show = show,
				  .arg = arg,
				  .tokens_left = PDF_TOKENS_MAX,
				  .forms_left = PDF_FORMS_MAX,
				  .octets = BUF(STRING_MAX)};
}

void pdf_text_fini(struct pdf_text *text)
{
	buf_fini(&text->octets);
}

void pdf_text_page(struct pdf_text *text, struct str content)
{
	text->now = (struct pdf_state){.ctm = PDF_IDENTITY, .scale = 1};
	text->line = text->at = PDF_IDENTITY;
	text->saved_count = text->saved_least = 0;
	text->has_end = false;
	run(text, content);
	if (!ends_in_space(text->out))
		buf_add_byte(text->out, '\n');
}

/* §8.10.1: as between q and Q. */
void pdf_text_form(struct pdf_text *text, const struct pdf_matrix *matrix,
		   struct str content)
{
	const struct pdf_state before = text->now;
	struct pdf_matrix line = text->line, at = text->at;
	size_t count = text->saved_count, least = text->saved_least;

	text->saved_least = count;
	text->depth++;
	text->now.ctm = both(matrix, &text->now.ctm);
	run(text, content);
	text->depth--;
	text->saved_count = count;
	text->saved_least = least;
	text->now = before;
	text->line = line;
	text->at = at;
}
