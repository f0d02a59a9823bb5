#include "wire/smtp/srs.h"

enum { TAG_LEN = 4, DAY_S = 86400, LETTER_BITS = 5 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 §6 */

static bool is_sign(char b)
{
	return b == '=' || b == '+' || b == '-';
}

bool srs_is_meant(struct str local)
{
	struct str tag = str_first(local, TAG_LEN);

	return local.len > TAG_LEN && is_sign(local.ptr[TAG_LEN]) &&
	       (str_same_nocase(tag, STR("SRS0")) || str_same_nocase(tag, STR("SRS1")));
}

/* One word and the "=" behind it; false if there is none. */
static bool take(struct str *text, struct str *word)
{
	size_t len = str_find_byte(*text, '=');

	if (len == 0 || len == text->len)
		return false;
	*word = str_first(*text, len);
	*text = str_skip(*text, len + 1);
	return true;
}

bool srs_parse(struct str local, struct srs *srs)
{
	struct srs found = {.kind = SRS_FIRST};

	if (!srs_is_meant(local))
		return false;
	if (local.ptr[TAG_LEN - 1] == '1')
		found.kind = SRS_NEXT;
	struct str rest = str_skip(local, TAG_LEN + 1);

	if (!take(&rest, &found.hash) ||
	    (found.kind == SRS_FIRST && !take(&rest, &found.day)) ||
	    !take(&rest, &found.domain) || rest.len == 0)
		return false;
	if (found.kind == SRS_FIRST && found.day.len != SRS_DAY_LETTERS)
		return false;
	if (found.kind == SRS_NEXT && (rest.len < 2 || !is_sign(rest.ptr[0])))
		return false;
	found.rest = rest;
	*srs = found;
	return true;
}

void srs_add(struct buf *local, const struct srs *srs)
{
	buf_add_c(local, srs->kind == SRS_FIRST ? "SRS0=" : "SRS1=");
	buf_add(local, srs->hash);
	buf_add_byte(local, '=');
	if (srs->kind == SRS_FIRST) {
		buf_add(local, srs->day);
		buf_add_byte(local, '=');
	}
	buf_add(local, srs->domain);
	buf_add_byte(local, '=');
	buf_add(local, srs->rest);
}

static unsigned day_of(int64_t now_s)
{
	return (unsigned)((uint64_t)(now_s > 0 ? now_s : 0) / DAY_S % SRS_DAYS);
}

void srs_day_add(struct buf *to, int64_t now_s)
{
	unsigned day = day_of(now_s);

	buf_add_byte(to, letters[day >> LETTER_BITS]);
	buf_add_byte(to, letters[day & 31]);
}

int srs_days_since(struct str day, int64_t now_s)
{
	unsigned then = 0;

	if (day.len != SRS_DAY_LETTERS)
		return -1;
	for (size_t i = 0; i < SRS_DAY_LETTERS; i++) {
		struct str all = {letters, sizeof letters - 1};
		char letter = day.ptr[i] >= 'a' && day.ptr[i] <= 'z'
				      ? (char)(day.ptr[i] - 'a' + 'A')
				      : day.ptr[i];
		size_t at = str_find_byte(all, letter);

		if (at == all.len)
			return -1;
		then = then << LETTER_BITS | (unsigned)at;
	}
	return (int)((day_of(now_s) + SRS_DAYS - then) % SRS_DAYS);
}
