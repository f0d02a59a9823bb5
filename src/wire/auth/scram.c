#include "wire/auth/scram.h"

#include "base/base64.h"
#include "base/num.h"
#include "base/utf8.h"

enum { BINDING_MAX = 16 * 1024 }; /* a header as long as a SASL line, and some channel */

static const struct str error_texts[] = {
	[SCRAM_FINE] = {"", 0},
	[SCRAM_INVALID_ENCODING] = {"invalid-encoding", 16},
	[SCRAM_EXTENSIONS_NOT_SUPPORTED] = {"extensions-not-supported", 24},
	[SCRAM_INVALID_PROOF] = {"invalid-proof", 13},
	[SCRAM_BINDINGS_DONT_MATCH] = {"channel-bindings-dont-match", 27},
	[SCRAM_SERVER_DOES_SUPPORT_BINDING] = {"server-does-support-channel-binding", 35},
	[SCRAM_BINDING_NOT_SUPPORTED] = {"channel-binding-not-supported", 29},
	[SCRAM_UNSUPPORTED_BINDING_TYPE] = {"unsupported-channel-binding-type", 32},
	[SCRAM_UNKNOWN_USER] = {"unknown-user", 12},
	[SCRAM_INVALID_USERNAME_ENCODING] = {"invalid-username-encoding", 25},
	[SCRAM_NO_RESOURCES] = {"no-resources", 12},
	[SCRAM_OTHER_ERROR] = {"other-error", 11},
};

/* The attributes of a message, which commas part. */
struct attributes {
	struct str rest;
	bool is_over;
};

static struct attributes attributes_over(struct str text)
{
	return (struct attributes){.rest = text};
}

static struct str attribute_next(struct attributes *list)
{
	list->is_over = str_find_byte(list->rest, ',') == list->rest.len;
	return str_cut(&list->rest, ',');
}

/* The value of the next attribute, which must have this name. */
static bool value_take(struct attributes *list, const char name[2], struct str *value)
{
	struct attributes at = *list;
	struct str prefix = {name, 2};

	if (at.is_over)
		return false;
	struct str attribute = attribute_next(&at);

	if (!str_starts(attribute, prefix) || attribute.len == prefix.len)
		return false;
	*value = str_skip(attribute, prefix.len);
	*list = at;
	return true;
}

/* extensions = attr-val *("," attr-val).  Unknown ones are ignored, but "m" asks for
 * something that must be understood.  RFC 5802 §5.1. */
static enum scram_error extensions_skip(struct attributes *list)
{
	while (!list->is_over) {
		struct str one = attribute_next(list);

		if (one.len < 3 || one.ptr[1] != '=' || ascii_lower(one.ptr[0]) < 'a' ||
		    ascii_lower(one.ptr[0]) > 'z')
			return SCRAM_INVALID_ENCODING;
		if (one.ptr[0] == 'm')
			return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	}
	return SCRAM_FINE;
}

/* No NUL, and UTF-8. */
static bool text_is_valid(struct str text)
{
	return utf8_valid(text) && str_find_byte(text, '\0') == text.len;
}

/* printable = %x21-2B / %x2D-7E, at least one here; the attribute ends at a comma. */
bool scram_nonce_is_valid(struct str nonce)
{
	for (size_t i = 0; i < nonce.len; i++)
		if (nonce.ptr[i] < 0x21 || nonce.ptr[i] > 0x7e)
			return false;
	return nonce.len > 0;
}

static bool hash_read(struct str text, unsigned char hash[SCRAM_HASH_BYTES])
{
	SCOPED(buf_fini) struct buf buf = BUF(SCRAM_HASH_BYTES + 3);

	if (text.len != (SCRAM_HASH_BYTES + 2) / 3 * 4 || !base64_decode(text, &buf) ||
	    buf.len != SCRAM_HASH_BYTES)
		return false;
	memcpy(hash, buf.ptr, SCRAM_HASH_BYTES);
	return true;
}

static enum scram_error of_gs2(enum gs2_result result)
{
	switch (result) {
	case GS2_FINE:
		return SCRAM_FINE;
	case GS2_MALFORMED:
		return SCRAM_INVALID_ENCODING;
	case GS2_BAD_NAME:
		return SCRAM_INVALID_USERNAME_ENCODING;
	case GS2_NO_ROOM:
		break;
	}
	return SCRAM_NO_RESOURCES;
}

/* client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions] */
static enum scram_error first_bare_parse(struct arena *arena,
					 struct scram_client_first *first)
{
	struct attributes list = attributes_over(first->bare);
	struct str username;

	if (str_starts(first->bare, STR("m=")))
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	if (!value_take(&list, "n=", &username))
		return SCRAM_INVALID_ENCODING;
	enum scram_error error = of_gs2(gs2_name_read(username, arena, &first->username));

	if (error != SCRAM_FINE)
		return error;
	if (!value_take(&list, "r=", &first->nonce) ||
	    !scram_nonce_is_valid(first->nonce) || !text_is_valid(first->bare))
		return SCRAM_INVALID_ENCODING;
	return extensions_skip(&list);
}

enum scram_error scram_client_first_parse(struct str message, struct arena *arena,
					  struct scram_client_first *first)
{
	struct cursor c = cur_over(message);
	struct scram_client_first found = {0};
	enum scram_error error = of_gs2(gs2_header_take(&c, arena, &found.gs2));

	if (error != SCRAM_FINE)
		return error;
	found.bare = (struct str){c.at, (size_t)(c.end - c.at)};
	error = first_bare_parse(arena, &found);
	if (error == SCRAM_FINE)
		*first = found;
	return error;
}

enum scram_error scram_binding_check(const struct scram_client_first *first,
				     enum scram_mechanism chosen,
				     enum scram_mechanism offered)
{
	switch (first->gs2.binding) {
	case GS2_NO_BINDING:
		break;
	case GS2_BINDING_UNSEEN: /* somebody took -PLUS out of our list */
		if (offered == SCRAM_SHA_256_PLUS)
			return SCRAM_SERVER_DOES_SUPPORT_BINDING;
		break;
	case GS2_BINDING_USED:
		if (offered != SCRAM_SHA_256_PLUS || chosen != SCRAM_SHA_256_PLUS)
			return SCRAM_BINDING_NOT_SUPPORTED;
		if (first->gs2.channel == GS2_CHANNEL_OTHER)
			return SCRAM_UNSUPPORTED_BINDING_TYPE;
		return SCRAM_FINE;
	}
	return chosen == SCRAM_SHA_256_PLUS ? SCRAM_BINDINGS_DONT_MATCH : SCRAM_FINE;
}

void scram_server_first_add(struct buf *buf, struct str client_nonce,
			    struct str server_nonce, struct str salt, uint32_t iterations)
{
	ASSERT(scram_nonce_is_valid(client_nonce) && scram_nonce_is_valid(server_nonce));
	ASSERT(iterations > 0);
	buf_add(buf, STR("r="));
	buf_add(buf, client_nonce);
	buf_add(buf, server_nonce);
	buf_add(buf, STR(",s="));
	base64_add(buf, salt);
	buf_add(buf, STR(",i="));
	buf_add_u64(buf, iterations);
}

/* client-final-message = channel-binding "," nonce ["," extensions] "," proof.  No value
 * holds a comma, so the proof begins at the last. */
enum scram_error scram_client_final_parse(struct str message,
					  struct scram_client_final *final)
{
	size_t last = str_rfind_byte(message, ',');
	struct scram_client_final found = {.without_proof = str_first(message, last)};
	struct attributes list = attributes_over(found.without_proof);
	struct str proof = str_skip(message, last + 1);

	if (!text_is_valid(message) || str_starts(message, STR("m=")))
		return text_is_valid(message) ? SCRAM_EXTENSIONS_NOT_SUPPORTED
					      : SCRAM_INVALID_ENCODING;
	if (!value_take(&list, "c=", &found.binding) ||
	    !value_take(&list, "r=", &found.nonce) ||
	    !scram_nonce_is_valid(found.nonce) || !str_starts(proof, STR("p=")))
		return SCRAM_INVALID_ENCODING;
	enum scram_error error = extensions_skip(&list);

	if (error != SCRAM_FINE)
		return error;
	if (!hash_read(str_skip(proof, 2), found.proof))
		return SCRAM_INVALID_PROOF;
	*final = found;
	return SCRAM_FINE;
}

/* cbind-input = gs2-header [cbind-data], in base64 */
static void binding_add(struct buf *buf, struct str gs2_header, struct str channel_data)
{
	SCOPED(buf_fini) struct buf input = BUF(BINDING_MAX);

	buf_add(&input, gs2_header);
	buf_add(&input, channel_data);
	if (buf_ok(&input))
		base64_add(buf, buf_str(&input));
	else
		buf->failed = true;
}

enum scram_error scram_final_check(const struct scram_client_final *final,
				   const struct scram_client_first *first,
				   struct str nonce, struct str channel_data)
{
	SCOPED(buf_fini) struct buf binding = BUF(2 * BINDING_MAX);

	if (!str_same_secret(final->nonce, nonce))
		return SCRAM_OTHER_ERROR;
	binding_add(&binding, first->gs2.text, channel_data);
	return buf_ok(&binding) && str_same_secret(final->binding, buf_str(&binding))
		       ? SCRAM_FINE
		       : SCRAM_BINDINGS_DONT_MATCH;
}

static struct str hash_str(const unsigned char hash[SCRAM_HASH_BYTES])
{
	return (struct str){(const char *)hash, SCRAM_HASH_BYTES};
}

void scram_server_final_add(struct buf *buf,
			    const unsigned char signature[SCRAM_HASH_BYTES])
{
	buf_add(buf, STR("v="));
	base64_add(buf, hash_str(signature));
}

void scram_error_add(struct buf *buf, enum scram_error error)
{
	ASSERT(error != SCRAM_FINE && error < COUNT_OF(error_texts));
	buf_add(buf, STR("e="));
	buf_add(buf, error_texts[error]);
}

void scram_auth_message_add(struct buf *buf, struct str client_first_bare,
			    struct str server_first, struct str final_without_proof)
{
	buf_add(buf, client_first_bare);
	buf_add_byte(buf, ',');
	buf_add(buf, server_first);
	buf_add_byte(buf, ',');
	buf_add(buf, final_without_proof);
}

void scram_client_first_bare_add(struct buf *buf, struct str username, struct str nonce)
{
	ASSERT(scram_nonce_is_valid(nonce));
	buf_add(buf, STR("n="));
	gs2_name_add(buf, username);
	buf_add(buf, STR(",r="));
	buf_add(buf, nonce);
}

/* posit-number = %x31-39 *DIGIT */
static bool iterations_read(struct str text, uint32_t *iterations)
{
	uint64_t number;

	if (str_starts(text, STR("0")) || !num_parse(text, SCRAM_ITERATIONS_MAX, &number))
		return false;
	*iterations = (uint32_t)number;
	return true;
}

static bool salt_read(struct str text, struct arena *arena, struct str *salt)
{
	SCOPED(buf_fini) struct buf buf = BUF(text.len);

	return base64_decode(text, &buf) && arena_copy(arena, buf_str(&buf), salt);
}

/* server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count
 *                        ["," extensions]
 * The client MUST verify that the nonce begins with its own; one that adds nothing to it
 * would make the proof replayable.  RFC 5802 §5.1. */
enum scram_error scram_server_first_parse(struct str message, struct str client_nonce,
					  struct arena *arena,
					  struct scram_server_first *first)
{
	struct attributes list = attributes_over(message);
	struct scram_server_first found;
	struct str salt, iterations;

	if (!text_is_valid(message))
		return SCRAM_INVALID_ENCODING;
	if (str_starts(message, STR("m=")))
		return SCRAM_EXTENSIONS_NOT_SUPPORTED;
	if (!value_take(&list, "r=", &found.nonce) ||
	    !scram_nonce_is_valid(found.nonce) || !value_take(&list, "s=", &salt) ||
	    !value_take(&list, "i=", &iterations) ||
	    !iterations_read(iterations, &found.iterations) ||
	    !salt_read(salt, arena, &found.salt))
		return SCRAM_INVALID_ENCODING;
	if (!str_starts(found.nonce, client_nonce) || found.nonce.len == client_nonce.len)
		return SCRAM_OTHER_ERROR;
	enum scram_error error = extensions_skip(&list);

	if (error == SCRAM_FINE)
		*first = found;
	return error;
}

void scram_final_without_proof_add(struct buf *buf, struct str gs2_header,
				   struct str channel_data, struct str nonce)
{
	buf_add(buf, STR("c="));
	binding_add(buf, gs2_header, channel_data);
	buf_add(buf, STR(",r="));
	buf_add(buf, nonce);
}

void scram_proof_add(struct buf *buf, const unsigned char proof[SCRAM_HASH_BYTES])
{
	buf_add(buf, STR(",p="));
	base64_add(buf, hash_str(proof));
}

/* Unrecognized errors are treated as "other-error".  RFC 5802 §7. */
static enum scram_error error_find(struct str text)
{
	for (size_t i = SCRAM_FINE + 1; i < COUNT_OF(error_texts); i++)
		if (str_same(text, error_texts[i]))
			return (enum scram_error)i;
	return SCRAM_OTHER_ERROR;
}

/* server-final-message = (server-error / verifier) ["," extensions] */
bool scram_server_final_parse(struct str message, struct scram_server_final *final)
{
	struct attributes list = attributes_over(message);
	struct scram_server_final found = {.error = SCRAM_FINE};
	struct str value;

	if (!text_is_valid(message))
		return false;
	if (value_take(&list, "e=", &value))
		found.error = error_find(value);
	else if (!value_take(&list, "v=", &value) || !hash_read(value, found.signature))
		return false;
	if (extensions_skip(&list) != SCRAM_FINE)
		return false;
	*final = found;
	return true;
}
