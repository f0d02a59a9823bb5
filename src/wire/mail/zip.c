#include "wire/mail/zip.h"

#include "base/codec.h"
#include "base/num.h"

enum {
	END_BYTES = 22,
	COMMENT_MAX = 65535,
	ENCRYPTED = 1, /* a flag */
};

#define LOCAL_MARK STR("PK\3\4")
#define ENTRY_MARK STR("PK\1\2")
#define END_MARK   STR("PK\5\6")

bool zip_is(struct str bytes)
{
	return str_starts(bytes, LOCAL_MARK);
}

/* §4.3.16: the last that is there; false if none is in reach. */
static bool find_end(struct str archive, size_t *at)
{
	if (archive.len < END_BYTES)
		return false;
	size_t last = archive.len - END_BYTES;
	size_t first = last > COMMENT_MAX ? last - COMMENT_MAX : 0;

	for (size_t i = last + 1; i > first; i--) {
		if (!str_starts(str_skip(archive, i - 1), END_MARK))
			continue;
		*at = i - 1;
		return true;
	}
	return false;
}

/* §4.3.7: the entry's own header, and the octets behind it. */
static bool find_packed(struct str archive, uint32_t at, uint32_t len, struct str *packed)
{
	struct dec dec = dec_over(str_skip(archive, at));

	if (!str_same(dec_bytes(&dec, 4), LOCAL_MARK))
		return false;
	(void)dec_bytes(&dec, 22); /* as the directory says it again */
	size_t name_len = dec_u16(&dec), extra_len = dec_u16(&dec);

	(void)dec_bytes(&dec, name_len + extra_len);
	*packed = dec_bytes(&dec, len);
	return dec_ok(&dec);
}

enum entry {
	ENTRY_FILE,
	ENTRY_FOLDER,
	ENTRY_SEALED, /* a file that we cannot read */
	ENTRY_BAD,    /* no entry, or it leads outside */
};

/* §4.3.12: one entry of the directory. */
static enum entry take_entry(struct dec *dec, struct str archive,
			     struct zip_member *member)
{
	if (!str_same(dec_bytes(dec, 4), ENTRY_MARK))
		return ENTRY_BAD;
	(void)dec_u32(dec); /* versions */
	unsigned flags = dec_u16(dec), method = dec_u16(dec);

	(void)dec_u32(dec); /* time and date */
	member->crc = dec_u32(dec);
	uint32_t packed_len = dec_u32(dec);

	member->size = dec_u32(dec);
	size_t name_len = dec_u16(dec), extra_len = dec_u16(dec);
	size_t comment_len = dec_u16(dec);

	(void)dec_u64(dec); /* disk and attributes */
	uint32_t at = dec_u32(dec);

	member->name = dec_bytes(dec, name_len);
	(void)dec_bytes(dec, extra_len + comment_len);
	if (!dec_ok(dec))
		return ENTRY_BAD;
	if (str_ends(member->name, STR("/")))
		return ENTRY_FOLDER;
	member->method = method == ZIP_STORED ? ZIP_STORED : ZIP_DEFLATED;
	if ((method != ZIP_STORED && method != ZIP_DEFLATED) || (flags & ENCRYPTED) != 0)
		return ENTRY_SEALED;
	return find_packed(archive, at, packed_len, &member->packed) ? ENTRY_FILE
								     : ENTRY_BAD;
}

bool zip_walk_over(struct str archive, struct zip_walk *walk)
{
	size_t end;

	if (!zip_is(archive) || !find_end(archive, &end))
		return false;
	struct dec dec = dec_over(str_skip(archive, end + 10));

	*walk = (struct zip_walk){.archive = archive,
				  .left = num_min(dec_u16(&dec), ZIP_WALK_MAX)};
	(void)dec_u32(&dec); /* the directory's size */
	walk->dec = dec_over(str_skip(archive, dec_u32(&dec)));
	return true;
}

static enum entry next_entry(struct zip_walk *walk, struct zip_member *member)
{
	if (walk->left == 0)
		return ENTRY_BAD;
	walk->left--;
	*member = (struct zip_member){.size = 0};
	return take_entry(&walk->dec, walk->archive, member);
}

bool zip_next(struct zip_walk *walk, struct zip_member *member)
{
	enum entry entry;

	do
		entry = next_entry(walk, member);
	while (entry == ENTRY_FOLDER || entry == ENTRY_SEALED);
	return entry == ENTRY_FILE;
}

bool zip_first(struct str archive, struct zip_member *member)
{
	struct zip_member found;
	struct zip_walk walk;
	enum entry entry;

	if (!zip_walk_over(archive, &walk))
		return false;
	walk.left = num_min(walk.left, ZIP_MEMBERS_MAX);
	do
		entry = next_entry(&walk, &found);
	while (entry == ENTRY_FOLDER);
	if (entry == ENTRY_FILE)
		*member = found;
	return entry == ENTRY_FILE;
}
