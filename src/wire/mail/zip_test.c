#include "wire/mail/zip.h"

#include "base/codec.h"
#include "base/test.h"

struct made {
	unsigned flags, method;
	const char *name, *text;
};

static void add_common(struct buf *out, const struct made *file)
{
	enc_u16(out, (uint16_t)file->flags);
	enc_u16(out, (uint16_t)file->method);
	enc_u32(out, 0);
	enc_u32(out, 0x01020304);
	enc_u32(out, (uint32_t)strlen(file->text));
	enc_u32(out, 77);
	enc_u16(out, (uint16_t)strlen(file->name));
	enc_u16(out, 2); /* extra */
}

static void make(struct buf *out, const struct made *files, size_t count, size_t said)
{
	uint32_t places[32];

	buf_reset(out);
	for (size_t i = 0; i < count; i++) {
		places[i] = (uint32_t)out->len;
		buf_add(out, STR("PK\3\4"));
		enc_u16(out, 20);
		add_common(out, &files[i]);
		buf_add_c(out, files[i].name);
		buf_add(out, STR("ex"));
		buf_add_c(out, files[i].text);
	}
	uint32_t directory = (uint32_t)out->len;

	for (size_t i = 0; i < count; i++) {
		buf_add(out, STR("PK\1\2"));
		enc_u32(out, 20);
		add_common(out, &files[i]);
		enc_u16(out, 0);
		enc_u64(out, 0);
		enc_u32(out, places[i]);
		buf_add_c(out, files[i].name);
		buf_add(out, STR("ex"));
	}
	buf_add(out, STR("PK\5\6\0\0\0\0"));
	enc_u16(out, (uint16_t)said);
	enc_u16(out, (uint16_t)said);
	enc_u32(out, (uint32_t)out->len - directory);
	enc_u32(out, directory);
	enc_u16(out, 3);
	buf_add(out, STR("hi!"));
}

TEST(finds_the_first_file_of_an_archive)
{
	static const struct made files[] = {
		{0, 0, "folder/", ""}, {8, 8, "a.xml", "packed"}, {0, 0, "b", "x"}};
	SCOPED(buf_fini) struct buf out = BUF(4096);
	struct zip_member member;

	make(&out, files, 3, 3);
	CHECK(zip_first(buf_str(&out), &member));
	CHECK_STR(member.name, STR("a.xml"));
	CHECK_STR(member.packed, STR("packed"));
	CHECK(member.method == ZIP_DEFLATED && member.size == 77 &&
	      member.crc == 0x01020304);
	make(&out, files + 2, 1, 1);
	CHECK(zip_first(buf_str(&out), &member) && member.method == ZIP_STORED);
	for (size_t len = 0; len < out.len - 3; len++) /* cut off: no end, no file */
		CHECK(!zip_first(str_first(buf_str(&out), len), &member));
}

TEST(refuses_archives_that_hold_no_plain_file)
{
	static const struct made odd[] = {{1, 8, "encrypted", "x"},
					  {0, 99, "packed otherwise", "x"},
					  {0, 0, "folder/", ""}};
	struct made many[20];
	SCOPED(buf_fini) struct buf out = BUF(8192);
	struct zip_member member;

	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		make(&out, &odd[i], 1, 1);
		CHECK(!zip_first(buf_str(&out), &member));
	}
	make(&out, &odd[2], 1, 2); /* says that there is one more */
	CHECK(!zip_first(buf_str(&out), &member));
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = (struct made){0, 0, i < 16 ? "f/" : "x", ""};
	make(&out, many, COUNT_OF(many), COUNT_OF(many));
	CHECK(!zip_first(buf_str(&out), &member)); /* beyond ZIP_MEMBERS_MAX */
	CHECK(!zip_first(STR("PK\3\4"), &member) && !zip_first(STR(""), &member));
	make(&out, &(struct made){0, 0, "a", "x"}, 1, 1);
	out.ptr[out.len - 3 - 6] = 0x70; /* the directory is elsewhere */
	CHECK(!zip_first(buf_str(&out), &member));
	make(&out, &(struct made){0, 0, "a", "x"}, 1, 1);
	out.ptr[0] = 'Q';
	CHECK(!zip_first(buf_str(&out), &member));
	make(&out, &(struct made){0, 0, "a", "x"}, 1, 1);
	out.ptr[18 + 16 + 4 + 20 + 20] = 0x7f;
	(void)zip_first(buf_str(&out), &member); /* whatever it says, inside */
}

TEST(walks_over_all_files_of_an_archive)
{
	static const struct made files[] = {{0, 0, "folder/", ""},
					    {8, 8, "a.xml", "packed"},
					    {1, 8, "encrypted", "x"},
					    {0, 99, "packed otherwise", "x"},
					    {0, 0, "b", "plain"}};
	SCOPED(buf_fini) struct buf out = BUF(4096);
	struct zip_member member;
	struct zip_walk walk;

	make(&out, files, 5, 5);
	CHECK(zip_walk_over(buf_str(&out), &walk));
	CHECK(zip_next(&walk, &member));
	CHECK_STR(member.name, STR("a.xml"));
	CHECK(zip_next(&walk, &member));
	CHECK_STR(member.packed, STR("plain"));
	CHECK(!zip_next(&walk, &member) && !zip_next(&walk, &member));
	make(&out, files, 5, 60000); /* says that there are more */
	CHECK(zip_walk_over(buf_str(&out), &walk));
	CHECK(zip_next(&walk, &member) && zip_next(&walk, &member));
	CHECK(!zip_next(&walk, &member));
	CHECK(!zip_walk_over(STR("PK\3\4 and nothing else"), &walk));
	CHECK(!zip_walk_over(STR("no archive"), &walk));
}
