#include "mta/mx.h"

#include "base/rand.h"
#include "base/test.h"

TEST(sorts_hosts_by_preference)
{
	struct mx_host hosts[] = {
		{STR("c"), 30}, {STR("a"), 5}, {STR("b"), 20}, {STR("d"), 30}};

	mx_sort(hosts, 4);
	CHECK_STR(hosts[0].name, STR("a"));
	CHECK_STR(hosts[1].name, STR("b"));
	CHECK(hosts[2].preference == 30 && hosts[3].preference == 30);
}

TEST(mixes_hosts_of_equal_preference)
{
	unsigned first[3] = {0};

	rand_test_seed(7);
	for (int i = 0; i < 3000; i++) {
		struct mx_host hosts[] = {{STR("0"), 9}, {STR("1"), 9}, {STR("2"), 9}};

		mx_sort(hosts, 3);
		first[hosts[0].name.ptr[0] - '0']++;
	}
	rand_test_seed(0);
	for (int i = 0; i < 3; i++)
		CHECK(first[i] > 850 && first[i] < 1150);
}

TEST(leaves_out_ourselves_and_all_that_are_no_better)
{
	const struct mx_host hosts[] = {
		{STR("a"), 5}, {STR("b"), 10}, {STR("Me.example"), 10}, {STR("c"), 20}};

	CHECK(mx_before_own(hosts, 4, STR("me.example")) == 1);
	CHECK(mx_before_own(hosts, 4, STR("a")) == 0);
	CHECK(mx_before_own(hosts, 4, STR("other")) == 4);
	CHECK(mx_before_own(hosts, 0, STR("a")) == 0);
}
