#include "store/grant.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/codec.h"

enum { GRANT_VERSION = 1, MAC_BYTES = 32 };

static struct str mac_of(const unsigned char key[GRANT_KEY_BYTES], struct str fields,
			 unsigned char mac[MAC_BYTES])
{
	unsigned len = 0;
	const unsigned char *done =
		HMAC(EVP_sha256(), key, GRANT_KEY_BYTES,
		     (const unsigned char *)fields.ptr, fields.len, mac, &len);

	ASSERT(done && len == MAC_BYTES);
	return (struct str){(const char *)mac, MAC_BYTES};
}

void grant_make(const unsigned char key[GRANT_KEY_BYTES], const struct grant *grant,
		struct buf *bytes)
{
	unsigned char mac[MAC_BYTES];
	size_t from = bytes->len;

	enc_u8(bytes, GRANT_VERSION);
	enc_u32(bytes, grant->account);
	enc_u32(bytes, grant->rights);
	enc_u64(bytes, grant->channel);
	enc_u64(bytes, grant->session);
	enc_u64(bytes, (uint64_t)grant->expires_at);
	enc_u32(bytes, grant->generation);
	if (buf_ok(bytes))
		buf_add(bytes, mac_of(key, str_skip(buf_str(bytes), from), mac));
}

static bool read_fields(struct str fields, struct grant *grant)
{
	struct dec dec = dec_over(fields);

	if (dec_u8(&dec) != GRANT_VERSION)
		return false;
	grant->account = dec_u32(&dec);
	grant->rights = dec_u32(&dec);
	grant->channel = dec_u64(&dec);
	grant->session = dec_u64(&dec);
	grant->expires_at = (int64_t)dec_u64(&dec);
	grant->generation = dec_u32(&dec);
	return dec_done(&dec);
}

bool grant_check(const unsigned char key[GRANT_KEY_BYTES], struct str bytes,
		 uint64_t channel, int64_t now, struct grant *grant)
{
	unsigned char mac[MAC_BYTES];

	*grant = (struct grant){0};
	if (bytes.len != GRANT_BYTES)
		return false;
	struct str fields = str_first(bytes, GRANT_BYTES - MAC_BYTES);

	if (!str_same_secret(mac_of(key, fields, mac), str_skip(bytes, fields.len)))
		return false;
	return read_fields(fields, grant) && grant->channel == channel &&
	       now < grant->expires_at;
}

static struct grant read_unchecked(struct str bytes)
{
	struct grant grant = {0};

	if (bytes.len != GRANT_BYTES ||
	    !read_fields(str_first(bytes, GRANT_BYTES - MAC_BYTES), &grant))
		return (struct grant){0};
	return grant;
}

uint32_t grant_generation(struct str bytes)
{
	return read_unchecked(bytes).generation;
}

uint64_t grant_channel(struct str bytes)
{
	return read_unchecked(bytes).channel;
}
