#include "storage/words.h"

#include "base/codec.h"

static bool words_have(struct str words, struct str word)
{
	struct dec d = dec_over(words);

	while (d.rest.len > 0 && dec_ok(&d))
		if (str_same_nocase(dec_str(&d), word))
			return true;
	return false;
}

bool words_write(struct buf *buf, const struct keywords *keywords)
{
	size_t from = buf->len;

	if (keywords->count > KEYWORDS_MAX)
		return false;
	for (size_t i = 0; i < keywords->count; i++) {
		struct str word = keywords->words[i];

		if (word.len == 0 || word.len > KEYWORD_BYTES_MAX)
			return false;
		if (!words_have(str_skip(buf_str(buf), from), word))
			enc_str(buf, word);
	}
	return buf_ok(buf);
}

size_t words_count(struct str words)
{
	struct dec d = dec_over(words);
	size_t count = 0;

	while (d.rest.len > 0 && dec_ok(&d)) {
		(void)dec_str(&d);
		count++;
	}
	return count;
}

/* Appends those of `words` that `other` has, or has not; returns how many. */
static size_t add_those(struct buf *buf, struct str words, struct str other, bool wanted)
{
	struct dec d = dec_over(words);
	size_t count = 0;

	while (d.rest.len > 0 && dec_ok(&d)) {
		struct str word = dec_str(&d);

		if (words_have(other, word) == wanted) {
			enc_str(buf, word);
			count++;
		}
	}
	return count;
}

bool words_combine(struct buf *buf, struct str old, enum flags_mode mode,
		   struct str operand)
{
	size_t kept;

	switch (mode) {
	case FLAGS_ADD:
		buf_add(buf, old);
		return operand.len > 0 && add_those(buf, operand, old, false) > 0;
	case FLAGS_REMOVE:
		if (old.len == 0)
			return false;
		return add_those(buf, old, operand, false) != words_count(old);
	case FLAGS_SET:
		/* In the old order, so that setting the same set changes nothing. */
		kept = add_those(buf, old, operand, true);
		return add_those(buf, operand, old, false) > 0 ||
		       kept != words_count(old);
	}
	return false;
}

bool words_read(struct str words, struct arena *arena, struct keywords *keywords)
{
	size_t count = words_count(words);
	struct str *list = ARENA_ARRAY(arena, struct str, count);
	struct dec d = dec_over(words);

	*keywords = (struct keywords){list, count};
	for (size_t i = 0; list && i < count; i++)
		list[i] = dec_str(&d);
	return list;
}
