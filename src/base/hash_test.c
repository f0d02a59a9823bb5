#include "base/hash.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/test.h"

TEST(crc32c_gives_the_sums_of_rfc_3720)
{
	char bytes[32] = {0};

	CHECK(crc32c(0, (struct str){bytes, 32}) == 0x8a9136aa); /* RFC 3720 §B.4 */
	memset(bytes, 0xff, 32);
	CHECK(crc32c(0, (struct str){bytes, 32}) == 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		bytes[i] = (char)i;
	CHECK(crc32c(0, (struct str){bytes, 32}) == 0x46dd794e);
	CHECK(crc32c(0, STR("123456789")) == 0xe3069283);
	CHECK(crc32c_portable(0, STR("123456789")) == 0xe3069283);
	CHECK(crc32c(0, STR("")) == 0);
}

TEST(crc32c_may_come_in_pieces_and_by_either_way)
{
	char bytes[5000];

	rand_test_seed(1);
	rand_bytes(bytes, sizeof bytes);
	rand_test_seed(0);
	for (size_t len = 0; len < sizeof bytes; len += 1 + len / 300) {
		struct str all = {bytes, len};
		uint32_t whole = crc32c(0, all);

		CHECK(crc32c_portable(0, all) == whole);
		uint32_t first = crc32c(0, str_first(all, len / 3));

		CHECK(crc32c(first, str_skip(all, len / 3)) == whole);
	}
}

TEST(siphash_gives_the_values_of_its_paper)
{
	struct hash_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
	char bytes[15];

	for (int i = 0; i < 15; i++)
		bytes[i] = (char)i;
	CHECK(siphash(key, (struct str){bytes, 15}) == 0xa129ca6149be45e5);
	CHECK(siphash(key, STR("")) == 0x726fdb47dd0e0e31);
	CHECK(hash64(STR("a")) == hash64(STR("a")));
	CHECK(hash64(STR("a")) != hash64(STR("b")));
	CHECK(hash64_number(1) != hash64_number(2));
}

TEST(random_numbers_stay_below_their_bound_and_repeat_from_a_seed)
{
	for (uint64_t bound = 1; bound < 50; bound++)
		CHECK(rand_below(bound) < bound);
	CHECK(rand_u64() != rand_u64());
	rand_test_seed(7);
	uint64_t first = rand_u64();

	rand_test_seed(7);
	CHECK(rand_u64() == first);
	rand_test_seed(0);
}

TEST(a_list_keeps_its_order_while_items_leave)
{
	struct item {
		int number;
		struct list_link link;
	} items[4] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
	struct list list = {0};
	int sum = 0;

	for (size_t i = 1; i < 4; i++)
		list_add_last(&list, &items[i].link);
	list_add_first(&list, &items[0].link);
	list_remove(&list, &items[1].link);
	LIST_EACH(&list, link)
	{
		struct item *item = CONTAINER_OF(link, struct item, link);

		sum = sum * 10 + item->number;
		if (item->number == 3)
			list_remove(&list, link);
	}
	CHECK(sum == 134);
	CHECK(list_take_first(&list) == &items[0].link);
	CHECK(list_take_first(&list) == &items[3].link);
	CHECK(list_is_empty(&list) && !list.last && !list_take_first(&list));
}
