#include "wire/smtp/param.h"

#include "base/utf8.h"

static void check_text(struct str text)
{
	ASSERT(utf8_valid(text));
	for (size_t i = 0; i < text.len; i++)
		ASSERT((unsigned char)text.ptr[i] >= 32 && text.ptr[i] != 127);
}

/* Any octets: decoded values are text without controls; xtext goes there and back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	struct cursor c = cur_over(input);
	struct arena arena;
	struct smtp_mail_params mail;
	struct smtp_rcpt_params rcpt;
	SCOPED(buf_fini) struct buf coded = BUF(4 * len + 16);
	SCOPED(buf_fini) struct buf plain = BUF(4 * len + 16);

	arena_init(&arena, 4096);
	if (smtp_mail_params_parse(&c, &arena, &mail) == SMTP_FAULT_NONE) {
		ASSERT(cur_done(c));
		check_text(mail.auth);
		check_text(mail.envid);
		ASSERT(mail.priority >= -9 && mail.priority <= 9);
		ASSERT(!(mail.given & SMTP_PARAM_HOLDFOR) || mail.hold_s > 0);
	}
	c = cur_over(input);
	if (smtp_rcpt_params_parse(&c, &arena, &rcpt) == SMTP_FAULT_NONE) {
		check_text(rcpt.orcpt);
		ASSERT(!(rcpt.given & SMTP_PARAM_NOTIFY) || rcpt.notify != 0);
	}
	smtp_xtext_add(&coded, input);
	if (smtp_xtext_decode(buf_str(&coded), &plain))
		ASSERT(str_same(buf_str(&plain), input));
	arena_fini(&arena);
	return 0;
}
