#include "wire/mail/redact.h"

#include "wire/mail/header.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

/* In front of each "@" there are nothing but our letters, unless there is nothing. */
static void check_value(struct str value)
{
	for (size_t at = 0; at < value.len; at++) {
		size_t letters = 0;

		if (value.ptr[at] != '@')
			continue;
		while (letters < at && is_letter(value.ptr[at - letters - 1]))
			letters++;
		if (letters >= MAIL_REDACTED_LETTERS || letters == at)
			continue;
		ASSERT(letters == 0 && strchr(" <>()[],;:\"\\@=?", value.ptr[at - 1]));
	}
}

static void check_line(struct str line)
{
	ASSERT(str_ends(line, STR("\r")) && line.len < 998);
	for (size_t i = 0; i + 1 < line.len; i++)
		ASSERT(line.ptr[i] >= ' ' && line.ptr[i] < 127);
}

/* Any octets: printable lines, the names of the fields, and nobody's local part. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hash_key key = {{3, 4}};
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(32 * 1024);

	arena_init(&arena, 1 << 20);
	mail_redact((struct str){(const char *)data, len}, key, &arena, &out);
	ASSERT(buf_ok(&out));
	struct str rest = buf_str(&out);
	struct mail_fields fields = mail_fields_over(rest);
	struct mail_field field;
	size_t count = 0;

	while (rest.len > 0)
		check_line(str_cut(&rest, '\n'));
	while (mail_fields_next(&fields, &field)) {
		count++;
		if (!str_same_nocase(field.name, STR("Message-ID")) &&
		    !str_same_nocase(field.name, STR("Date")) &&
		    !str_same_nocase(field.name, STR("MIME-Version")) &&
		    !str_same_nocase(field.name, STR("Auto-Submitted")) &&
		    !str_same_nocase(field.name, STR("Precedence")) &&
		    !str_starts_nocase(field.name, STR("Content-")))
			check_value(field.value);
	}
	ASSERT(count <= MAIL_REDACTED_FIELDS_MAX);
	return 0;
}
