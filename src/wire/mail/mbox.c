#include "wire/mail/mbox.h"

#include "base/civil.h"
#include "base/num.h"
#include "wire/mail/date.h"
#include "wire/mail/header.h"

enum { SENDER_MAX = 320 };

static bool is_digit(struct str s, size_t at)
{
	return at < s.len && is_ascii_digit((unsigned char)s.ptr[at]);
}

/* "h:mm" somewhere, and four digits that are a year. */
static bool shows_moment(struct str text)
{
	bool has_time = false, has_year = false;

	for (size_t i = 0; i < text.len; i++) {
		has_time |= text.ptr[i] == ':' && i > 0 && is_digit(text, i - 1) &&
			    is_digit(text, i + 1) && is_digit(text, i + 2);
		has_year |= is_digit(text, i) && is_digit(text, i + 1) &&
			    is_digit(text, i + 2) && is_digit(text, i + 3) &&
			    (i == 0 || text.ptr[i - 1] == ' ');
	}
	return has_time && has_year;
}

bool mbox_from_line(struct str line, struct mbox_from *from)
{
	struct mail_date date;

	if (!str_starts(line, STR("From ")))
		return false;
	line = str_trim(str_skip(line, 5));
	/* UUCP: "remote from host" */
	line = str_first(line, str_find(line, STR(" remote from ")));
	if (line.len > 2 * SENDER_MAX || !shows_moment(line))
		return false;
	*from = (struct mbox_from){.sender = str_cut(&line, ' ')};
	line = str_trim(line);
	from->has_date = mail_date_parse(line, &date);
	if (from->has_date) {
		from->at_s = date.unix_s;
		from->zone_minutes = date.zone_minutes;
	}
	return true;
}

size_t mbox_quotes(struct str line)
{
	size_t count = 0;

	while (count < line.len && line.ptr[count] == '>')
		count++;
	return str_starts(str_skip(line, count), STR("From ")) ? count : 0;
}

void mbox_from_add(struct buf *out, struct str sender, int64_t at_s)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil at = civil_from_unix(at_s, 0);
	bool is_plain = sender.len > 0 && sender.len <= SENDER_MAX;

	for (size_t i = 0; i < sender.len && is_plain; i++)
		is_plain = sender.ptr[i] > 32 && sender.ptr[i] != 127;
	if (!is_plain)
		sender = STR("MAILER-DAEMON");
	buf_printf(out, "From %.*s %.3s %.3s %2d %02d:%02d:%02d %04d\n", STR_FMT(sender),
		   days + 3 * at.weekday, months + 3 * (at.month - 1), at.day, at.hour,
		   at.minute, at.second, at.year);
}

/* ---- notes ------------------------------------------------------------------------- */

/* Letters and what they mean; 0: they mean nothing to us. */
static bool letters(struct str value, const char *known, const unsigned *meanings,
		    unsigned *flags)
{
	unsigned found = 0;

	if (value.len > 8)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		const char *at = value.ptr[i] ? strchr(known, value.ptr[i]) : NULL;

		if (!at)
			return false;
		found |= meanings[at - known];
	}
	*flags |= found;
	return true;
}

static bool read_status(struct str value, struct mbox_notes *notes)
{
	static const unsigned meanings[] = {MBOX_SEEN, 0, 0, MBOX_DELETED};

	return letters(value, "ROUD", meanings, &notes->flags);
}

static bool read_x_status(struct str value, struct mbox_notes *notes)
{
	static const unsigned meanings[] = {MBOX_ANSWERED, MBOX_FLAGGED, MBOX_DRAFT,
					    MBOX_DELETED, 0};

	return letters(value, "AFTDN", meanings, &notes->flags);
}

static bool read_keywords(struct str value, struct mbox_notes *notes)
{
	while (value.len > 0) {
		size_t end = 0;

		while (end < value.len && !memchr(" \t\r\n", value.ptr[end], 4))
			end++;
		if (end > 0 && notes->keyword_count < MBOX_KEYWORDS_MAX)
			notes->keywords[notes->keyword_count++] = str_first(value, end);
		value = str_skip(value, end + 1);
	}
	return true;
}

static bool read_numbers(struct str value, struct mbox_notes *notes)
{
	(void)notes;
	for (size_t i = 0; i < value.len; i++)
		if (!is_digit(value, i) && value.ptr[i] != ' ')
			return false;
	return true;
}

/* "last-UID UIDVALIDITY keyword ...", as c-client writes it into its first message. */
static bool read_base(struct str value, struct mbox_notes *notes)
{
	(void)notes;
	return is_digit(value, 0);
}

static bool read_hex(struct str value, uint32_t *number)
{
	*number = 0;
	for (size_t i = 0; i < value.len; i++) {
		int digit = num_hex(value.ptr[i]);

		if (digit < 0 || value.len > 8)
			return false;
		*number = *number << 4 | (uint32_t)digit;
	}
	return value.len > 0;
}

static bool read_mozilla(struct str value, struct mbox_notes *notes)
{
	static const struct {
		uint32_t bit;
		unsigned flag;
	} bits[] = {{0x0001, MBOX_SEEN},
		    {0x0002, MBOX_ANSWERED},
		    {0x0004, MBOX_FLAGGED},
		    {0x0008, MBOX_EXPUNGED},
		    {0x1000, MBOX_FORWARDED}};
	uint32_t number;

	if (!read_hex(value, &number))
		return false;
	for (size_t i = 0; i < COUNT_OF(bits); i++)
		notes->flags |= number & bits[i].bit ? bits[i].flag : 0;
	return true;
}

static bool read_mozilla2(struct str value, struct mbox_notes *notes)
{
	uint32_t ignored;

	(void)notes;
	return read_hex(value, &ignored);
}

/* True if the field was a note. */
static bool read_note(const struct mail_field *field, struct mbox_notes *notes)
{
	static const struct {
		struct str name;
		bool (*read)(struct str value, struct mbox_notes *notes);
	} fields[] = {
		{STR("Status"), read_status},
		{STR("X-Status"), read_x_status},
		{STR("X-Keywords"), read_keywords},
		{STR("X-UID"), read_numbers},
		{STR("X-IMAP"), read_base},
		{STR("X-IMAPbase"), read_base},
		{STR("X-Mozilla-Status"), read_mozilla},
		{STR("X-Mozilla-Status2"), read_mozilla2},
		{STR("X-Mozilla-Keys"), read_keywords},
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (str_same_nocase(field->name, fields[i].name))
			return fields[i].read(str_trim(field->value), notes);
	return false;
}

void mbox_take_notes(struct str message, struct buf *out, struct mbox_notes *notes)
{
	struct mail_fields walk = mail_fields_of_part(message);
	struct mail_field field;
	size_t done = 0;

	*notes = (struct mbox_notes){0};
	while (mail_fields_next(&walk, &field)) {
		if (!read_note(&field, notes))
			continue;
		buf_add(out, str_first(str_skip(message, done), field.at - done));
		done = field.at + field.len;
	}
	buf_add(out, str_skip(message, done));
}
