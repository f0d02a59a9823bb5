#include "wire/mail/encoded_word.h"

#include "base/base64.h"
#include "base/num.h"
#include "base/utf8.h"

enum { WORD_BYTES_MAX = 45 /* in base64 with all around it 72 octets, of 75 */ };

struct word {
	struct str charset, text;
	bool is_base64;
	size_t end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* token of RFC 2047 §2; "*" begins the language. */
static bool is_token(char c)
{
	return c > 32 && c < 127 && !strchr("()<>@,;:\\\"/[]?.=", c);
}

bool mail_words_any(struct str value)
{
	return str_find(value, STR("=?")) < value.len;
}

struct mail_words mail_words_over(struct str value, struct buf *decoded)
{
	return (struct mail_words){.value = value, .decoded = decoded};
}

/* The next "?=" at or after from; remembered, so that none is looked for twice. */
static size_t next_end(struct mail_words *w, size_t from)
{
	if (w->end_at < from || w->end_at == 0)
		w->end_at = from + str_find(str_skip(w->value, from), STR("?="));
	return w->end_at;
}

/* encoded-word = "=?" charset "?" encoding "?" encoded-text "?=".  RFC 2047 §2. */
static bool word_at(struct mail_words *w, size_t at, struct word *word)
{
	struct str v = w->value;
	size_t from = at + 2;

	if (v.len - at < 2 || v.ptr[at] != '=' || v.ptr[at + 1] != '?')
		return false;
	for (at = from; at < v.len && is_token(v.ptr[at]); at++)
		continue;
	word->charset = (struct str){v.ptr + from, at - from};
	word->charset.len = str_find_byte(word->charset, '*');
	if (word->charset.len == 0 || v.len - at < 3 || v.ptr[at] != '?' ||
	    v.ptr[at + 2] != '?')
		return false;
	char encoding = ascii_lower(v.ptr[at + 1]);

	if (encoding != 'q' && encoding != 'b')
		return false;
	word->is_base64 = encoding == 'b';
	from = at + 3;
	size_t end = next_end(w, from);

	if (end >= v.len)
		return false;
	word->text = (struct str){v.ptr + from, end - from};
	word->end = end + 2;
	return str_find(word->text, STR("=?")) == word->text.len;
}

/* The Q encoding.  RFC 2047 §4.2. */
static void add_q(struct buf *out, struct str text)
{
	char *to = text.len > 0 ? buf_room(out, text.len) : NULL;
	size_t len = 0;

	for (size_t i = 0; to && i < text.len; i++) {
		char c = text.ptr[i];
		int high = -1, low = -1;

		if (c == '=' && text.len - i > 2) {
			high = num_hex(text.ptr[i + 1]);
			low = num_hex(text.ptr[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		to[len++] = c;
	}
	if (to)
		buf_grew(out, len);
}

static void add_decoded(struct buf *out, const struct word *word)
{
	struct base64_body body = {0};

	if (!word->is_base64) {
		add_q(out, word->text);
		return;
	}
	base64_body_add(&body, word->text, out);
	base64_body_end(&body, out);
}

/* Joins what follows the word as long as it is a word of the same charset. */
static void encoded_run(struct mail_words *w, struct word word,
			struct mail_words_run *run)
{
	*run = (struct mail_words_run){.is_encoded = true, .charset = word.charset};
	buf_reset(w->decoded);
	for (;;) {
		add_decoded(w->decoded, &word);
		w->at = word.end;
		size_t at = w->at;

		while (at < w->value.len && is_space(w->value.ptr[at]))
			at++;
		if (!word_at(w, at, &word))
			break;
		w->at = at; /* RFC 2047 §6.2 */
		if (!str_same_nocase(word.charset, run->charset))
			break;
	}
	run->text = buf_str(w->decoded);
}

bool mail_words_next(struct mail_words *words, struct mail_words_run *run)
{
	struct str rest = str_skip(words->value, words->at);
	struct word word;
	size_t at = words->at;

	if (rest.len == 0)
		return false;
	if (word_at(words, at, &word)) {
		encoded_run(words, word, run);
		return true;
	}
	do {
		at++;
		at += str_find(str_skip(words->value, at), STR("=?"));
	} while (at < words->value.len && !word_at(words, at, &word));
	*run = (struct mail_words_run){.text = str_first(rest, at - words->at)};
	words->at = at;
	return true;
}

static void add_word(struct buf *buf, struct str text)
{
	buf_add_c(buf, "=?utf-8?B?");
	base64_add(buf, text);
	buf_add_c(buf, "?=");
}

void mail_words_add(struct buf *buf, struct str text)
{
	SCOPED(buf_fini) struct buf whole = BUF(3 * text.len);

	(void)utf8_add_repaired(&whole, text); /* whether it was broken or not */
	struct str rest = buf_str(&whole);
	while (rest.len > 0) {
		struct str word = utf8_first(rest, WORD_BYTES_MAX);

		add_word(buf, word);
		rest = str_skip(rest, word.len);
		if (rest.len > 0)
			buf_add_c(buf, "\r\n ");
	}
}
