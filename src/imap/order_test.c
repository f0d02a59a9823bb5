#include "imap/order.h"

#include "base/test.h"

static const struct order_facts letters[] = {
	{1,
	 100,
	 7,
	 50,
	 {STR("HELLO"), STR("BOB"), STR(""), STR(""), STR("B"), STR("")},
	 9},
	{2, 50, -9, 50, {STR(""), STR("ANN"), STR(""), STR(""), STR("A"), STR("")}, 100},
	{3,
	 100,
	 7,
	 9,
	 {STR("HELL"), STR("BOB"), STR("X"), STR(""), STR("C"), STR("")},
	 9},
	{4,
	 70,
	 0,
	 300,
	 {STR("HELLO"), STR("ANN"), STR(""), STR(""), STR(""), STR("")},
	 1},
	{5,
	 100,
	 7,
	 50,
	 {STR("HELLO THERE"), STR("ANNA"), STR(""), STR("C"), STR("B")},
	 50},
	{6, -5, 7, 50, {STR("HELL\0O"), STR("\1"), STR(""), STR("\0"), STR("\0\0")}},
	{7, 1, 1, 1, {STR("HELL\1"), STR("\0\1"), STR(""), STR("\1"), STR("\xff")}},
};

static struct order order_by(const char *first, bool is_reverse, const char *second)
{
	struct imap_sort by = {.count = second ? 2 : 1};
	static const char *const names[] = {"ARRIVAL", "CC",   "DATE",      "DFROM",
					    "DTO",     "FROM", "RELEVANCY", "SIZE",
					    "SUBJ",    "TO"};
	struct order order;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_same(str_c(names[i]), str_c(first)))
			by.keys[0] =
				(struct imap_sort_key){(enum imap_sort_by)i, is_reverse};
		if (second && str_same(str_c(names[i]), str_c(second)))
			by.keys[1] = (struct imap_sort_key){(enum imap_sort_by)i, false};
	}
	order_init(&order, &by, 100000);
	return order;
}

static void show(const struct order *order, struct buf *out)
{
	buf_reset(out);
	for (size_t i = 0; i < order->count; i++)
		buf_printf(out, "%u", order->list[i].uid);
}

static const struct {
	const char *first;
	bool is_reverse;
	const char *second;
	struct str uids;
} orders[] = {
	{"ARRIVAL", false, NULL, STR("6724135")},
	{"ARRIVAL", true, NULL, STR("1354276")},
	{"DATE", false, NULL, STR("2471356")},
	{"DATE", false, "SIZE", STR("2473156")},
	{"DATE", true, "SIZE", STR("3156742")},
	{"SIZE", false, NULL, STR("7312564")},
	{"SUBJ", false, NULL, STR("2367145")},
	{"SUBJ", true, NULL, STR("5147632")}, /* the first of two stays the first */
	{"SUBJ", false, "ARRIVAL", STR("2367415")},
	{"FROM", false, "SUBJ", STR("7624531")},
	{"TO", false, NULL, STR("1245673")},
	{"CC", false, NULL, STR("1234675")},
	{"DFROM", false, "DATE", STR("4621537")},
	{"DTO", true, "FROM", STR("7624513")},
	{"RELEVANCY", false, NULL, STR("2513467")},
	{"RELEVANCY", false, "SIZE", STR("2531476")},
	{"RELEVANCY", true, NULL, STR("6741352")},
};

TEST(messages_are_put_in_order_by_all_criteria)
{
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);
		SCOPED(order_fini)
		struct order order =
			order_by(orders[i].first, orders[i].is_reverse, orders[i].second);

		for (size_t l = 0; l < COUNT_OF(letters); l++)
			CHECK(order_add(&order, &letters[l]));
		order_sort(&order, NULL);
		show(&order, &out);
		CHECK_STR(buf_str(&out), orders[i].uids);
	}
}

TEST(messages_that_come_later_find_their_places)
{
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		SCOPED(buf_fini) struct buf out = BUF(100);
		SCOPED(order_fini)
		struct order order =
			order_by(orders[i].first, orders[i].is_reverse, orders[i].second);

		for (size_t l = COUNT_OF(letters); l-- > 0;) {
			size_t at;

			CHECK(order_insert(&order, &letters[l], &at));
			CHECK(order.list[at].uid == letters[l].uid);
		}
		show(&order, &out);
		CHECK_STR(buf_str(&out), orders[i].uids);
	}
}

TEST(keys_beyond_the_bound_are_refused)
{
	SCOPED(order_fini) struct order order = order_by("SUBJ", false, NULL);
	size_t at;

	order.keys.max = 11;
	CHECK(order_add(&order, &letters[0]));
	CHECK(!order_add(&order, &letters[3]));
	CHECK(order_add(&order, &letters[1]) && order.count == 2);
	CHECK(!order_insert(&order, &letters[1], &at) && order.count == 2);
}

static unsigned pauses;

static void pause_now(void)
{
	pauses++;
}

/* A hundred thousand, in an order that no sort likes. */
TEST(many_messages_are_sorted_with_pauses)
{
	SCOPED(order_fini) struct order order = order_by("ARRIVAL", false, "SIZE");
	uint32_t count = 100000;

	order.keys.max = 1 << 22;
	for (uint32_t i = 0; i < count; i++) {
		struct order_facts facts = {
			.uid = i + 1, .arrived = i * 7919 % 1009, .size = i * 31 % 17};

		CHECK(order_add(&order, &facts));
	}
	order_sort(&order, pause_now);
	CHECK(pauses > 10);
	bool is_sorted = true;

	for (uint32_t i = 1; i < count; i++) {
		uint32_t a = order.list[i - 1].uid - 1, b = order.list[i].uid - 1;
		uint64_t a_key = (uint64_t)(a * 7919 % 1009) * 100 + a * 31 % 17;
		uint64_t b_key = (uint64_t)(b * 7919 % 1009) * 100 + b * 31 % 17;

		is_sorted &= a_key < b_key || (a_key == b_key && a < b);
	}
	CHECK(is_sorted);
}
