#include "wire/mail/message_id.h"

#include "base/buf.h"
#include "base/test.h"

static const struct {
	struct str value, want;
	size_t max;
} cases[] = {
	{STR(" <a@b>"), STR("a@b|"), 5},
	{STR("<a@b>\r\n <c@d> <e@f>"), STR("a@b|c@d|e@f|"), 5},
	{STR("<a@b><c@d>,<e@f>"), STR("c@d|e@f|"), 2},
	{STR("Your message of Monday <a@b>"), STR("a@b|"), 5}, /* PHRASE */
	{STR("a@b"), STR("a@b|"), 5},                          /* NO_ANGLES */
	{STR("two words"), STR(""), 5},
	{STR("<a@\r\n b>"), STR("a@b|"), 5}, /* SPACE_INSIDE */
	{STR("<\"ab\"@c> <\"a b\"@c> <\"a>b\"@c>"), STR("ab@c|\"ab\"@c|\"a>b\"@c|"), 5},
	{STR("<> < > <a@b"), STR(""), 5},
	{STR("<<a@b>>"), STR("a@b|"), 5},
	{STR(""), STR(""), 5},
	{STR("<a@b>"), STR(""), 0},
};

TEST(identifiers_are_found_and_made_comparable)
{
	struct buf buf = BUF(1000);
	struct arena arena;

	arena_init(&arena, 10000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_ids ids =
			mail_ids_parse(&arena, cases[i].value, cases[i].max);

		buf_reset(&buf);
		for (size_t n = 0; n < ids.count; n++)
			buf_printf(&buf, "%.*s|", STR_FMT(ids.items[n]));
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	arena_fini(&arena);
	buf_fini(&buf);
}
