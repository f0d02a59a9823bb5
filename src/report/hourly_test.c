#include "report/hourly.h"

#include <stdio.h>

#include "base/test.h"

TEST(each_name_has_its_hour)
{
	SCOPED(hourly_free) struct hourly *hourly = hourly_new(2);
	uint64_t passed_over;

	for (int64_t hour = 0; hour < 3; hour++) {
		int64_t now = 1763769600 + hour * 3600;

		CHECK(hourly_take(hourly, STR("a.example"), now, &passed_over));
		CHECK(passed_over == (hour == 0 ? 0 : 2));
		CHECK(hourly_take(hourly, STR("a.example"), now + 3599, &passed_over) &&
		      passed_over == 0);
		CHECK(!hourly_take(hourly, STR("a.example"), now + 3599, &passed_over));
		CHECK(!hourly_take(hourly, STR("a.example"), now + 3599, &passed_over));
		CHECK(hourly_take(hourly, STR("b.example"), now + 3599, &passed_over) &&
		      passed_over == 0);
	}
	/* after an hour of silence nothing is known */
	CHECK(hourly_take(hourly, STR("c.example"), 1763769600 + 3 * 3600, &passed_over));
	CHECK(hourly_take(hourly, STR("a.example"), 1763769600 + 5 * 3600,
			  &passed_over) &&
	      passed_over == 0);
}

TEST(of_many_names_so_many_have_an_hour)
{
	SCOPED(hourly_free) struct hourly *hourly = hourly_new(1);
	uint64_t passed_over;
	unsigned taken = 0;
	char name[40];

	for (unsigned hour = 0; hour < 2; hour++) {
		taken = 0;
		for (unsigned i = 0; i < 3 * HOURLY_NAMES_MAX; i++) {
			(void)snprintf(name, sizeof name, "%u.%u.example", hour, i);
			taken += hourly_take(hourly, str_c(name), hour * 7200,
					     &passed_over);
		}
		CHECK(taken == HOURLY_NAMES_MAX);
	}
	hourly_free(&hourly);
	hourly = hourly_new(1000000);
	taken = 0;
	for (unsigned i = 0; i < 3 * HOURLY_ALL_MAX; i++)
		taken += hourly_take(hourly, STR("a.example"), 7200, &passed_over);
	CHECK(taken == HOURLY_ALL_MAX);
}
