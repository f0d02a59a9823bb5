#include "wire/mail/mime.h"

#include "wire/mail/envelope.h"
#include "wire/mail/header.h"

/* A part whose end is not reached yet. */
struct open_part {
	struct mime_part *part;
	struct str boundary; /* "" if nothing is delimited, or no more */
	size_t first_line;   /* the number of the line its body begins with */
};

/* The first octets of a boundary as a number, and which of its bits count, so that all
 * open boundaries are compared with a line in a few instructions each. */
struct front {
	uint64_t octets, mask; /* no line has both 1 and 0 */
};

struct scan {
	struct arena *arena;
	struct str text;
	size_t at, line; /* where we are, at the start of a line, and its number */
	struct mime found;
	size_t parts_max, depth_max;
	size_t depth; /* of open parts */
	struct open_part *open;
	struct front *fronts; /* of the open parts' boundaries */
	bool is_over; /* a bound was reached; the rest belongs to the open parts */
};

struct delimiter {
	size_t level; /* of the open multipart it belongs to */
	bool is_close;
};

bool mime_is(const struct mime_part *part, const char *type, const char *subtype)
{
	return str_same_nocase(part->type, str_c(type)) &&
	       str_same_nocase(part->subtype, str_c(subtype));
}

struct mime_part *mime_next(struct mime_part *part)
{
	if (part->first)
		return part->first;
	while (part && !part->next)
		part = part->parent;
	return part ? part->next : NULL;
}

static size_t next_line(const struct scan *s, size_t at)
{
	const char *lf = memchr(s->text.ptr + at, '\n', s->text.len - at);

	return lf ? (size_t)(lf - s->text.ptr) + 1 : s->text.len;
}

static void pass_line(struct scan *s)
{
	s->at = next_line(s, s->at);
	s->line += s->text.ptr[s->at - 1] == '\n';
}

/* What may follow a boundary on its line: nothing, or space and then anything.  RFC 2046
 * §5.1.1 wants more to be taken, but then "--b2" would end a part of "--b". */
static bool is_padding(struct str rest)
{
	return rest.len == 0 || rest.ptr[0] == ' ' || rest.ptr[0] == '\t' ||
	       rest.ptr[0] == '\r' || rest.ptr[0] == '\n';
}

static uint64_t octets_of(struct str text)
{
	uint64_t octets = 0;

	if (text.len >= sizeof octets)
		memcpy(&octets, text.ptr, sizeof octets);
	else if (text.len > 0)
		memcpy(&octets, text.ptr, text.len);
	return octets;
}

static struct front front_of(struct str boundary)
{
	uint64_t mask = 0;

	if (boundary.len == 0)
		return (struct front){1, 0};
	memset(&mask, 0xff, boundary.len < sizeof mask ? boundary.len : sizeof mask);
	return (struct front){octets_of(boundary), mask};
}

static void set_boundary(struct scan *s, size_t level, struct str boundary)
{
	s->open[level].boundary = boundary;
	s->fronts[level] = front_of(boundary);
}

/* True if the line, without its "--", is the boundary's. */
static bool is_delimiter(struct str line, struct str boundary, bool *is_close)
{
	if (boundary.len == 0 || !str_starts(line, boundary))
		return false;
	struct str rest = str_skip(line, boundary.len);

	*is_close = str_starts(rest, STR("--"));
	return is_padding(str_skip(rest, *is_close ? 2 : 0));
}

/* True if the line at s->at ends one of the open parts; the innermost that fits.  RFC
 * 2046 §5.1.1. */
static bool delimiter_at(const struct scan *s, size_t at, struct delimiter *found)
{
	const char *p = s->text.ptr + at;

	if (s->text.len - at < 3 || p[0] != '-' || p[1] != '-')
		return false;
	struct str line = {p + 2, next_line(s, at) - at - 2};

	uint64_t octets = octets_of(line);

	for (size_t level = s->depth; level-- > 0;) {
		bool may_be = (octets & s->fronts[level].mask) == s->fronts[level].octets;

		if (!may_be ||
		    !is_delimiter(line, s->open[level].boundary, &found->is_close))
			continue;
		found->level = level;
		return true;
	}
	return false;
}

/* The value on one line; "" at the arena's bound.  The first field of a name counts. */
static void set_text(struct scan *s, struct str *to, struct str value)
{
	if (to->len == 0 && !mail_unfold(s->arena, value, to))
		s->found.is_cut = true;
}

/* Takes what the field says of the part, if its name begins with "Content-". */
static void on_field(struct scan *s, struct mime_part *part, struct mail_field field)
{
	struct str name = field.name;
	struct mail_content_type type;

	if (!str_starts_nocase(name, STR("content-")))
		return;
	name = str_skip(name, 8);
	if (str_same_nocase(name, STR("type"))) {
		if (part->type.len > 0 ||
		    !mail_content_type_parse(s->arena, field.value, &type))
			return;
		part->type = type.type;
		part->subtype = type.subtype;
		part->params = type.params;
	} else if (str_same_nocase(name, STR("transfer-encoding"))) {
		set_text(s, &part->encoding, field.value);
	} else if (str_same_nocase(name, STR("disposition"))) {
		if (part->disposition.type.len == 0)
			(void)mail_disposition_parse(s->arena, field.value,
						     &part->disposition); /* or none */
	} else if (str_same_nocase(name, STR("id"))) {
		set_text(s, &part->id, field.value);
	} else if (str_same_nocase(name, STR("description"))) {
		set_text(s, &part->description, field.value);
	} else if (str_same_nocase(name, STR("language"))) {
		set_text(s, &part->language, field.value);
	} else if (str_same_nocase(name, STR("location"))) {
		set_text(s, &part->location, field.value);
	} else if (str_same_nocase(name, STR("md5"))) {
		set_text(s, &part->md5, field.value);
	}
}

/* The header at s->at; moves to the body.  A delimiter ends it too. */
static void header(struct scan *s, struct mime_part *part)
{
	struct str rest = str_skip(s->text, s->at);
	bool is_message = !part->parent || part->parent->kind == MIME_MESSAGE;
	struct mail_fields walk =
		is_message ? mail_fields_over(rest) : mail_fields_of_part(rest);
	struct mail_field field;
	struct delimiter delimiter;
	size_t end;

	for (;;) {
		bool more = mail_fields_next(&walk, &field);

		end = s->at + (more ? field.at : walk.at);
		if (!more || delimiter_at(s, end, &delimiter))
			break;
		on_field(s, part, field);
	}
	part->header_at = s->at;
	part->header_len = end - s->at;
	while (s->at < end)
		pass_line(s);
	part->body_at = s->at;
}

/* What a part is that does not say it.  RFC 2045 §5.2, RFC 2046 §5.1.5. */
static void set_default_type(struct mime_part *part)
{
	bool in_digest = part->parent && mime_is(part->parent, "multipart", "digest");

	if (part->type.len > 0)
		return;
	part->type = in_digest ? STR("message") : STR("text");
	part->subtype = in_digest ? STR("rfc822") : STR("plain");
}

static enum mime_kind kind_of(const struct mime_part *part)
{
	if (str_same_nocase(part->type, STR("multipart")))
		return MIME_MULTIPART;
	/* RFC 2046 §5.2.1, RFC 6532 §3.7: the message is not there as such if encoded. */
	if ((mime_is(part, "message", "rfc822") || mime_is(part, "message", "global")) &&
	    part->transfer <= MAIL_TRANSFER_BINARY)
		return MIME_MESSAGE;
	return MIME_LEAF;
}

static struct str boundary_of(struct scan *s, const struct mime_part *part)
{
	struct str boundary, charset;

	if (part->kind != MIME_MULTIPART ||
	    !mail_param_find(s->arena, &part->params, STR("boundary"), &boundary,
			     &charset))
		return STR("");
	return boundary;
}

static void reach_bound(struct scan *s, struct mime_part *part)
{
	part->is_opaque = true;
	s->found.is_cut = true;
}

/* The part that begins at s->at, its header read. */
static struct mime_part *part_new(struct scan *s)
{
	struct mime_part *parent = s->depth > 0 ? s->open[s->depth - 1].part : NULL;
	struct mime_part *part = ARENA_NEW(s->arena, struct mime_part);

	if (!part)
		return NULL;
	part->parent = parent;
	s->found.part_count++;
	if (!parent) {
		s->found.root = part;
	} else {
		if (parent->last)
			parent->last->next = part;
		else
			parent->first = part;
		parent->last = part;
		parent->child_count++;
	}
	header(s, part);
	set_default_type(part);
	part->transfer = mail_transfer_of(part->encoding);
	part->kind = kind_of(part);
	return part;
}

/* Opens the part at s->at, and, as long as these are messages, the one inside it. */
static void begin(struct scan *s)
{
	struct mime_part *part;

	do {
		part = part_new(s);
		if (!part) {
			s->is_over = true;
			s->found.is_cut = true;
			if (s->depth > 0)
				reach_bound(s, s->open[s->depth - 1].part);
			return;
		}
		bool is_deep = s->depth + 1 >= s->depth_max;

		if (is_deep && part->kind != MIME_LEAF) {
			part->kind = MIME_LEAF;
			reach_bound(s, part);
		}
		s->open[s->depth] =
			(struct open_part){.part = part, .first_line = s->line};
		set_boundary(s, s->depth++, boundary_of(s, part));
		if (s->found.part_count >= s->parts_max) { /* this one takes the rest */
			s->is_over = true;
			part->kind = MIME_LEAF;
			reach_bound(s, part);
		}
	} while (part->kind == MIME_MESSAGE);
}

/* Ends the open parts beyond the first keep: their bodies stop at end, which is where
 * line number line begins or, without its line end, ended. */
static void close_parts(struct scan *s, size_t keep, size_t end, size_t line)
{
	while (s->depth > keep) {
		struct open_part *open = &s->open[--s->depth];
		struct mime_part *part = open->part;

		if (end > part->body_at)
			part->body_len = end - part->body_at;
		if (line > open->first_line)
			part->lines = line - open->first_line;
	}
}

/* The line end before a delimiter belongs to it.  RFC 2046 §5.1.1. */
static size_t line_end_before(struct str text, size_t at)
{
	if (at == 0 || text.ptr[at - 1] != '\n')
		return 0;
	return at > 1 && text.ptr[at - 2] == '\r' ? 2 : 1;
}

struct mime mime_parse_within(struct arena *arena, struct str text, size_t parts_max,
			      size_t depth_max)
{
	struct scan s = {.arena = arena, .text = text, .parts_max = parts_max};
	struct delimiter found;

	ASSERT(parts_max > 0 && depth_max > 0);
	s.depth_max = depth_max;
	s.open = ARENA_ARRAY(arena, struct open_part, depth_max);
	s.fronts = ARENA_ARRAY(arena, struct front, depth_max);
	s.found.is_cut = !s.open || !s.fronts;
	if (s.found.is_cut)
		return s.found;
	begin(&s);
	while (s.at < text.len) {
		if (text.ptr[s.at] != '-' || s.is_over ||
		    !delimiter_at(&s, s.at, &found)) {
			pass_line(&s);
			continue;
		}
		size_t strip = line_end_before(text, s.at);

		close_parts(&s, found.level + 1, s.at - strip, s.line - (strip > 0));
		pass_line(&s);
		if (found.is_close)
			set_boundary(&s, found.level, STR(""));
		else
			begin(&s);
	}
	close_parts(&s, 0, text.len, s.line);
	return s.found;
}

struct mime mime_parse(struct arena *arena, struct str text)
{
	return mime_parse_within(arena, text, MIME_PARTS_MAX, MIME_DEPTH_MAX);
}

void mime_read_envelopes(struct arena *arena, struct str text, struct mime_part *root,
			 size_t addresses_max)
{
	for (struct mime_part *part = root; part; part = mime_next(part)) {
		if (part->kind != MIME_MESSAGE || !part->first)
			continue;
		struct str header = {text.ptr + part->first->header_at,
				     part->first->header_len};

		part->envelope = ARENA_NEW(arena, struct mail_envelope);
		if (part->envelope)
			mail_envelope_parse(arena, header, addresses_max, part->envelope);
	}
}
