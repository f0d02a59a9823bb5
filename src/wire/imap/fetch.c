#include "wire/imap/fetch.h"

#include "wire/imap/write.h"

enum {
	FAST = IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE,
	ALL = FAST | IMAP_FETCH_ENVELOPE,
	FULL = ALL | IMAP_FETCH_BODY,
};

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static bool header_list(struct imap_in *in, struct imap_section *section)
{
	struct str fields[IMAP_SECTION_FIELDS_MAX];
	size_t count = 0;

	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "a list of header fields is expected");
	do {
		if (count == IMAP_SECTION_FIELDS_MAX)
			return imap_fail(in, "more than %d header fields",
					 IMAP_SECTION_FIELDS_MAX);
		if (!imap_astring(in, &fields[count++]))
			return imap_fail_here(in, "a header field is expected");
	} while (imap_space(in));
	struct str *kept = ARENA_ARRAY(in->arena, struct str, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, fields, count * sizeof *kept);
	section->fields = kept;
	section->field_count = count;
	return cur_byte(&in->at, ')');
}

/* section-msgtext, or "MIME" after a part. */
static bool section_text(struct imap_in *in, struct imap_section *section)
{
	static const struct {
		struct str name;
		enum imap_section_text text;
	} texts[] = {
		{STR("HEADER"), IMAP_TEXT_HEADER},
		{STR("HEADER.FIELDS"), IMAP_TEXT_FIELDS},
		{STR("HEADER.FIELDS.NOT"), IMAP_TEXT_FIELDS_NOT},
		{STR("TEXT"), IMAP_TEXT_TEXT},
		{STR("MIME"), IMAP_TEXT_MIME},
	};
	struct str name;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "a section is expected");
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (!str_same_nocase(name, texts[i].name))
			continue;
		section->text = texts[i].text;
		if (section->text == IMAP_TEXT_MIME)
			return section->part_count > 0 ||
			       imap_fail(in, "MIME needs a part number");
		if (section->text == IMAP_TEXT_FIELDS ||
		    section->text == IMAP_TEXT_FIELDS_NOT)
			return imap_space(in) && header_list(in, section);
		return true;
	}
	return imap_fail(in, "unknown section \"%.*s\"", STR_FMT(str_first(name, 40)));
}

/* section-part = nz-number *("." nz-number), and the "." before a section-text. */
static bool section_part(struct imap_in *in, struct imap_section *section)
{
	uint32_t part[IMAP_SECTION_DEPTH_MAX];
	size_t count = 0;

	do {
		uint32_t number;

		if (!imap_nz_number(in, &number))
			break;
		if (count == IMAP_SECTION_DEPTH_MAX)
			return imap_fail(in, "a part number is too deep");
		part[count++] = number;
	} while (cur_byte(&in->at, '.'));
	if (count == 0)
		return imap_fail_here(in, "a wrong part number");
	uint32_t *kept = ARENA_ARRAY(in->arena, uint32_t, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, part, count * sizeof *kept);
	section->part = kept;
	section->part_count = count;
	return true;
}

/* section = "[" [section-spec] "]" */
bool imap_section(struct imap_in *in, struct imap_section *section)
{
	bool is_binary = section->kind != IMAP_SECTION_BODY;

	if (!cur_byte(&in->at, '['))
		return imap_fail_here(in, "a section in [] is expected");
	if (cur_byte(&in->at, ']'))
		return true;
	bool has_part =
		in->at.at < in->at.end && is_ascii_digit((unsigned char)*in->at.at);

	if (has_part && !section_part(in, section))
		return false;
	bool ends = cur_sees(in->at, ']');

	if (has_part && ends && in->at.at[-1] == '.')
		return imap_fail_here(in, "a wrong part number");
	if (!ends && is_binary)
		return imap_fail_here(in, "BINARY takes a part number only");
	/* After a part the "." is needed, which section_part() has taken. */
	if (!ends && has_part && in->at.at[-1] != '.')
		return imap_fail_here(in, "a wrong section");
	if (!ends && !section_text(in, section))
		return imap_fail_here(in, "a wrong section");
	return cur_byte(&in->at, ']') || imap_fail_here(in, "a section does not end");
}

/* partial = "<" number64 "." nz-number64 ">" */
static bool partial(struct imap_in *in, struct imap_section *section)
{
	if (!cur_byte(&in->at, '<'))
		return true;
	section->is_partial = true;
	if (imap_number(in, INT64_MAX, &section->offset) && cur_byte(&in->at, '.') &&
	    imap_number(in, INT64_MAX, &section->count) && section->count > 0 &&
	    cur_byte(&in->at, '>'))
		return true;
	return imap_fail_here(in, "a wrong partial, like <0.2048>,");
}

static const struct {
	struct str name;
	unsigned item;
} plain_items[] = {
	{STR("UID"), IMAP_FETCH_UID},
	{STR("FLAGS"), IMAP_FETCH_FLAGS},
	{STR("INTERNALDATE"), IMAP_FETCH_INTERNALDATE},
	{STR("RFC822.SIZE"), IMAP_FETCH_SIZE},
	{STR("ENVELOPE"), IMAP_FETCH_ENVELOPE},
	{STR("BODY"), IMAP_FETCH_BODY},
	{STR("BODYSTRUCTURE"), IMAP_FETCH_BODYSTRUCTURE},
	{STR("MODSEQ"), IMAP_FETCH_MODSEQ},
	{STR("SAVEDATE"), IMAP_FETCH_SAVEDATE},
	{STR("EMAILID"), IMAP_FETCH_EMAILID},
	{STR("THREADID"), IMAP_FETCH_THREADID},
	{STR("PREVIEW"), IMAP_FETCH_PREVIEW},
};

static const struct {
	struct str name;
	struct imap_section section;
	bool has_spec; /* "[...]" follows; then a partial may */
} section_items[] = {
	{STR("BODY"), {.kind = IMAP_SECTION_BODY}, true},
	{STR("BODY.PEEK"), {.kind = IMAP_SECTION_BODY, .is_peek = true}, true},
	{STR("BINARY"), {.kind = IMAP_SECTION_BINARY}, true},
	{STR("BINARY.PEEK"), {.kind = IMAP_SECTION_BINARY, .is_peek = true}, true},
	{STR("BINARY.SIZE"), {.kind = IMAP_SECTION_BINARY_SIZE, .is_peek = true}, true},
	{STR("RFC822"), {.kind = IMAP_SECTION_RFC822}, false},
	{STR("RFC822.HEADER"),
	 {.kind = IMAP_SECTION_RFC822_HEADER, .text = IMAP_TEXT_HEADER, .is_peek = true},
	 false},
	{STR("RFC822.TEXT"),
	 {.kind = IMAP_SECTION_RFC822_TEXT, .text = IMAP_TEXT_TEXT},
	 false},
};

static bool section_item(struct imap_in *in, struct str name, struct imap_fetch *fetch)
{
	for (size_t i = 0; i < COUNT_OF(section_items); i++) {
		struct imap_section *section = &fetch->sections[fetch->section_count];

		if (!str_same_nocase(name, section_items[i].name))
			continue;
		if (fetch->section_count == IMAP_FETCH_ITEMS_MAX)
			return imap_fail(in, "more than %d sections",
					 IMAP_FETCH_ITEMS_MAX);
		*section = section_items[i].section;
		if (section_items[i].has_spec && !imap_section(in, section))
			return false;
		if (section_items[i].has_spec &&
		    section->kind != IMAP_SECTION_BINARY_SIZE && !partial(in, section))
			return false;
		fetch->section_count++;
		return true;
	}
	return imap_fail(in, "unknown item \"%.*s\"", STR_FMT(str_first(name, 40)));
}

/* [SP "(" "LAZY" ")"] behind PREVIEW.  What is in the digest is there at once, so LAZY
 * makes no difference.  Other parentheses are the command's modifiers. */
static void preview_lazy(struct imap_in *in)
{
	struct imap_in at = *in;
	struct str name;

	if (imap_space(&at) && cur_byte(&at.at, '(') && imap_label(&at, &name) &&
	    str_same_nocase(name, STR("LAZY")) && cur_byte(&at.at, ')'))
		in->at = at.at;
}

static bool fetch_att(struct imap_in *in, struct imap_fetch *fetch)
{
	struct str name;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "an item is expected");
	for (size_t i = 0; i < COUNT_OF(plain_items) && !cur_sees(in->at, '['); i++) {
		if (!str_same_nocase(name, plain_items[i].name))
			continue;
		fetch->items |= plain_items[i].item;
		if (plain_items[i].item == IMAP_FETCH_PREVIEW)
			preview_lazy(in);
		return true;
	}
	return section_item(in, name, fetch);
}

/* "ALL" / "FULL" / "FAST", which stand alone. */
static bool macro(struct imap_in *in, unsigned *items)
{
	struct imap_in at = *in;
	struct str name;

	if (!imap_label(&at, &name))
		return false;
	if (str_same_nocase(name, STR("ALL")))
		*items = ALL;
	else if (str_same_nocase(name, STR("FULL")))
		*items = FULL;
	else if (str_same_nocase(name, STR("FAST")))
		*items = FAST;
	else
		return false;
	in->at = at.at;
	return true;
}

static bool modifier(struct imap_in *in, struct imap_fetch *fetch)
{
	struct str name;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "a modifier is expected");
	if (str_same_nocase(name, STR("VANISHED"))) {
		fetch->wants_vanished = true;
		return true;
	}
	if (str_same_nocase(name, STR("PARTIAL"))) {
		fetch->is_partial = true;
		return (imap_space(in) || imap_fail_here(in, "a range is expected")) &&
		       imap_partial(in, &fetch->partial);
	}
	if (!str_same_nocase(name, STR("CHANGEDSINCE")))
		return imap_fail(in, "unknown modifier \"%.*s\"",
				 STR_FMT(str_first(name, 40)));
	fetch->has_changed_since = true;
	fetch->items |= IMAP_FETCH_MODSEQ; /* RFC 7162 §3.1.4.1 */
	return (imap_space(in) && imap_number(in, INT64_MAX, &fetch->changed_since)) ||
	       imap_fail_here(in, "a mod-sequence is expected");
}

/* [SP "(" fetch-modifier *(SP fetch-modifier) ")"].  RFC 4466 §2.4. */
static bool modifiers(struct imap_in *in, struct imap_fetch *fetch)
{
	if (!imap_space(in))
		return true;
	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "modifiers in () are expected");
	do {
		if (!modifier(in, fetch))
			return false;
	} while (imap_space(in));
	if (!cur_byte(&in->at, ')'))
		return imap_fail_here(in, "the modifiers do not end");
	return !fetch->wants_vanished || fetch->has_changed_since ||
	       imap_fail(in, "VANISHED needs CHANGEDSINCE");
}

/* How many sections the list can hold, so that "FLAGS" takes little of the arena. */
static size_t sections_at_most(struct cursor at)
{
	size_t count = 1;

	for (; at.at < at.end && count < IMAP_FETCH_ITEMS_MAX; at.at++)
		count += *at.at == ' ';
	return count + 1;
}

/* An item or a list of them, or a macro. */
static bool items(struct imap_in *in, struct imap_fetch *fetch)
{
	bool is_list = cur_byte(&in->at, '(');

	if (!is_list && macro(in, &fetch->items))
		return true;
	do {
		if (!fetch_att(in, fetch))
			return false;
	} while (is_list && imap_space(in));
	return !is_list || cur_byte(&in->at, ')') ||
	       imap_fail_here(in, "the list of items does not end");
}

static bool sections_begin(struct imap_in *in, struct imap_fetch *fetch)
{
	fetch->sections =
		ARENA_ARRAY(in->arena, struct imap_section, sections_at_most(in->at));
	return fetch->sections || imap_fail(in, "too much in one command");
}

bool imap_fetch_list(struct imap_in *in, struct imap_fetch *fetch)
{
	struct imap_in at = *in;

	*fetch = (struct imap_fetch){0};
	if (!cur_sees(at.at, '('))
		return imap_fail_here(in, "items in () are expected");
	if (sections_begin(&at, fetch) && items(&at, fetch)) {
		*in = at;
		return true;
	}
	in->reason = at.reason;
	return false;
}

static bool section_copy(struct arena *arena, struct imap_section *section)
{
	uint32_t *part = ARENA_ARRAY(arena, uint32_t, section->part_count + 1);
	struct str *fields = ARENA_ARRAY(arena, struct str, section->field_count + 1);

	if (!part || !fields)
		return false;
	for (size_t i = 0; i < section->part_count; i++)
		part[i] = section->part[i];
	for (size_t i = 0; i < section->field_count; i++) {
		if (!arena_copy(arena, section->fields[i], &fields[i]))
			return false;
	}
	section->part = part;
	section->fields = fields;
	return true;
}

bool imap_fetch_copy(struct arena *arena, const struct imap_fetch *from,
		     struct imap_fetch *copy)
{
	*copy = (struct imap_fetch){.items = from->items};
	copy->sections = ARENA_ARRAY(arena, struct imap_section, from->section_count + 1);
	if (!copy->sections)
		return false;
	for (size_t i = 0; i < from->section_count; i++) {
		copy->sections[i] = from->sections[i];
		if (!section_copy(arena, &copy->sections[i]))
			return false;
	}
	copy->section_count = from->section_count;
	return true;
}

bool imap_fetch(struct imap_in *in, struct imap_fetch *fetch)
{
	struct imap_in at = *in;

	*fetch = (struct imap_fetch){0};
	if (!imap_sequence_set(&at, &fetch->set))
		goto out;
	if (!imap_space(&at)) {
		(void)imap_fail_here(&at, "items are expected");
		goto out;
	}
	if (sections_begin(&at, fetch) && items(&at, fetch) && modifiers(&at, fetch)) {
		*in = at;
		return true;
	}
out:
	in->reason = at.reason;
	return false;
}

static void part_write(struct buf *out, const struct imap_section *section)
{
	for (size_t i = 0; i < section->part_count; i++) {
		if (i > 0)
			buf_add_byte(out, '.');
		buf_add_u64(out, section->part[i]);
	}
	if (section->part_count > 0 && section->text != IMAP_TEXT_ALL)
		buf_add_byte(out, '.');
}

static void text_write(struct buf *out, const struct imap_section *section)
{
	switch (section->text) {
	case IMAP_TEXT_ALL:
		return;
	case IMAP_TEXT_HEADER:
		buf_add_c(out, "HEADER");
		return;
	case IMAP_TEXT_TEXT:
		buf_add_c(out, "TEXT");
		return;
	case IMAP_TEXT_MIME:
		buf_add_c(out, "MIME");
		return;
	case IMAP_TEXT_FIELDS:
		buf_add_c(out, "HEADER.FIELDS (");
		break;
	case IMAP_TEXT_FIELDS_NOT:
		buf_add_c(out, "HEADER.FIELDS.NOT (");
		break;
	}
	for (size_t i = 0; i < section->field_count; i++) {
		if (i > 0)
			buf_add_byte(out, ' ');
		imap_write_astring(out, section->fields[i]);
	}
	buf_add_byte(out, ')');
}

void imap_section_write(struct buf *out, const struct imap_section *section)
{
	static const char *const names[] = {
		[IMAP_SECTION_BODY] = "BODY[",
		[IMAP_SECTION_BINARY] = "BINARY[",
		[IMAP_SECTION_BINARY_SIZE] = "BINARY.SIZE[",
		[IMAP_SECTION_RFC822] = "RFC822",
		[IMAP_SECTION_RFC822_HEADER] = "RFC822.HEADER",
		[IMAP_SECTION_RFC822_TEXT] = "RFC822.TEXT",
	};

	buf_add_c(out, names[section->kind]);
	if (section->kind > IMAP_SECTION_BINARY_SIZE)
		return;
	part_write(out, section);
	text_write(out, section);
	buf_add_byte(out, ']');
	if (!section->is_partial)
		return;
	buf_add_byte(out, '<');
	buf_add_u64(out, section->offset);
	buf_add_byte(out, '>');
}
