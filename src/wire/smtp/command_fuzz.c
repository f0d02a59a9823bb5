#include "wire/smtp/command.h"

static void check_inside(struct str outer, struct str inner)
{
	ASSERT(inner.len == 0 || (inner.ptr >= outer.ptr &&
				  inner.ptr + inner.len <= outer.ptr + outer.len));
}

/* Any octets: the slices lie inside, the same line parses to the same, and without a
 * fault each verb has what it needs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str line = {(const char *)data, len};
	struct smtp_command c, again;
	struct arena arena;

	arena_init(&arena, 8192);
	enum smtp_fault fault = smtp_command_parse(line, &arena, &c);

	ASSERT(fault == smtp_command_parse(line, &arena, &again) && c.verb == again.verb);
	check_inside(line, c.word);
	check_inside(line, c.argument);
	check_inside(line, c.path.local);
	check_inside(line, c.path.domain);
	if (fault == SMTP_FAULT_NONE) {
		ASSERT(c.verb != SMTP_OTHER);
		ASSERT(c.verb != SMTP_RCPT || c.path.local.len > 0);
		ASSERT(c.verb != SMTP_AUTH || c.auth.mechanism.len > 0);
		ASSERT(c.verb != SMTP_EHLO || c.argument.len > 0);
		ASSERT(len < SMTP_LINE_MAX || c.verb == SMTP_AUTH ||
		       line.ptr[len - 1] == ' ' || line.ptr[len - 1] == '\t');
	}
	arena_fini(&arena);
	return 0;
}
