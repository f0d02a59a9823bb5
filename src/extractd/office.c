#include "extractd/office.h"

#include <zlib.h>

#include "base/num.h"
#include "extractd/xml_text.h"
#include "wire/mail/zip.h"

enum { RAW = -15 /* windowBits of deflate without a head */, PIECE = 32 * 1024 };

/* Which files of the archive have text that people see. */
static const struct {
	const char *start;
	enum xml_text_kind kind;
} places[] = {
	{"word/document", XML_OOXML},     {"word/header", XML_OOXML},
	{"word/footer", XML_OOXML},       {"word/footnotes", XML_OOXML},
	{"word/endnotes", XML_OOXML},     {"word/comments", XML_OOXML},
	{"xl/sharedStrings", XML_OOXML},  {"xl/worksheets/", XML_OOXML},
	{"xl/comments", XML_OOXML},       {"ppt/slides/slide", XML_OOXML},
	{"ppt/notesSlides/", XML_OOXML},  {"content.xml", XML_OPENDOCUMENT},
	{"styles.xml", XML_OPENDOCUMENT},
};

struct reading {
	struct xml_text *xml;
	size_t *left; /* octets that may still be looked at */
};

/* False: it goes no further. */
static bool feed(struct reading *r, struct str plain)
{
	plain = str_first(plain, *r->left);
	*r->left -= plain.len;
	return xml_text_feed(r->xml, plain) && *r->left > 0;
}

/* In pieces, so that what becomes huge is never held. */
static void inflate_into(struct reading *r, struct str packed)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr,
		      .avail_in = (uInt)packed.len};
	int state = inflateInit2(&z, RAW);
	char room[PIECE];
	bool goes_on = state == Z_OK;

	while (goes_on) {
		z.next_out = (Bytef *)room;
		z.avail_out = sizeof room;
		state = inflate(&z, Z_NO_FLUSH);
		goes_on = feed(r, (struct str){room, sizeof room - z.avail_out}) &&
			  state == Z_OK;
	}
	(void)inflateEnd(&z); /* it only frees */
}

static void read_member(const struct zip_member *member, enum xml_text_kind kind,
			size_t *left, struct buf *text)
{
	struct reading r = {xml_text_new(kind, text), left};

	if (member->method == ZIP_STORED)
		(void)feed(&r, member->packed);
	else
		inflate_into(&r, member->packed);
	xml_text_free(&r.xml);
}

enum extract_outcome office_add_text(struct str archive, struct buf *text)
{
	size_t left = OFFICE_PLAIN_MAX;
	struct zip_member member;
	struct zip_walk walk;
	bool is_one = false;

	if (!zip_walk_over(archive, &walk))
		return EXTRACT_NONE;
	while (left > 0 && buf_ok(text) && zip_next(&walk, &member)) {
		for (size_t i = 0; i < COUNT_OF(places); i++) {
			if (!str_starts(member.name, str_c(places[i].start)) ||
			    !str_ends(member.name, STR(".xml")))
				continue;
			is_one = true;
			read_member(&member, places[i].kind, &left, text);
			break;
		}
	}
	return is_one ? EXTRACT_TEXT : EXTRACT_NONE;
}
