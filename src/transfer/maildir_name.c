#include "transfer/maildir_name.h"

#include "base/num.h"
#include "store/types.h"
#include "wire/imap/mailbox_name.h"

static const struct {
	char letter;
	uint8_t flag;
} letters[] = {
	{'D', FLAG_DRAFT}, {'F', FLAG_FLAGGED}, {'R', FLAG_ANSWERED},
	{'S', FLAG_SEEN},  {'T', FLAG_DELETED},
};

static void read_letter(struct maildir_name *read, char letter)
{
	if (letter >= 'a' && letter <= 'z')
		read->keywords |= (uint32_t)1 << (letter - 'a');
	read->is_forwarded |= letter == 'P';
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if (letters[i].letter == letter)
			read->flags |= letters[i].flag;
}

struct maildir_name maildir_name_read(struct str name)
{
	struct maildir_name read = {0};
	size_t info = str_rfind_byte(name, ':');
	struct str flags = str_skip(name, info + 1);

	read.unique = str_first(name, info);
	read.unique = str_first(read.unique, str_find_byte(read.unique, ','));
	if (!str_starts(flags, STR("2,")))
		return read;
	flags = str_skip(flags, 2);
	flags = str_first(flags, str_find_byte(flags, ','));
	for (size_t i = 0; i < flags.len; i++)
		read_letter(&read, flags.ptr[i]);
	return read;
}

/* Letters stand in the order of ASCII. */
void maildir_flags_add(struct buf *out, uint8_t flags, bool is_forwarded,
		       uint32_t keywords)
{
	buf_add_c(out, ":2,");
	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if (letters[i].letter == 'R' && is_forwarded)
			buf_add_byte(out, 'P');
		if (flags & letters[i].flag)
			buf_add_byte(out, letters[i].letter);
	}
	for (unsigned i = 0; i < 26; i++)
		if (keywords & (uint32_t)1 << i)
			buf_add_byte(out, (char)('a' + i));
}

void maildir_level_read(struct buf *out, struct str level)
{
	for (size_t i = 0; i < level.len; i++) {
		int high = i + 2 < level.len ? num_hex(level.ptr[i + 1]) : -1;
		int low = high >= 0 ? num_hex(level.ptr[i + 2]) : -1;

		if (level.ptr[i] != '\\' || low < 0 || high * 16 + low == 0) {
			buf_add_byte(out, level.ptr[i]);
			continue;
		}
		buf_add_byte(out, (char)(high * 16 + low));
		i += 2;
	}
}

void maildir_level_add(struct buf *out, struct str level)
{
	SCOPED(buf_fini) struct buf utf7 = BUF(8 * MAILBOX_NAME_MAX);

	if (imap_mailbox_name_to_utf7(&utf7, level, false))
		level = buf_str(&utf7);
	for (size_t i = 0; i < level.len; i++) {
		if (level.ptr[i] == '.' || level.ptr[i] == '\\')
			buf_printf(out, "\\%02x", (unsigned char)level.ptr[i]);
		else
			buf_add_byte(out, level.ptr[i]);
	}
}
