#include "wire/pop3/command.h"

/* Any octets: the slices lie inside, and without a fault each verb has what it needs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str line = {(const char *)data, len};
	struct pop3_command c;
	enum pop3_fault fault = pop3_command_parse(line, &c);

	ASSERT(c.argument.len == 0 ||
	       (c.argument.ptr > line.ptr &&
		c.argument.ptr + c.argument.len <= line.ptr + len));
	if (fault == POP3_FAULT_NONE) {
		ASSERT(c.verb != POP3_OTHER);
		ASSERT((c.verb != POP3_RETR && c.verb != POP3_TOP &&
			c.verb != POP3_DELE) ||
		       c.message > 0);
		ASSERT(c.verb != POP3_PASS || c.argument.len > 0);
		ASSERT(c.verb == POP3_AUTH || len <= POP3_LINE_MAX - 2);
	}
	return 0;
}
