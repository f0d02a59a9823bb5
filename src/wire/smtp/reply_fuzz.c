#include "wire/smtp/reply.h"

/* Lines of any octets are read within the bounds; what we write of any text, we read as
 * one whole reply with that code. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len}, rest = input;
	SCOPED(buf_fini) struct buf text = BUF(1000);
	SCOPED(buf_fini) struct buf out = BUF(20 * len + 100);
	struct smtp_reply reply = {0};

	while (rest.len > 0 && !reply.is_whole)
		if (smtp_reply_line(&reply, str_cut(&rest, '\n'), &text) != SMTP_REPLY_OK)
			break;
	ASSERT(reply.lines <= SMTP_REPLY_LINES_MAX && text.len <= 1000);
	ASSERT(reply.code == 0 || (reply.code >= 200 && reply.code <= 599));

	smtp_reply_add(&out, 451, "4.3.0", input);
	ASSERT(buf_ok(&out));
	reply = (struct smtp_reply){0};
	rest = buf_str(&out);
	while (rest.len > 0 && reply.lines < SMTP_REPLY_LINES_MAX) {
		size_t end = str_find(rest, STR("\r\n"));

		ASSERT(end < rest.len && end <= SMTP_REPLY_LINE_MAX - 2);
		ASSERT(smtp_reply_line(&reply, str_first(rest, end), &text) ==
		       SMTP_REPLY_OK);
		rest = str_skip(rest, end + 2);
		ASSERT(reply.is_whole == (rest.len == 0));
		ASSERT(reply.code == 451 && reply.enhanced.class == 4);
	}
	return 0;
}
