#include "resolver/codec.h"

#include "base/test.h"

TEST(questions_and_answers_travel)
{
	SCOPED(buf_fini) struct buf body = BUF(4096);
	struct resolver_question question = {DNS_MX, STR("example.org")};
	struct str records[] = {STR("\0\12\0"), STR("")};
	struct dns_answer answer = {.outcome = DNS_FOUND,
				    .is_secure = true,
				    .ttl_s = 300,
				    .name = STR("mail.example.org"),
				    .records = records,
				    .count = 2,
				    .why = STR("because")};
	struct arena arena;

	arena_init(&arena, 4096);
	resolver_encode_question(&body, &question);
	question = (struct resolver_question){0};
	CHECK(resolver_decode_question(buf_str(&body), &question));
	CHECK(question.type == DNS_MX);
	CHECK_STR(question.name, STR("example.org"));
	for (size_t i = 0; i < body.len; i++)
		CHECK(!resolver_decode_question(str_first(buf_str(&body), i), &question));
	buf_reset(&body);
	resolver_encode_answer(&body, &answer);
	struct dns_answer got;

	CHECK(resolver_decode_answer(buf_str(&body), &arena, &got));
	CHECK(got.outcome == DNS_FOUND && got.is_secure && !got.is_name_gone);
	CHECK(got.ttl_s == 300 && got.count == 2 && got.records[0].len == 3);
	CHECK_STR(got.name, STR("mail.example.org"));
	CHECK_STR(got.why, STR("because"));
	for (size_t i = 0; i < body.len; i++)
		CHECK(!resolver_decode_answer(str_first(buf_str(&body), i), &arena,
					      &got));
	body.ptr[0] = DNS_UNKNOWN + 1;
	CHECK(!resolver_decode_answer(buf_str(&body), &arena, &got));
	arena_fini(&arena);
}
