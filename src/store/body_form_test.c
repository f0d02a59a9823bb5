#include "store/body_form.h"

#include "base/base64.h"
#include "base/codec.h"
#include "base/test.h"
#include "store/body_frame.h"
#include "store/words.h"

/* Octets that look like none of the alphabet's order. */
static void add_octets(struct buf *out, size_t len)
{
	for (uint32_t x = 12345; len > 0; len--) {
		x = x * 1664525 + 1013904223;
		buf_add_byte(out, (char)(unsigned char)(x >> 24));
	}
}

/* The octets as lines, without the last line end. */
static void add_lines(struct buf *out, size_t len, size_t line)
{
	struct buf octets = BUF(1 << 20);
	struct str rest;

	add_octets(&octets, len);
	for (rest = buf_str(&octets); rest.len > 0; rest = str_skip(rest, line / 4 * 3)) {
		base64_add(out, str_first(rest, line / 4 * 3));
		if (rest.len > line / 4 * 3)
			buf_add_c(out, "\r\n");
	}
	buf_fini(&octets);
}

static void expand_in_pieces(const struct body_form *form, struct str packed,
			     struct str raw, size_t piece)
{
	struct body_expander expander = {.form = form};
	struct buf got = BUF(BODY_EXPANDED(raw.len));

	for (; packed.len > 0; packed = str_skip(packed, piece))
		body_expand(&expander, str_first(packed, piece), &got);
	CHECK(buf_ok(&got) && str_same(buf_str(&got), raw));
	buf_fini(&got);
}

static void frame_of(struct str raw, struct buf *frame)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	struct frame_maker maker;

	frame_maker_begin(&maker, zstd, raw);
	buf_grew(frame, frame_make(&maker, buf_room(frame, frame_bound(raw.len)),
				   frame_bound(raw.len)));
	CHECK(maker.is_done);
	frame_maker_end(&maker);
	ZSTD_freeCCtx(zstd);
}

/* Makes the frame, and the body again in each way; returns how many runs it has. */
static size_t round_trip(struct str raw)
{
	struct buf frame = BUF(1 << 21), body = BUF(1 << 21);
	struct body_form form;
	uint64_t packed_size = 0;

	frame_of(raw, &frame);
	CHECK(frame_fits(buf_str(&frame), raw.len));
	CHECK(!frame_fits(buf_str(&frame), raw.len + 1));
	CHECK(!frame_fits(str_first(buf_str(&frame), frame.len - 1), raw.len));
	CHECK(body_form_read(buf_str(&frame), &form) &&
	      body_form_packed(&form, raw.len, &packed_size));
	char *room = buf_room(&body, raw.len + 1);
	struct str packed = {room + (raw.len - packed_size), packed_size};
	ZSTD_DCtx *unzstd = words_unpacker_new();

	CHECK(ZSTD_decompressDCtx(unzstd, (char *)(uintptr_t)packed.ptr, packed.len,
				  frame.ptr + form.head_len,
				  frame.len - form.head_len) == packed.len);
	expand_in_pieces(&form, packed, raw, 1);
	expand_in_pieces(&form, packed, raw, 100);
	expand_in_pieces(&form, packed, raw, 64 * 1024);
	body_form_expand(&form, room, raw.len, packed_size);
	CHECK_STR(((struct str){room, raw.len}), raw);
	memset(room, 0, raw.len);
	CHECK(frame_unpack(unzstd, buf_str(&frame), room, raw.len));
	CHECK_STR(((struct str){room, raw.len}), raw);
	CHECK(!frame_unpack(unzstd, str_first(buf_str(&frame), frame.len - 1), room,
			    raw.len));
	ZSTD_freeDCtx(unzstd);
	buf_fini(&frame);
	buf_fini(&body);
	return form.count;
}

/* What stands before and behind the lines, and how many runs that makes. */
static size_t runs_of(const char *before, size_t len, size_t line, const char *behind)
{
	struct buf raw = BUF(1 << 20);

	buf_add_c(&raw, before);
	add_lines(&raw, len, line);
	buf_add_c(&raw, behind);
	size_t runs = round_trip(buf_str(&raw));

	buf_fini(&raw);
	return runs;
}

TEST(base64_lines_are_a_run_whatever_their_length)
{
	static const size_t lines[] = {40, 60, 64, 72, 76, 100, 996};

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		for (size_t len = 3000; len < 3004; len++) {
			CHECK(runs_of("A: b\r\n\r\n", len, lines[i], "\r\n--b--\r\n") ==
			      1);
			CHECK(runs_of("", len, lines[i], "") == 1);
			CHECK(runs_of("", len, lines[i], "\n") == 1);
			CHECK(runs_of("x\r\n", len, lines[i], "\r\n\r\n") == 1);
		}
}

TEST(what_is_no_strict_base64_stays_text)
{
	CHECK(runs_of("", 700, 76, "") == 0);    /* short */
	CHECK(runs_of("", 3000, 36, "") == 0);   /* narrow */
	CHECK(runs_of("", 9000, 1024, "") == 0); /* wide */
	CHECK(round_trip(STR("")) == 0);
	CHECK(round_trip(STR("\r\n")) == 0);
	struct buf raw = BUF(1 << 20);

	add_lines(&raw, 3001, 76);
	CHECK(raw.ptr[raw.len - 1] == '=');
	raw.ptr[raw.len - 3]++;                /* spare bits */
	CHECK(round_trip(buf_str(&raw)) == 1); /* without the last line */
	raw.ptr[100] = '-';
	CHECK(round_trip(buf_str(&raw)) == 1);
	for (size_t i = 90; i < raw.len; i += 200)
		raw.ptr[i] = ' ';
	CHECK(round_trip(buf_str(&raw)) == 0);
	buf_fini(&raw);
}

TEST(runs_that_touch_or_are_too_many_come_back)
{
	struct buf raw = BUF(1 << 21);

	for (size_t i = 0; i < BODY_RUNS_MAX + 9; i++) {
		add_lines(&raw, 1000 + i, i % 2 ? 76 : 60);
		buf_add_c(&raw, "\r\n");
	}
	CHECK(round_trip(buf_str(&raw)) == BODY_RUNS_MAX);
	buf_fini(&raw);
}

static bool reads(const char *runs, size_t len, uint64_t raw_size)
{
	struct buf head = BUF(100);
	struct body_form form;
	uint64_t packed;

	enc_u32(&head, 0x184D2A5B);
	enc_u32(&head, (uint32_t)len);
	buf_add(&head, (struct str){runs, len});
	bool is_good = body_form_read(buf_str(&head), &form) &&
		       body_form_packed(&form, raw_size, &packed);

	CHECK(!body_form_read(str_first(buf_str(&head), 8), &form) || len == 0);
	buf_fini(&head);
	return is_good;
}

TEST(a_head_that_lies_is_refused)
{
	CHECK(reads("\1\3\1", 3, 5));
	CHECK(!reads("\1\3\1", 3, 4)); /* more than the body */
	CHECK(!reads("", 0, 5));       /* no runs */
	CHECK(!reads("\1\0\1", 3, 5)); /* an empty one */
	CHECK(!reads("\1\3\0", 3, 5)); /* without lines */
	CHECK(!reads("\1\3", 2, 5));   /* cut */
	CHECK(!reads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\3\1", 12, 5));
	CHECK(!reads("\1\xff\xff\xff\xff\xff\1\1", 8, UINT64_MAX));
}

static const struct str small =
	STR("Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
	    "\tby mx.example.net (Postfix) with ESMTP id 4D2F\r\n"
	    "\tfor <ann@example.net>; Mon, 23 Nov 2026 10:00:00 +0100\r\n"
	    "From: \"Bob\" <bob@example.org>\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "It is here.\r\n");

TEST(frames_with_and_without_words_are_unpacked)
{
	SCOPED(buf_fini) struct buf frame = BUF(1 << 16), large = BUF(1 << 16);
	ZSTD_DCtx *unzstd = words_unpacker_new();
	char room[1000], plain[1000];
	size_t len = ZSTD_compress(plain, sizeof plain, small.ptr, small.len, 1);

	frame_of(small, &frame);
	CHECK(frame.len < small.len / 2 && frame.len < len * 2 / 3);
	CHECK(ZSTD_getDictID_fromFrame(frame.ptr, frame.len) == 32768);
	CHECK(round_trip(small) == 0);
	CHECK(frame_unpack(unzstd, (struct str){plain, len}, room, small.len));
	CHECK_STR(((struct str){room, small.len}), small);
	for (size_t i = 0; i < 8 * 1024 + 1; i++)
		buf_add_byte(&large, "abcdefg"[i % 7]);
	buf_reset(&frame);
	frame_of(buf_str(&large), &frame);
	CHECK(ZSTD_getDictID_fromFrame(frame.ptr, frame.len) == 0);
	ZSTD_freeDCtx(unzstd);
}
