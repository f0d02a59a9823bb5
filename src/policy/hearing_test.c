#include "policy/hearing.h"

#include "base/test.h"
#include "mailauth/dkim_message.h"

static void asks(void *context, const struct dns_question *question, struct arena *arena,
		 struct dns_answer *answer)
{
	(void)context, (void)question, (void)arena;
	*answer = (struct dns_answer){.outcome = DNS_NONE};
}

static const struct policy judging = {
	.hostname = STR("mx.example.org"), .dns = {.ask = asks}, .is_sealing = true};

static const char signed_mail[] =
	"From: <x@example.net>\r\n"
	"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.net; s=a;\r\n"
	" h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
	"Subject: a\r\n b\r\n"
	"\r\n"
	"first  line\r\n\tsecond\r\n\r\nlast\r\n\r\n";

/* The hash for the seal, and that of the signature. */
static void hashes(struct hearing *hearing, struct dkim_body_hash hash[2])
{
	dkim_message_end(hearing->message);
	for (size_t i = 0; i < 2; i++)
		hash[i] = *dkim_body_hash(hearing->message->body, i);
}

static bool same(const struct dkim_body_hash *a, const struct dkim_body_hash *b)
{
	return a->length == b->length && memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

TEST(what_is_heard_in_pieces_is_what_is_heard_at_once)
{
	struct str text = str_c(signed_mail);
	size_t header_len = str_find(text, STR("first"));
	struct hearing *whole = hearing_of(text, header_len, true, 0);
	struct dkim_body_hash wanted[2], got[2];

	CHECK(!hearing_piece(whole, text));
	hashes(whole, wanted);
	CHECK(!same(&wanted[0], &wanted[1]));
	for (size_t step = 1; step <= text.len; step++) {
		struct hearing *hearing = NULL;

		for (size_t len = 0; len <= text.len; len += step) {
			SCOPED(buf_fini) struct buf moved = BUF(1000);

			buf_add(&moved, str_first(text, len));
			hearing_go_on(&judging, buf_str(&moved), &hearing);
		}
		hearing_go_on(&judging, text, &hearing);
		CHECK(hearing && hearing->has_body_hash);
		CHECK_STR(hearing->header, str_first(text, header_len));
		hashes(hearing, got);
		CHECK(same(&got[0], &wanted[0]) && same(&got[1], &wanted[1]));
		hearing_free(&hearing);
	}
	hearing_free(&whole);
}

TEST(a_header_is_heard_when_it_has_ended)
{
	struct hearing *hearing = NULL;

	hearing_go_on(&judging, STR("From: x\r\nSubj"), &hearing);
	CHECK(!hearing); /* the line may go on */
	hearing_go_on(&judging, STR("From: x\r\nSubject: it is one\r\n"), &hearing);
	CHECK(!hearing);
	hearing_go_on(&judging, STR("From: x\r\nno field\r\n"), &hearing);
	CHECK(hearing);
	CHECK_STR(hearing->header, STR("From: x\r\n"));
	hearing_free(&hearing);
}

TEST(who_judges_nobody_hears_nothing)
{
	static const struct policy idle = {.hostname = STR("mx.example.org")};
	struct hearing *hearing = NULL;

	hearing_go_on(&idle, str_c(signed_mail), &hearing);
	CHECK(!hearing);
}

TEST(only_so_many_are_heard_ahead)
{
	struct hearing *list[HEARINGS_AHEAD_MAX + 1] = {0};

	for (size_t i = 0; i < COUNT_OF(list); i++)
		hearing_go_on(&judging, str_c(signed_mail), &list[i]);
	CHECK(list[HEARINGS_AHEAD_MAX - 1] && !list[HEARINGS_AHEAD_MAX]);
	hearing_free(&list[0]);
	hearing_go_on(&judging, str_c(signed_mail), &list[HEARINGS_AHEAD_MAX]);
	CHECK(list[HEARINGS_AHEAD_MAX]);
	for (size_t i = 0; i < COUNT_OF(list); i++)
		hearing_free(&list[i]);
}

TEST(a_long_header_is_not_heard_ahead)
{
	SCOPED(buf_fini) struct buf text = BUF(1 << 20);
	struct hearing *hearing = NULL;

	while (text.len < 70 * 1024)
		buf_add(&text, STR("a: b\r\n"));
	buf_add(&text, STR("\r\nbody\r\n"));
	hearing_go_on(&judging, buf_str(&text), &hearing);
	CHECK(!hearing);
}
