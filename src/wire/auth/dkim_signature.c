#include "wire/auth/dkim_signature.h"

#include "base/num.h"
#include "base/utf8.h"
#include "wire/auth/dkim_key.h"
#include "wire/dns/rdata.h"

static const char *const algorithms[] = {
	[DKIM_RSA_SHA256] = "rsa-sha256",
	[DKIM_ED25519_SHA256] = "ed25519-sha256",
	[DKIM_RSA_SHA1] = "rsa-sha1",
};

const char *dkim_algorithm_name(enum dkim_algorithm algorithm)
{
	return algorithms[algorithm];
}

static struct str value_of(const struct tag_list *list, const char *name)
{
	const struct tag *tag = tag_list_find(list, name);

	return tag ? tag->value : STR("");
}

static enum dkim_flaw read_algorithm(const struct tag_list *list,
				     struct dkim_signature *signature)
{
	struct str name = value_of(list, "a");

	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		if (!str_same_nocase(name, str_c(algorithms[i])))
			continue;
		signature->algorithm = (enum dkim_algorithm)i;
		return DKIM_FINE;
	}
	return DKIM_ALGORITHM;
}

static bool read_canon(struct str name, enum dkim_canon *canon)
{
	if (str_same_nocase(name, STR("relaxed")))
		*canon = DKIM_RELAXED;
	else if (str_same_nocase(name, STR("simple")))
		*canon = DKIM_SIMPLE;
	else
		return false;
	return true;
}

/* c=: the header's, and the body's, which is simple if it is not there. */
static enum dkim_flaw read_canons(const struct tag_list *list,
				  struct dkim_signature *signature)
{
	struct str rest = value_of(list, "c");

	if (rest.len == 0)
		return DKIM_FINE;
	bool has_body = str_find_byte(rest, '/') < rest.len;

	if (!read_canon(str_cut(&rest, '/'), &signature->header) ||
	    (has_body && !read_canon(rest, &signature->body)))
		return DKIM_CANON;
	return DKIM_FINE;
}

/* No white space and no controls: what is shown to people stays in its line. */
static bool is_one_word(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 127)
			return false;
	return text.len > 0;
}

/* "SELECTOR._domainkey.DOMAIN" has to be a name; one with U-labels is looked at when it
 * has become one with A-labels. */
static enum dkim_flaw read_domain(const struct tag_list *list, struct arena *arena,
				  struct dkim_signature *signature)
{
	if (!is_one_word(value_of(list, "d")) || !is_one_word(value_of(list, "s")))
		return DKIM_DOMAIN;
	signature->domain = value_of(list, "d");
	signature->selector = value_of(list, "s");
	struct str name =
		arena_printf(arena, "%.*s._domainkey.%.*s", STR_FMT(signature->selector),
			     STR_FMT(signature->domain));

	return utf8_ascii_len(name) < name.len || dns_name_is_valid(name) ? DKIM_FINE
									  : DKIM_DOMAIN;
}

/* The domain, or one below it. */
static bool is_within(struct str domain, struct str parent)
{
	if (domain.len <= parent.len)
		return str_same_nocase(domain, parent);
	struct str tail = str_skip(domain, domain.len - parent.len);

	return str_same_nocase(tail, parent) && tail.ptr[-1] == '.';
}

/* White space within does not count: RFC 6376 §2.11. */
static bool without_space(struct str value, struct arena *arena, struct str *word)
{
	char *to = arena_alloc(arena, value.len + 1, 1);

	*word = (struct str){to, 0};
	for (size_t i = 0; to && i < value.len; i++)
		if ((unsigned char)value.ptr[i] > ' ')
			to[word->len++] = value.ptr[i];
	return to;
}

static enum dkim_flaw read_identity(const struct tag_list *list, struct arena *arena,
				    struct dkim_signature *signature)
{
	const struct tag *i = tag_list_find(list, "i");
	struct str identity;

	if (!i)
		return DKIM_FINE;
	if (!without_space(i->value, arena, &identity))
		return DKIM_TOO_BIG;
	size_t at = str_rfind_byte(identity, '@');

	signature->identity = identity;
	signature->identity_domain = str_skip(identity, at + 1);
	return at < identity.len &&
			       is_within(signature->identity_domain, signature->domain)
		       ? DKIM_FINE
		       : DKIM_IDENTITY;
}

static bool is_field_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] == 127 || name.ptr[i] == ';')
			return false;
	return name.len > 0;
}

static enum dkim_flaw read_names(const struct tag_list *list, struct arena *arena,
				 struct dkim_signature *signature)
{
	struct str rest = value_of(list, "h"), name;
	bool has_from = false;
	size_t names_max = 1;

	for (size_t i = 0; i < rest.len && names_max < DKIM_NAMES_MAX; i++)
		names_max += rest.ptr[i] == ':';
	signature->names = ARENA_ARRAY(arena, struct str, names_max);
	if (!signature->names)
		return DKIM_TOO_BIG;
	while (tag_item_next(&rest, &name)) {
		if (!is_field_name(name))
			return DKIM_NAMES;
		if (signature->name_count == DKIM_NAMES_MAX)
			return DKIM_TOO_BIG;
		signature->names[signature->name_count++] = name;
		has_from = has_from || str_same_nocase(name, STR("From"));
	}
	return has_from ? DKIM_FINE : DKIM_FROM;
}

static enum dkim_flaw read_signature(const struct tag_list *list, struct arena *arena,
				     struct dkim_signature *signature)
{
	signature->b = tag_list_find(list, "b")->whole;
	return dkim_base64(value_of(list, "b"), arena, &signature->signature) &&
			       signature->signature.len > 0
		       ? DKIM_FINE
		       : DKIM_BASE64;
}

static enum dkim_flaw read_body_hash(const struct tag_list *list, struct arena *arena,
				     struct dkim_signature *signature)
{
	size_t hash = signature->algorithm == DKIM_RSA_SHA1 ? 20 : DKIM_HASH_BYTES;

	return dkim_base64(value_of(list, "bh"), arena, &signature->body_hash) &&
			       signature->body_hash.len == hash
		       ? DKIM_FINE
		       : DKIM_BASE64;
}

/* A number of at most so many digits; true, and not *has, if it is not there. */
static bool read_number(const struct tag_list *list, const char *name, size_t digits_max,
			bool *has, uint64_t *number)
{
	const struct tag *tag = tag_list_find(list, name);

	*has = tag;
	if (!tag)
		return true;
	if (tag->value.len > digits_max)
		return false;
	/* l= may have 76 digits: what is beyond all bodies is as good as infinite */
	struct str digits = tag->value;

	while (digits.len > 1 && digits.ptr[0] == '0')
		digits = str_skip(digits, 1);
	if (num_parse(digits, UINT64_MAX, number))
		return true;
	for (size_t i = 0; i < digits.len; i++)
		if (!is_ascii_digit((unsigned char)digits.ptr[i]))
			return false;
	*number = UINT64_MAX;
	return digits.len > 0;
}

static enum dkim_flaw read_numbers(const struct tag_list *list,
				   struct dkim_signature *signature)
{
	if (!read_number(list, "l", 76, &signature->has_length, &signature->length))
		return DKIM_LENGTH;
	if (!read_number(list, "t", 20, &signature->has_time, &signature->time) ||
	    !read_number(list, "x", 20, &signature->has_expiry, &signature->expiry) ||
	    (signature->has_time && signature->has_expiry &&
	     signature->expiry <= signature->time))
		return DKIM_TIME;
	return DKIM_FINE;
}

/* q= is a list with colons; we know one way to ask. */
static enum dkim_flaw read_query(const struct tag_list *list)
{
	const struct tag *q = tag_list_find(list, "q");
	struct str rest = q ? q->value : STR(""), item;

	while (tag_item_next(&rest, &item))
		if (str_same_nocase(item, STR("dns/txt")) ||
		    str_same_nocase(item, STR("dns")))
			return DKIM_FINE;
	return q ? DKIM_QUERY : DKIM_FINE;
}

static bool has_all(const struct tag_list *list, enum dkim_field field)
{
	static const char *const required[] = {"a", "b", "d", "s", "bh", "h", "v"};
	static const size_t counts[] = {
		[DKIM_FIELD] = 7,
		[DKIM_FIELD_ARC_MESSAGE] = 6,
		[DKIM_FIELD_ARC_SEAL] = 4,
	};

	for (size_t i = 0; i < counts[field]; i++)
		if (!tag_list_find(list, required[i]))
			return false;
	return true;
}

/* What a signature has that covers fields and a body. */
static enum dkim_flaw read_scope(const struct tag_list *list, struct arena *arena,
				 struct dkim_signature *signature)
{
	enum dkim_flaw flaw = read_canons(list, signature);

	if (flaw == DKIM_FINE)
		flaw = read_query(list);
	if (flaw == DKIM_FINE)
		flaw = read_body_hash(list, arena, signature);
	return flaw == DKIM_FINE ? read_names(list, arena, signature) : flaw;
}

enum dkim_flaw dkim_signature_read(enum dkim_field field, struct str value,
				   const struct tag_list *list, struct arena *arena,
				   struct dkim_signature *signature)
{
	*signature = (struct dkim_signature){.value = value};

	enum dkim_flaw flaw = read_domain(list, arena, signature);
	enum dkim_flaw algorithm = read_algorithm(list, signature);

	if (!has_all(list, field))
		return DKIM_MISSING;
	if (field == DKIM_FIELD && !str_same(value_of(list, "v"), STR("1")))
		return DKIM_VERSION;
	if (flaw == DKIM_FINE)
		flaw = algorithm;
	if (flaw == DKIM_FINE)
		flaw = read_signature(list, arena, signature);
	if (flaw == DKIM_FINE && field != DKIM_FIELD_ARC_SEAL)
		flaw = read_scope(list, arena, signature);
	signature->identity_domain = signature->domain;
	if (flaw == DKIM_FINE && field == DKIM_FIELD)
		flaw = read_identity(list, arena, signature);
	return flaw == DKIM_FINE ? read_numbers(list, signature) : flaw;
}

enum dkim_flaw dkim_tags_flaw(enum tag_list_outcome outcome)
{
	switch (outcome) {
	case TAG_LIST_FINE:
		return DKIM_FINE;
	case TAG_LIST_SYNTAX:
		return DKIM_TAGS;
	case TAG_LIST_TWICE:
		return DKIM_TAGS_TWICE;
	case TAG_LIST_TOO_LONG:
	case TAG_LIST_TOO_MANY:
		return DKIM_TOO_BIG;
	}
	return DKIM_TAGS;
}

enum dkim_flaw dkim_signature_parse(struct str value, struct arena *arena,
				    struct dkim_signature *signature)
{
	struct tag_list list;
	enum dkim_flaw flaw = dkim_tags_flaw(tag_list_parse(value, &list));

	*signature = (struct dkim_signature){.value = value};
	return flaw == DKIM_FINE
		       ? dkim_signature_read(DKIM_FIELD, value, &list, arena, signature)
		       : flaw;
}

const char *dkim_flaw_text(enum dkim_flaw flaw)
{
	static const char *const texts[] = {
		[DKIM_FINE] = "the signature field is fine",
		[DKIM_TAGS] = "the signature field is no list of tags",
		[DKIM_TAGS_TWICE] = "the signature field has a tag twice",
		[DKIM_TOO_BIG] = "the signature field is too big",
		[DKIM_MISSING] = "the signature field lacks a tag that each has",
		[DKIM_VERSION] = "the signature is of an unknown version",
		[DKIM_ALGORITHM] = "the algorithm of the signature is unknown",
		[DKIM_CANON] = "the canonical form of the signature is unknown",
		[DKIM_BASE64] = "the signature or the hash of the body is damaged",
		[DKIM_DOMAIN] = "domain and selector of the signature make no name",
		[DKIM_IDENTITY] = "the identity (i=) is not within the signing domain",
		[DKIM_NAMES] = "the list of signed fields (h=) is malformed",
		[DKIM_FROM] = "the signature does not cover From",
		[DKIM_LENGTH] = "the length (l=) of the signed body is no number",
		[DKIM_TIME] = "the times (t=, x=) of the signature make no sense",
		[DKIM_QUERY] = "the signature says of no way we know where its key is",
	};

	return texts[flaw];
}

void dkim_signature_bare(const struct dkim_signature *signature, struct buf *out)
{
	struct str value = signature->value, b = signature->b;
	size_t before = (size_t)(b.ptr - value.ptr);

	buf_add(out, str_first(value, before));
	buf_add(out, str_skip(value, before + b.len));
}
