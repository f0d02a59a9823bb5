#include "ctl/letter.h"

#include "wire/mail/address.h"
#include "wire/mail/date.h"
#include "wire/mail/header.h"
#include "wire/smtp/path.h"

/* ---- lines ------------------------------------------------------------------------- */

static void add_without_nul(struct buf *out, struct str line)
{
	while (line.len > 0) {
		size_t nul = str_find_byte(line, 0);

		buf_add(out, str_first(line, nul));
		line = str_skip(line, nul + 1);
	}
}

void letter_lines_add(struct buf *out, struct str raw, bool dots_count)
{
	while (raw.len > 0) {
		struct str line = str_cut(&raw, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (!dots_count && str_same(line, STR(".")))
			return;
		/* A CR of its own ends a line too: nobody may send one. */
		do {
			add_without_nul(out, str_cut(&line, '\r'));
			buf_add(out, STR("\r\n"));
		} while (line.len > 0);
	}
}

/* ---- the header -------------------------------------------------------------------- */

static bool is_named(const struct mail_field *field, const char *name)
{
	return str_same_nocase(field->name, str_c(name));
}

void letter_add(struct buf *out, struct str lines, const struct letter_header *header)
{
	if (str_starts(lines, STR("From "))) /* as mbox files have it */
		(void)str_cut(&lines, '\n');
	struct mail_fields fields = mail_fields_over(lines);
	struct mail_field field;
	bool has_from = false, has_date = false, has_id = false;

	while (mail_fields_next(&fields, &field)) {
		has_from |= is_named(&field, "From");
		has_date |= is_named(&field, "Date");
		has_id |= is_named(&field, "Message-ID");
		if (!is_named(&field, "Bcc") && !is_named(&field, "Resent-Bcc"))
			buf_add(out, str_first(str_skip(lines, field.at), field.len));
	}
	if (!has_from)
		buf_printf(out, "From: %.*s\r\n", STR_FMT(header->from));
	if (!has_date) {
		buf_add(out, STR("Date: "));
		mail_date_add(out, header->now, 0);
		buf_add(out, STR("\r\n"));
	}
	if (!has_id)
		buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(header->id),
			   STR_FMT(header->domain));
	buf_add(out, STR("\r\n"));
	buf_add(out, str_skip(lines, fields.at));
}

/* ---- recipients -------------------------------------------------------------------- */

static bool add_address(const struct mail_address *address, struct str domain,
			struct arena *arena, struct str *whole)
{
	struct buf buf = BUF(4 * SMTP_PATH_MAX);
	struct smtp_path path;

	mail_local_add(&buf, address->local);
	buf_add_byte(&buf, '@');
	buf_add(&buf, address->domain.len > 0 ? address->domain : domain);
	bool is_good = buf_ok(&buf) && address->local.len > 0 &&
		       smtp_mailbox_parse(buf_str(&buf), SMTP_UTF8, &path) &&
		       arena_copy(arena, buf_str(&buf), whole);

	buf_fini(&buf);
	return is_good;
}

bool letter_addresses(struct str value, struct str domain, struct arena *arena,
		      struct str *list, size_t *count, struct str *bad)
{
	struct mail_addresses found =
		mail_addresses_parse(arena, value, LETTER_RECIPIENTS_MAX);

	*bad = value;
	for (size_t i = 0; i < found.count; i++) {
		if (found.items[i].kind != MAIL_MAILBOX)
			continue;
		if (*count == LETTER_RECIPIENTS_MAX ||
		    !add_address(&found.items[i], domain, arena, &list[*count]))
			return false;
		++*count;
	}
	return !found.is_cut;
}

bool letter_recipients(struct str lines, struct str domain, struct arena *arena,
		       struct str *list, size_t *count, struct str *bad)
{
	static const char *const names[2][3] = {{"To", "Cc", "Bcc"},
						{"Resent-To", "Resent-Cc", "Resent-Bcc"}};
	struct mail_field field;
	bool is_resent = false;

	for (struct mail_fields f = mail_fields_over(lines);
	     mail_fields_next(&f, &field);)
		for (size_t i = 0; i < 3; i++)
			is_resent |= is_named(&field, names[1][i]);
	for (struct mail_fields f = mail_fields_over(lines);
	     mail_fields_next(&f, &field);) {
		bool is_wanted = false;

		for (size_t i = 0; i < 3; i++)
			is_wanted |= is_named(&field, names[is_resent][i]);
		if (is_wanted &&
		    !letter_addresses(field.value, domain, arena, list, count, bad))
			return false;
	}
	return true;
}
