#include "resolver/cache.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"
#include "rt/clock.h"

static struct arena arena;

static void add(struct answer_cache *cache, const char *name, enum dns_type type,
		enum dns_outcome outcome, uint32_t ttl_s, size_t bytes)
{
	SCOPED(buf_fini) struct buf record = BUF(1 << 20), body = BUF(1 << 20);
	const struct resolver_question question = {type, str_c(name)};
	struct dns_answer answer = {.outcome = outcome, .ttl_s = ttl_s, .count = 1};
	struct str data;

	while (record.len < bytes)
		buf_add_byte(&record, 'x');
	data = buf_str(&record);
	answer.records = &data;
	resolver_encode_answer(&body, &answer);
	answer_cache_add(cache, &question, &answer, buf_str(&body));
}

static bool has(struct answer_cache *cache, const char *name, enum dns_type type,
		struct dns_answer *answer)
{
	const struct resolver_question question = {type, str_c(name)};

	arena_reset(&arena);
	return answer_cache_find(cache, &question, &arena, answer);
}

TEST(facts_are_kept_for_a_minute_at_most)
{
	struct answer_cache *cache = answer_cache_new();
	struct dns_answer answer;

	arena_init(&arena, 1 << 20);
	clock_test_start(1000);
	add(cache, "Short.example.", DNS_TXT, DNS_FOUND, 5, 3);
	add(cache, "long.example", DNS_TXT, DNS_FOUND, 3600, 3);
	add(cache, "none.example", DNS_A, DNS_NONE, 30, 0);
	CHECK(has(cache, "short.EXAMPLE", DNS_TXT, &answer) && answer.ttl_s == 5);
	CHECK(answer.count == 1 && answer.records[0].len == 3);
	CHECK(!has(cache, "short.example", DNS_A, &answer));
	CHECK(has(cache, "none.example.", DNS_A, &answer) && answer.outcome == DNS_NONE);
	clock_test_advance_ms(4999);
	CHECK(has(cache, "short.example", DNS_TXT, &answer) && answer.ttl_s == 1);
	clock_test_advance_ms(1);
	CHECK(!has(cache, "short.example", DNS_TXT, &answer));
	CHECK(answer_cache_count(cache) == 2);
	clock_test_advance_ms(54999);
	CHECK(has(cache, "long.example", DNS_TXT, &answer) && answer.ttl_s == 3541);
	CHECK(!has(cache, "none.example", DNS_A, &answer));
	clock_test_advance_ms(1);
	CHECK(!has(cache, "long.example", DNS_TXT, &answer));
	CHECK(answer_cache_count(cache) == 0 && answer_cache_bytes(cache) == 0);
	clock_test_stop();
	answer_cache_free(&cache);
	arena_fini(&arena);
}

TEST(what_is_not_known_is_asked_again)
{
	struct answer_cache *cache = answer_cache_new();
	struct dns_answer answer;

	arena_init(&arena, 1 << 20);
	add(cache, "a.example", DNS_A, DNS_BOGUS, 60, 4);
	add(cache, "b.example", DNS_A, DNS_UNKNOWN, 60, 4);
	add(cache, "c.example", DNS_A, DNS_FOUND, 0, 4);
	CHECK(answer_cache_count(cache) == 0);
	CHECK(!has(cache, "a.example", DNS_A, &answer));
	/* the newer answer counts */
	add(cache, "c.example", DNS_A, DNS_FOUND, 60, 4);
	add(cache, "C.example", DNS_A, DNS_FOUND, 60, 8);
	CHECK(answer_cache_count(cache) == 1);
	CHECK(has(cache, "c.example", DNS_A, &answer) && answer.records[0].len == 8);
	answer_cache_free(&cache);
	answer_cache_free(&cache);
	arena_fini(&arena);
}

TEST(the_oldest_answers_go_first)
{
	struct answer_cache *cache = answer_cache_new();
	struct dns_answer answer;
	char name[64];

	arena_init(&arena, 1 << 20);
	for (int i = 0; i < ANSWER_CACHE_ANSWERS_MAX + 10; i++) {
		(void)snprintf(name, sizeof name, "n%d.example", i);
		add(cache, name, DNS_A, DNS_FOUND, 60, 4);
	}
	CHECK(answer_cache_count(cache) == ANSWER_CACHE_ANSWERS_MAX);
	CHECK(!has(cache, "n9.example", DNS_A, &answer));
	CHECK(has(cache, "n10.example", DNS_A, &answer));
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof name, "big%d.example", i);
		add(cache, name, DNS_TXT, DNS_FOUND, 60, 100000);
		CHECK(answer_cache_bytes(cache) <= ANSWER_CACHE_BYTES_MAX);
	}
	CHECK(answer_cache_count(cache) == 41);
	CHECK(!has(cache, "big58.example", DNS_TXT, &answer));
	CHECK(has(cache, "big59.example", DNS_TXT, &answer));
	answer_cache_free(&cache);
	arena_fini(&arena);
}
