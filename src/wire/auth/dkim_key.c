#include "wire/auth/dkim_key.h"

#include "base/base64.h"

bool dkim_base64(struct str value, struct arena *arena, struct str *bytes)
{
	SCOPED(buf_fini) struct buf text = BUF(TAG_LIST_BYTES_MAX);
	SCOPED(buf_fini) struct buf out = BUF(TAG_LIST_BYTES_MAX);

	for (size_t i = 0; i < value.len; i++)
		if (!memchr(" \t\r\n", value.ptr[i], 4))
			buf_add_byte(&text, value.ptr[i]);
	return buf_ok(&text) && base64_decode(buf_str(&text), &out) &&
	       arena_copy(arena, buf_str(&out), bytes);
}

/* ---- RSA keys in DER: X.690 §8, RFC 8017 §A.1, RFC 5280 §4.1.2.7 --------------------
 */

/* Takes one value with this tag; false, and nothing moved, if it is not there whole. */
static bool take_der(struct str *rest, unsigned char tag, struct str *content)
{
	struct str at = *rest;

	if (at.len < 2 || (unsigned char)at.ptr[0] != tag)
		return false;
	size_t len = (unsigned char)at.ptr[1];

	at = str_skip(at, 2);
	if (len & 0x80) { /* the length of the length */
		size_t octets = len & 0x7f;

		if (octets == 0 || octets > 2 || at.len < octets)
			return false;
		len = 0;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | (unsigned char)at.ptr[i];
		at = str_skip(at, octets);
	}
	if (len > at.len)
		return false;
	*content = str_first(at, len);
	*rest = str_skip(at, len);
	return true;
}

/* A positive number, without its leading zeros. */
static bool take_number(struct str *rest, struct str *number)
{
	if (!take_der(rest, 0x02, number) || number->len == 0 || number->ptr[0] < 0)
		return false;
	while (number->len > 0 && number->ptr[0] == 0)
		*number = str_skip(*number, 1);
	return number->len > 0;
}

static bool rsa_public_key(struct str der, struct dkim_key *key)
{
	struct str sequence;

	return take_der(&der, 0x30, &sequence) && der.len == 0 &&
	       take_number(&sequence, &key->modulus) &&
	       take_number(&sequence, &key->exponent) && sequence.len == 0;
}

static bool subject_public_key_info(struct str der, struct dkim_key *key)
{
	static const char rsa_encryption[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
	struct str sequence, algorithm, oid, bits;

	return take_der(&der, 0x30, &sequence) && der.len == 0 &&
	       take_der(&sequence, 0x30, &algorithm) &&
	       take_der(&algorithm, 0x06, &oid) && str_same(oid, str_c(rsa_encryption)) &&
	       take_der(&sequence, 0x03, &bits) && sequence.len == 0 && bits.len > 1 &&
	       bits.ptr[0] == 0 && rsa_public_key(str_skip(bits, 1), key);
}

static bool read_public_key(struct str bytes, struct dkim_key *key)
{
	key->public_key = bytes;
	if (key->type == DKIM_KEY_ED25519)
		return bytes.len == DKIM_ED25519_BYTES;
	return subject_public_key_info(bytes, key) ||
	       rsa_public_key(bytes, key); /* BARE_RSA */
}

/* ---- the record -------------------------------------------------------------------- */

/* Whether the list with colons has one of the words; a list that is not there has. */
static bool lists(const struct tag *tag, const char *word, const char *or_word)
{
	struct str rest = tag ? tag->value : STR(""), item;

	while (tag && tag_item_next(&rest, &item))
		if (str_same(item, str_c(word)) || str_same(item, str_c(or_word)))
			return true;
	return !tag;
}

static bool has_flag(const struct tag *tag, const char *flag)
{
	return tag && lists(tag, flag, flag);
}

static enum dkim_key_flaw read_type(const struct tag_list *list, struct dkim_key *key)
{
	const struct tag *k = tag_list_find(list, "k");

	if (!k || str_same(k->value, STR("rsa")))
		key->type = DKIM_KEY_RSA;
	else if (str_same(k->value, STR("ed25519")))
		key->type = DKIM_KEY_ED25519;
	else
		return DKIM_KEY_OTHER_TYPE;
	return DKIM_KEY_FINE;
}

enum dkim_key_flaw dkim_key_parse(struct str record, struct arena *arena,
				  struct dkim_key *key)
{
	struct tag_list list;
	struct str bytes;

	*key = (struct dkim_key){0};
	if (tag_list_parse(record, &list) != TAG_LIST_FINE)
		return DKIM_KEY_SYNTAX;
	const struct tag *v = tag_list_find(&list, "v"), *p = tag_list_find(&list, "p");

	if (v && (v != &list.tags[0] || !str_same(v->value, STR("DKIM1"))))
		return DKIM_KEY_OTHER_VERSION;
	if (!p)
		return DKIM_KEY_MISSING;
	if (p->value.len == 0)
		return DKIM_KEY_REVOKED;
	if (read_type(&list, key) != DKIM_KEY_FINE)
		return DKIM_KEY_OTHER_TYPE;
	if (!lists(tag_list_find(&list, "h"), "sha256", "sha256"))
		return DKIM_KEY_OTHER_HASH;
	if (!lists(tag_list_find(&list, "s"), "email", "*"))
		return DKIM_KEY_OTHER_SERVICE;
	key->is_testing = has_flag(tag_list_find(&list, "t"), "y");
	key->is_strict = has_flag(tag_list_find(&list, "t"), "s");
	if (!dkim_base64(p->value, arena, &bytes) || !read_public_key(bytes, key))
		return DKIM_KEY_DAMAGED;
	return DKIM_KEY_FINE;
}

const char *dkim_key_flaw_text(enum dkim_key_flaw flaw)
{
	static const char *const texts[] = {
		[DKIM_KEY_FINE] = "the key record is fine",
		[DKIM_KEY_SYNTAX] = "the key record is no list of tags",
		[DKIM_KEY_OTHER_VERSION] = "the key record is not of version DKIM1",
		[DKIM_KEY_MISSING] = "the key record holds no key",
		[DKIM_KEY_REVOKED] = "the key was revoked",
		[DKIM_KEY_OTHER_TYPE] = "the key is of an unknown type",
		[DKIM_KEY_OTHER_HASH] = "the key is not for sha256",
		[DKIM_KEY_OTHER_SERVICE] = "the key is not for mail",
		[DKIM_KEY_DAMAGED] = "the key is damaged",
	};

	return texts[flaw];
}

size_t dkim_key_bits(const struct dkim_key *key)
{
	if (key->type == DKIM_KEY_ED25519)
		return 256;
	size_t bits = 8 * key->modulus.len;

	for (unsigned top = (unsigned char)key->modulus.ptr[0]; top < 0x80; top <<= 1)
		bits--;
	return bits;
}
