#include "wire/auth/sasl.h"

#include "base/utf8.h"

/* An exchange ends after two answers at most, and READY means two valid texts. */
static void play(struct str input, enum sasl_mechanism mechanism)
{
	SCOPED(sasl_fini) struct sasl_exchange x;
	struct str rest = input;

	sasl_init(&x, mechanism);
	enum sasl_state state = sasl_first(&x, str_cut(&rest, '\n'));

	for (int i = 0; i < 2 && state == SASL_ASK; i++)
		state = sasl_answer(&x, str_cut(&rest, '\n'));
	ASSERT(state != SASL_ASK);
	ASSERT(state != SASL_READY ||
	       (sasl_login_is_valid(x.name) && sasl_login_is_valid(x.password)));
}

/* Any octets: PLAIN's three parts with their NULs are the whole message; a line decodes
 * to no more than it had. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(buf_fini) struct buf out = BUF(SASL_TEXT_MAX);
	struct sasl_plain p;

	if (sasl_plain_parse(input, &p)) {
		ASSERT(p.authzid.len + p.authcid.len + p.password.len + 2 == len);
		ASSERT(utf8_valid(input) && p.authcid.len > 0 && p.password.len > 0);
	}
	if (sasl_line_decode(input, &out) == SASL_LINE_DATA)
		ASSERT(out.len <= len / 4 * 3);
	else
		ASSERT(out.len == 0);
	play(input, SASL_PLAIN);
	play(input, SASL_LOGIN);
	if (sasl_mechanism_find(input) != SASL_OTHER)
		ASSERT(len == 5 || str_starts_nocase(input, STR("SCRAM-SHA-256")));
	return 0;
}
