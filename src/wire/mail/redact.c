#include "wire/mail/redact.h"

#include "wire/mail/address.h"
#include "wire/mail/header.h"

enum {
	LINE = 78,          /* RFC 5322 §2.1.1 */
	WORD_MAX = 900,     /* a longer one is cut, so that its line has 998 at most */
	NAME_MAX = 70,      /* of a field */
	ADDRESSES_MAX = 20, /* of a field */
	DOMAIN_MAX = 255,
};

enum treatment {
	ADDRESSES, /* a list of them */
	WAY,       /* addresses somewhere in it */
	AS_IT_IS,
	TYPE, /* up to the parameters, which have names of files */
	GONE,
};

static enum treatment treatment_of(struct str name)
{
	static const struct {
		struct str name;
		enum treatment treatment;
	} known[] = {
		{STR("From"), ADDRESSES},
		{STR("Sender"), ADDRESSES},
		{STR("Reply-To"), ADDRESSES},
		{STR("To"), ADDRESSES},
		{STR("Cc"), ADDRESSES},
		{STR("Resent-From"), ADDRESSES},
		{STR("Resent-Sender"), ADDRESSES},
		{STR("Resent-To"), ADDRESSES},
		{STR("Resent-Cc"), ADDRESSES},
		{STR("Return-Path"), ADDRESSES},
		{STR("Delivered-To"), ADDRESSES},
		{STR("Received"), WAY},
		{STR("Received-SPF"), WAY},
		{STR("Authentication-Results"), WAY},
		{STR("DKIM-Signature"), WAY},
		{STR("ARC-Authentication-Results"), WAY},
		{STR("ARC-Message-Signature"), WAY},
		{STR("ARC-Seal"), WAY},
		{STR("List-Id"), WAY},
		{STR("Date"), AS_IT_IS},
		{STR("Message-ID"), AS_IT_IS},
		{STR("MIME-Version"), AS_IT_IS},
		{STR("Content-Transfer-Encoding"), AS_IT_IS},
		{STR("Auto-Submitted"), AS_IT_IS},
		{STR("Precedence"), AS_IT_IS},
		{STR("Content-Type"), TYPE},
	};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_same_nocase(name, known[i].name))
			return known[i].treatment;
	return GONE;
}

/* ---- addresses --------------------------------------------------------------------- */

static void add_letters(struct str local, struct hash_key key, struct buf *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	SCOPED(buf_fini) struct buf lower = BUF(MAIL_REDACTED_VALUE_MAX);

	for (size_t i = 0; i < local.len; i++)
		buf_add_byte(&lower, ascii_lower(local.ptr[i]));
	uint64_t bits = siphash(key, buf_str(&lower));

	for (size_t i = 0; i < MAIL_REDACTED_LETTERS; i++, bits >>= 5)
		buf_add_byte(out, letters[bits & 31]);
}

static void add_address(struct str local, struct str domain, struct hash_key key,
			struct buf *out)
{
	size_t at = str_rfind_byte(domain, '@'); /* one that was misread has some */

	if (at < domain.len)
		domain = str_skip(domain, at + 1);
	if (local.len > 0)
		add_letters(local, key, out);
	buf_printf(out, "@%.*s", STR_FMT(str_first(domain, DOMAIN_MAX)));
}

void mail_redact_address(struct str address, struct hash_key key, struct buf *out)
{
	size_t at = str_rfind_byte(address, '@');

	if (at < address.len)
		add_address(str_first(address, at), str_skip(address, at + 1), key, out);
	else if (address.len > 0)
		add_letters(address, key, out);
}

/* As a list, without names and groups. */
static void add_addresses(struct str value, struct hash_key key, struct arena *scratch,
			  struct buf *text)
{
	struct mail_addresses all = mail_addresses_parse(scratch, value, ADDRESSES_MAX);
	size_t count = 0;

	for (size_t i = 0; i < all.count; i++) {
		const struct mail_address *one = &all.items[i];

		if (one->kind != MAIL_MAILBOX || one->local.len + one->domain.len == 0)
			continue;
		buf_add_c(text, count++ > 0 ? ", <" : "<");
		if (one->domain.len > 0)
			add_address(one->local, one->domain, key, text);
		else if (one->local.len > 0)
			add_letters(one->local, key, text);
		buf_add_byte(text, '>');
	}
	if (count == 0)
		buf_add_byte(text, '-');
}

/* ---- addresses in other text ------------------------------------------------------- */

static bool ends_local(char c)
{
	return (unsigned char)c <= ' ' || strchr("<>()[],;:\"\\@", c) != NULL;
}

/* Where the local part in front of text[at], an "@", begins; not before from. */
static size_t local_begin(struct str text, size_t from, size_t at)
{
	size_t begin = at;

	if (begin > from && text.ptr[begin - 1] == '"') {
		size_t quote =
			str_rfind_byte(str_skip(str_first(text, begin - 1), from), '"');

		return from + quote < begin - 1 ? from + quote : from;
	}
	while (begin > from && !ends_local(text.ptr[begin - 1]))
		begin--;
	return begin;
}

/* "smtp.mailfrom=": is no part of the address behind it. */
static size_t property_len(struct str word)
{
	static const struct str names[] = {
		STR("smtp.mailfrom="), STR("smtp.rcptto="), STR("smtp.auth="),
		STR("header.from="),   STR("header.i="),    STR("header.sender="),
		STR("envelope-from="), STR("i="),
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_starts_nocase(word, names[i]))
			return names[i].len;
	return 0;
}

/* Servers write into Received who has logged in there, each in its own way. */
static bool names_a_user(struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (str_starts_nocase(str_skip(value, i), STR("auth")) &&
		    !str_starts_nocase(str_skip(value, i), STR("authentication-results")))
			return true;
	return false;
}

static struct str unquoted(struct str local)
{
	bool is_quoted =
		local.len > 1 && local.ptr[0] == '"' && local.ptr[local.len - 1] == '"';

	return is_quoted ? str_first(str_skip(local, 1), local.len - 2) : local;
}

static void add_way(struct str value, struct hash_key key, struct buf *text)
{
	size_t done = 0;

	for (size_t at = 0; at < value.len; at++) {
		if (value.ptr[at] != '@')
			continue;
		size_t begin = local_begin(value, done, at);

		begin += property_len(str_first(str_skip(value, begin), at - begin));
		buf_add(text, str_first(str_skip(value, done), begin - done));
		if (begin < at)
			add_letters(
				unquoted(str_first(str_skip(value, begin), at - begin)),
				key, text);
		buf_add_byte(text, '@');
		done = at + 1;
	}
	buf_add(text, str_skip(value, done));
}

/* ---- fields ------------------------------------------------------------------------ */

static void add_word(struct str word, struct buf *out)
{
	for (size_t i = 0; i < word.len && i < WORD_MAX; i++) {
		char c = word.ptr[i];

		buf_add_byte(out, c > ' ' && c < 127 ? c : '?');
	}
}

static struct str next_word(struct str *text)
{
	size_t len = 0;

	while (len < text->len && text->ptr[len] != ' ' && text->ptr[len] != '\t')
		len++;
	struct str word = str_first(*text, len);

	*text = str_skip(*text, len + 1);
	return word;
}

static void add_folded(struct str name, struct str text, struct buf *out)
{
	size_t column = name.len + 1;

	buf_printf(out, "%.*s:", STR_FMT(name));
	while (text.len > 0) {
		struct str word = next_word(&text);

		if (word.len == 0)
			continue;
		if (column + 1 + word.len > LINE) {
			buf_add_c(out, "\r\n");
			column = 0;
		}
		buf_add_byte(out, ' ');
		add_word(word, out);
		column += 1 + word.len;
	}
	buf_add_c(out, "\r\n");
}

static void add_value(const struct mail_field *field, struct hash_key key,
		      struct arena *scratch, struct buf *text)
{
	enum treatment treatment = treatment_of(field->name);
	struct str line;

	if (field->value.len > MAIL_REDACTED_VALUE_MAX ||
	    !mail_unfold(scratch, field->value, &line))
		treatment = GONE;
	switch (treatment) {
	case ADDRESSES:
		add_addresses(line, key, scratch, text);
		return;
	case WAY:
		if (str_same_nocase(field->name, STR("Received")) && names_a_user(line))
			break;
		add_way(line, key, text);
		return;
	case AS_IT_IS:
		buf_add(text, line);
		return;
	case TYPE:
		buf_add(text, str_trim(str_cut(&line, ';')));
		return;
	case GONE:
		break;
	}
	buf_add_byte(text, '-');
}

static bool is_plain_name(struct str name)
{
	bool is_plain = name.len > 0 && name.len <= NAME_MAX;

	for (size_t i = 0; i < name.len && is_plain; i++)
		is_plain = name.ptr[i] > ' ' && name.ptr[i] < 127;
	return is_plain;
}

void mail_redact(struct str header, struct hash_key key, struct arena *scratch,
		 struct buf *out)
{
	struct mail_fields fields =
		mail_fields_over(str_first(header, MAIL_REDACTED_BYTES_MAX));
	SCOPED(buf_fini) struct buf text = BUF(4 * MAIL_REDACTED_VALUE_MAX + 100);
	SCOPED(buf_fini) struct buf field_text = BUF(8 * MAIL_REDACTED_VALUE_MAX);
	struct mail_field field;

	for (size_t i = 0; i < MAIL_REDACTED_FIELDS_MAX; i++) {
		if (!mail_fields_next(&fields, &field))
			return;
		buf_reset(&text);
		buf_reset(&field_text);
		add_value(&field, key, scratch, &text);
		if (!is_plain_name(field.name) || !buf_ok(&text))
			continue;
		add_folded(field.name, buf_str(&text), &field_text);
		if (!buf_ok(&field_text) || field_text.len > out->max - out->len)
			return;
		buf_add(out, buf_str(&field_text));
	}
}
