#include "base/test.h"
#include "transfer/boxes.h"
#include "transfer/maildir_name.h"
#include "transfer/seen.h"
#include "transfer/text.h"

static const struct {
	struct str name, unique;
	uint8_t flags;
	bool is_forwarded;
	uint32_t keywords;
} names[] = {
	{STR("1.M2P3.host,S=4,W=5:2,FSac"), STR("1.M2P3.host"), FLAG_FLAGGED | FLAG_SEEN,
	 false, 5},
	{STR("1.host:2,DPRT,X=1"), STR("1.host"),
	 FLAG_DRAFT | FLAG_ANSWERED | FLAG_DELETED, true, 0},
	{STR("1.host"), STR("1.host"), 0, false, 0},
	{STR("1.host:1,S"), STR("1.host"), 0, false, 0},
	{STR("1.host:2,"), STR("1.host"), 0, false, 0},
	{STR(""), STR(""), 0, false, 0},
};

TEST(maildir_names_tell_flags)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct maildir_name read = maildir_name_read(names[i].name);

		CHECK_STR(read.unique, names[i].unique);
		CHECK(read.flags == names[i].flags);
		CHECK(read.is_forwarded == names[i].is_forwarded);
		CHECK(read.keywords == names[i].keywords);
	}
}

TEST(maildir_flags_are_written_in_order)
{
	struct buf out = BUF(100);

	maildir_flags_add(&out, FLAG_SEEN | FLAG_ANSWERED | FLAG_DRAFT | FLAG_DELETED,
			  true, 5);
	CHECK_STR(buf_str(&out), STR(":2,DPRSTac"));
	buf_fini(&out);
}

TEST(maildir_levels_go_there_and_back)
{
	static const struct {
		struct str ours, theirs;
	} levels[] = {
		{STR("Archive"), STR("Archive")}, {STR("v1.2"), STR("v1\\2e2")},
		{STR("a\\b"), STR("a\\5cb")},     {STR("\xc3\x84rger"), STR("&AMQ-rger")},
		{STR("a&b"), STR("a&-b")},
	};

	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		struct buf written = BUF(100), plain = BUF(100);
		struct box_path path = {.text = BUF(0)};

		maildir_level_add(&written, levels[i].ours);
		CHECK_STR(buf_str(&written), levels[i].theirs);
		maildir_level_read(&plain, buf_str(&written));
		box_path_add_utf7(&path, buf_str(&plain));
		CHECK_STR(buf_str(&path.text), levels[i].ours);
		buf_fini(&written);
		buf_fini(&plain);
		buf_fini(&path.text);
	}
}

TEST(box_paths_are_such_as_can_be)
{
	struct box_path path = {.text = BUF(0)};

	box_path_add(&path, STR("inbox"));
	box_path_add(&path, STR(""));
	box_path_add(&path, STR("a/b\x01"));
	box_path_add(&path, STR("\xff"));
	CHECK_STR(buf_str(&path.text), STR("INBOX/a_b_/\xef\xbf\xbd"));
	for (int i = 0; i < 30; i++)
		box_path_add(&path, STR("x"));
	CHECK(path.depth == 33 && str_ends(buf_str(&path.text), STR("/x_x_x_x_x_x_x_x_x_x"
								    "_x_x_x_x")));
	buf_fini(&path.text);
}

TEST(usual_names_lead_to_our_mailboxes)
{
	struct box list[] = {
		{.row = {.id = 1, .role = ROLE_INBOX}, .path = STR("INBOX")},
		{.row = {.id = 2, .role = ROLE_SENT}, .path = STR("Sent")},
		{.row = {.id = 3}, .path = STR("Spam")},
		{.row = {.id = 4, .role = ROLE_JUNK}, .path = STR("Junk")},
	};
	struct boxes boxes = {.list = list, .count = COUNT_OF(list)};
	struct arena arena;

	arena_init(&arena, 10000);
	CHECK_STR(boxes_map(&boxes, STR("Sent Items"), ROLE_NONE, &arena), STR("Sent"));
	CHECK_STR(boxes_map(&boxes, STR("sent items/2024"), ROLE_NONE, &arena),
		  STR("Sent/2024"));
	CHECK_STR(boxes_map(&boxes, STR("Whatever"), ROLE_SENT, &arena), STR("Sent"));
	CHECK_STR(boxes_map(&boxes, STR("Spam"), ROLE_NONE, &arena), STR("Spam"));
	CHECK_STR(boxes_map(&boxes, STR("Trash"), ROLE_TRASH, &arena), STR("Trash"));
	CHECK_STR(boxes_map(&boxes, STR("Work/Sent"), ROLE_NONE, &arena),
		  STR("Work/Sent"));
	arena_fini(&arena);
}

TEST(seen_counts)
{
	struct seen seen = {0};
	uint32_t again = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		struct str part = {(const char *)&i, sizeof i};
		struct ident ident = ident_of(&part, 1);

		CHECK(!seen_has(&seen, &ident));
		again += seen_add(&seen, &ident);
		again += seen_add(&seen, &ident);
		CHECK(seen_has(&seen, &ident));
	}
	CHECK(again == 5000 && seen.count == 5000);
	seen_fini(&seen);
}

TEST(idents_keep_their_parts_apart)
{
	struct str one[] = {STR("a"), STR("bc")}, other[] = {STR("ab"), STR("c")};
	struct ident a = ident_of(one, 2), b = ident_of(other, 2);

	CHECK(memcmp(a.octets, b.octets, IDENT_BYTES) != 0);
}

TEST(line_ends_are_changed)
{
	struct buf out = BUF(100);

	text_add_crlf(&out, STR("a\nb\r\n\nc\r\rd\n\r\n"));
	CHECK_STR(buf_str(&out), STR("a\r\nb\r\n\r\nc\r\rd\r\n\r\n"));
	buf_reset(&out);
	text_add_lf(&out, STR("a\r\nb\n\r\nc\r\rd\r"));
	CHECK_STR(buf_str(&out), STR("a\nb\n\nc\r\rd\r"));
	buf_reset(&out);
	buf_add(&out, STR("a\0\0b"));
	CHECK(text_mend_nuls(&out) == 2);
	CHECK_STR(buf_str(&out), STR("a\x80\x80"
				     "b"));
	buf_fini(&out);
}
