#include "wire/smtp/limits.h"

#include "base/test.h"

TEST(reads_the_limits_of_servers)
{
	static const struct {
		struct str text;
		uint32_t mail_max, rcpt_max, domain_max;
	} cases[] = {
		{STR("RCPTMAX=20 MAILMAX=5"), 5, 20, 0}, /* RFC 9422 §5 */
		{STR("rcptmax=1"), 0, 1, 0},
		{STR("MAILMAX=999999"), 999999, 0, 0},
		{STR("RCPTDOMAINMAX=1 X-9_a=!~ MAILMAX=2 FLAG"), 2, 0, 1},
		{STR("RCPTDOMAINMAX=0 RCPTMAX=3"), 0, 3, 0},
		{STR("MAILMAX=5 MAILMAX=6"), 6, 0, 0},
		/* A value that is none, and the limit was not said. */
		{STR("MAILMAX=0 RCPTMAX=3"), 0, 3, 0},
		{STR("MAILMAX=05 RCPTMAX=3"), 0, 3, 0},
		{STR("MAILMAX=1000000 RCPTMAX=3"), 0, 3, 0},
		{STR("MAILMAX=many RCPTMAX=3"), 0, 3, 0},
		{STR("MAILMAX RCPTMAX=3"), 0, 3, 0},
		/* No grammar, and nothing was said. */
		{STR(""), 0, 0, 0},
		{STR("MAILMAX=5  RCPTMAX=3"), 0, 0, 0},
		{STR(" MAILMAX=5"), 0, 0, 0},
		{STR("MAILMAX=5 "), 0, 0, 0},
		{STR("MAILMAX= RCPTMAX=3"), 0, 0, 0},
		{STR("RCPTMAX=3 X=a;b"), 0, 0, 0},
		{STR("RCPTMAX=3 =5"), 0, 0, 0},
		{STR("RCPTMAX=3 X!=5"), 0, 0, 0},
		{STR("RCPTMAX=3 X=\x7f"), 0, 0, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct smtp_limits limits = {7, 7, 7};

		smtp_limits_parse(cases[i].text, &limits);
		CHECK(limits.mail_max == cases[i].mail_max);
		CHECK(limits.rcpt_max == cases[i].rcpt_max);
		CHECK(limits.domain_max == cases[i].domain_max);
	}
}

TEST(reads_the_least_by_time)
{
	CHECK(smtp_by_min_parse(STR("240")) == 240); /* RFC 2852 §6 */
	CHECK(smtp_by_min_parse(STR("240,future")) == 240);
	CHECK(smtp_by_min_parse(STR("999999999")) == 999999999);
	CHECK(smtp_by_min_parse(STR("1000000000")) == 0);
	CHECK(smtp_by_min_parse(STR("")) == 0);
	CHECK(smtp_by_min_parse(STR(",future")) == 0);
	CHECK(smtp_by_min_parse(STR("-5")) == 0);
}
