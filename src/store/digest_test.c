#include "store/digest.h"

#include "base/codec.h"
#include "base/test.h"
#include "store/digest_form.h"
#include "store/types.h"
#include "store/words.h"
#include "wire/mail/message_id.h"

static const struct str sample = STR("Return-Path: <a@x.test>\r\n"
				     "From: \"Ann Lee\" <Ann@x.test>\r\n"
				     "To: g: b@x.test, c@x.test;, D <d@x.test>\r\n"
				     "Subject: Re: =?utf-8?q?gr=C3=BCn?=\r\n"
				     "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
				     "Message-ID: <i@x>\r\n"
				     "In-Reply-To: <h@x>\r\n"
				     "References: <g@x>\r\n <h@x>\r\n"
				     "Content-Type: multipart/mixed; boundary=b\r\n"
				     "\r\n"
				     "--b\r\n"
				     "\r\n"
				     "Hello,\r\nworld\r\n"
				     "--b\r\n"
				     "Content-Type: message/rfc822\r\n"
				     "Content-Disposition: attachment; filename=x\r\n"
				     "\r\n"
				     "Subject: inner\r\n"
				     "\r\n"
				     "inside\r\n"
				     "--b--\r\n");

/* What these tests read is small, and stays. */
static struct arena *unpacked(void)
{
	static struct arena arena;

	if (arena.max == 0)
		arena_init(&arena, 16 << 20);
	return &arena;
}

static bool reads(struct str bytes, struct digest *digest)
{
	return digest_read(unpacked(), bytes, digest);
}

/* The digest of the message in *bytes; freed by the caller. */
static struct digest digest_of(struct str message, struct buf *bytes)
{
	struct digest digest = {0};

	*bytes = BUF(DIGEST_BYTES_MAX);
	digest_make(message, bytes);
	CHECK(buf_ok(bytes));
	CHECK(reads(buf_str(bytes), &digest));
	return digest;
}

TEST(a_digest_holds_what_lists_need)
{
	struct buf bytes;
	struct digest d = digest_of(sample, &bytes);

	CHECK(d.flags == (DIGEST_HAS_ATTACHMENT | DIGEST_IS_REPLY | DIGEST_HAS_SENT));
	CHECK(d.size == sample.len && d.header_size == d.header.len && d.lines == 12);
	CHECK(d.sent_at == 880127706);
	CHECK(d.message_id == digest_hash(STR("i@x")));
	CHECK(d.reference_count == 2 && d.references[1] == digest_hash(STR("h@x")));
	CHECK_STR(d.sort[SORT_SUBJECT], STR("GRU\xcc\x88N"));
	CHECK(d.base_subject == digest_hash(d.sort[SORT_SUBJECT]));
	CHECK_STR(d.sort[SORT_FROM], STR("ANN"));
	CHECK_STR(d.sort[SORT_TO], STR("G"));
	CHECK_STR(d.sort[SORT_CC], STR(""));
	CHECK_STR(d.sort[SORT_DISPLAY_FROM], STR("ANN LEE"));
	CHECK_STR(d.sort[SORT_DISPLAY_TO], STR("G"));
	CHECK_STR(d.preview, STR("Hello, world"));
	CHECK(str_ends(d.header, STR("boundary=b\r\n\r\n")));
	buf_fini(&bytes);
}

TEST(the_front_of_a_digest_is_enough_for_sorting)
{
	struct buf bytes;
	struct digest d = digest_of(sample, &bytes), keys;
	struct str front = digest_front(buf_str(&bytes));

	CHECK(front.len > 0 && front.len < bytes.len / 2);
	CHECK(digest_read_keys(front, &keys));
	CHECK(keys.flags == d.flags && keys.sent_at == d.sent_at);
	CHECK(keys.base_subject == d.base_subject && keys.reference_count == 2);
	for (size_t i = 0; i < SORT_TEXTS; i++)
		CHECK_STR(keys.sort[i], d.sort[i]);
	CHECK(!digest_read_keys(str_first(front, front.len - 1), &keys));
	CHECK(digest_front(str_first(front, front.len - 1)).len == 0);
	CHECK(!digest_sort_is_cut(d.sort[SORT_SUBJECT]));
	buf_fini(&bytes);
}

TEST(envelope_and_structure_come_back)
{
	struct buf bytes;
	struct digest d = digest_of(sample, &bytes);
	struct mail_envelope e;
	struct mime_part *root;
	struct arena arena;

	arena_init(&arena, 100000);
	CHECK(digest_envelope(&arena, &d, &e) && !e.is_cut && e.has_date);
	CHECK(e.date.unix_s == 880127706 && e.date.zone_minutes == -360);
	CHECK_STR(e.subject, STR("Re: =?utf-8?q?gr=C3=BCn?="));
	CHECK_STR(e.in_reply_to, STR("<h@x>"));
	CHECK_STR(e.lists[MAIL_FROM_LIST].items[0].name, STR("Ann Lee"));
	CHECK(e.lists[MAIL_TO_LIST].count == 5 && e.lists[MAIL_CC_LIST].count == 0);
	CHECK(digest_structure(&arena, &d, &root));
	CHECK(root->child_count == 2 && mime_is(root, "multipart", "mixed"));
	CHECK(root->first->lines == 1 && root->first->body_len == 13);
	struct mime_part *message = root->last;

	CHECK(message->kind == MIME_MESSAGE && message->child_count == 1);
	CHECK_STR(message->envelope->subject, STR("inner"));
	CHECK_STR(message->disposition.type, STR("attachment"));
	CHECK_STR(str_first(str_skip(sample, message->first->body_at), 6), STR("inside"));
	CHECK(message->first->parent == message && !mime_next(message->first));
	arena.max = arena.used + 100;
	CHECK(!digest_structure(&arena, &d, &root));
	arena_fini(&arena);
	buf_fini(&bytes);
}

TEST(what_is_too_big_is_cut_and_flagged)
{
	struct buf message = BUF(1 << 20), bytes;
	struct mail_envelope e;
	struct mime_part *root;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	buf_add_c(&message, "Content-Type: multipart/mixed; boundary=b\r\nTo: ");
	for (int i = 0; i < 1500; i++)
		buf_add_c(&message, "A Name <somebody@somewhere.test>,\r\n ");
	buf_add_c(&message, "x@x.test\r\nSubject: s\r\n\r\n");
	for (int i = 0; i < 3000; i++)
		buf_add_c(&message, "--b\r\n\r\n");
	struct digest d = digest_of(buf_str(&message), &bytes);

	CHECK(d.flags ==
	      (DIGEST_HEADER_CUT | DIGEST_ENVELOPE_CUT | DIGEST_STRUCTURE_CUT));
	CHECK(d.header.len == 43 && d.header_size > DIGEST_HEADER_MAX);
	CHECK(digest_envelope(&arena, &d, &e) && e.is_cut);
	CHECK(e.lists[MAIL_TO_LIST].count == 12);
	CHECK_STR(e.subject, STR("s"));
	CHECK(!digest_structure(&arena, &d, &root));
	arena_fini(&arena);
	buf_fini(&message);
	buf_fini(&bytes);
}

TEST(any_message_has_a_digest)
{
	static const struct str messages[] = {
		STR(""),
		STR("\r\n"),
		STR("no header"),
		STR("A: b"),
		STR("\0\0"),
		STR("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x"),
	};
	struct mail_envelope e;
	struct mime_part *root;
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct buf bytes;
		struct digest d = digest_of(messages[i], &bytes);

		CHECK(d.size == messages[i].len && d.flags == 0);
		CHECK(digest_envelope(&arena, &d, &e));
		CHECK(digest_structure(&arena, &d, &root));
		buf_fini(&bytes);
	}
	arena_fini(&arena);
}

/* Who computes with such a date must not have to look. */
TEST(dates_beyond_all_calendars_are_refused)
{
	struct mail_envelope e;
	struct arena arena;
	struct buf bytes;
	struct digest d = digest_of(sample, &bytes);
	struct dec in = dec_over(buf_str(&bytes));

	arena_init(&arena, 100000);
	CHECK(digest_envelope(&arena, &d, &e));
	memset((char *)(uintptr_t)d.envelope.ptr + 9, 0xff, 2); /* the zone */
	CHECK(!digest_envelope(&arena, &d, &e));
	memset((char *)(uintptr_t)d.envelope.ptr + 9, 0x80, 2);
	CHECK(digest_envelope(&arena, &d, &e));
	memset((char *)(uintptr_t)d.envelope.ptr + 1, 0x7f, 8);
	CHECK(!digest_envelope(&arena, &d, &e));
	CHECK(dec_u8(&in) == DIGEST_PACKED && dec_u8(&in) == d.flags);
	CHECK(dec_var(&in) == d.size && dec_var(&in) && dec_var(&in));
	memset(bytes.ptr + (in.rest.ptr - bytes.ptr), 0x80, 8);
	CHECK(!reads(buf_str(&bytes), &d));
	arena_fini(&arena);
	buf_fini(&bytes);
}

/* The same digest in the form of version 4. */
static void as_words(struct str bytes, const struct digest *d, struct buf *out)
{
	SCOPED(buf_fini) struct buf parts = BUF(DIGEST_BYTES_MAX);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	char packed[1024];

	enc_str(&parts, d->preview);
	enc_str(&parts, d->envelope);
	enc_str(&parts, d->structure);
	enc_str(&parts, d->header);
	size_t len =
		ZSTD_compress_usingDict(zstd, packed, sizeof packed, parts.ptr, parts.len,
					words_of_headers.ptr, words_of_headers.len, -1);

	CHECK(!ZSTD_isError(len));
	enc_u8(out, DIGEST_WORDS);
	buf_add(out, str_skip(digest_front(bytes), 1));
	enc_var(out, parts.len);
	buf_add(out, (struct str){packed, len});
	ZSTD_freeCCtx(zstd);
}

TEST(digests_of_version_4_are_still_read)
{
	SCOPED(buf_fini) struct buf older = BUF(DIGEST_BYTES_MAX);
	struct buf bytes;
	struct digest d = digest_of(sample, &bytes), read;

	as_words(buf_str(&bytes), &d, &older);
	CHECK(bytes.len < older.len); /* what the statistics are for */
	CHECK(reads(buf_str(&older), &read));
	CHECK_STR(read.header, d.header);
	CHECK_STR(read.envelope, d.envelope);
	buf_fini(&bytes);
}

TEST(damaged_digests_are_refused)
{
	struct buf bytes;
	struct digest d = digest_of(sample, &bytes);

	for (size_t len = 0; len < bytes.len; len++)
		CHECK(!reads(str_first(buf_str(&bytes), len), &d));
	bytes.ptr[0] = 99;
	CHECK(!reads(buf_str(&bytes), &d));
	buf_fini(&bytes);
}
