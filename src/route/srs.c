#include "route/srs.h"

#include <openssl/hmac.h>

#include "base/log.h"
#include "directory/srs_keys.h"
#include "wire/mail/address.h"
#include "wire/smtp/path.h"
#include "wire/smtp/srs.h"

enum { HASH_LETTERS = 6, MAC_BYTES = 32, TEXT_MAX = 2 * SMTP_PATH_MAX };

static void add_lower(struct buf *text, struct str part)
{
	for (size_t i = 0; i < part.len; i++)
		buf_add_byte(text, ascii_lower(part.ptr[i]));
	buf_add_byte(text, '\0');
}

/* Thirty bits of the MAC: letters that survive a change of case. */
static void hash_of(const struct srs *srs, const struct srs_key *key,
		    char hash[HASH_LETTERS])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	SCOPED(buf_fini) struct buf text = BUF(TEXT_MAX);
	unsigned char mac[MAC_BYTES];
	uint64_t bits = 0;

	buf_add_byte(&text, srs->kind == SRS_FIRST ? '0' : '1');
	add_lower(&text, srs->day);
	add_lower(&text, srs->domain);
	add_lower(&text, srs->rest);
	ASSERT(buf_ok(&text)); /* parts of a path */
	struct str all = buf_str(&text);

	ASSERT(HMAC(EVP_sha256(), key->octets, SRS_KEY_BYTES,
		    (const unsigned char *)all.ptr, all.len, mac, NULL));
	for (size_t i = 0; i < sizeof bits; i++)
		bits = bits << 8 | mac[i];
	for (size_t i = 0; i < HASH_LETTERS; i++, bits >>= 5)
		hash[i] = letters[bits & 31];
}

/* ---- forward ----------------------------------------------------------------------- */

static enum srs_way is_foreign(const struct directory *directory, struct str domain,
			       struct arena *arena)
{
	struct directory_entry entry;

	switch (directory_find(directory, STR("postmaster"), domain, arena, &entry)) {
	case DIRECTORY_FOREIGN:
		return SRS_DONE;
	case DIRECTORY_ACCOUNT:
	case DIRECTORY_ALIAS:
	case DIRECTORY_NOBODY:
		return SRS_NONE;
	case DIRECTORY_UNKNOWN:
		break;
	}
	return SRS_LATER;
}

static enum srs_way newest_key(const struct directory *directory, struct srs_key *key)
{
	struct srs_keys keys;

	if (directory_srs_keys(directory, &keys) != STORE_OK || keys.count == 0)
		return SRS_LATER; /* the first is made when deliverd starts */
	*key = keys.keys[0];
	return SRS_DONE;
}

/* What was rewritten before keeps its first forwarder, however many there are. */
static struct srs rewritten(const struct smtp_path *path, struct str local,
			    struct str today)
{
	struct srs before;

	if (!srs_parse(local, &before))
		return (struct srs){SRS_FIRST, STR(""), today, path->domain, local};
	if (before.kind == SRS_NEXT)
		return before;
	return (struct srs){SRS_NEXT, STR(""), STR(""), path->domain,
			    str_skip(local, 4 /* SRS0 */)};
}

static enum srs_way write_address(const struct directory *directory,
				  const struct srs *srs, struct arena *arena,
				  struct str *address)
{
	SCOPED(buf_fini) struct buf local = BUF(TEXT_MAX);
	SCOPED(buf_fini) struct buf whole = BUF(2 * TEXT_MAX);
	struct smtp_path path;

	srs_add(&local, srs);
	mail_local_add(&whole, buf_str(&local));
	buf_printf(&whole, "@%.*s", STR_FMT(directory->default_domain));
	if (!buf_ok(&local) || !buf_ok(&whole) ||
	    !smtp_mailbox_parse(buf_str(&whole), SMTP_UTF8, &path) ||
	    whole.len > SMTP_PATH_MAX - 2) {
		LOG(INFO, "sender too long to be rewritten",
		    KV_STR("from", buf_str(&whole)));
		return SRS_NONE;
	}
	return arena_copy(arena, buf_str(&whole), address) ? SRS_DONE : SRS_LATER;
}

enum srs_way srs_forward(const struct directory *directory, struct str sender,
			 int64_t now_s, struct arena *arena, struct str *address)
{
	SCOPED(buf_fini) struct buf today = BUF(SRS_DAY_LETTERS);
	char hash[HASH_LETTERS];
	struct smtp_path path;
	struct srs_key key;
	struct str local;

	*address = sender;
	if (sender.len == 0 || directory->default_domain.len == 0 ||
	    !smtp_mailbox_parse(sender, SMTP_UTF8, &path))
		return SRS_NONE;
	if (!smtp_local_plain(path.local, arena, &local))
		return SRS_LATER;
	enum srs_way way = is_foreign(directory, path.domain, arena);

	if (way == SRS_DONE)
		way = newest_key(directory, &key);
	if (way != SRS_DONE)
		return way;
	srs_day_add(&today, now_s);
	struct srs srs = rewritten(&path, local, buf_str(&today));

	hash_of(&srs, &key, hash);
	srs.hash = (struct str){hash, HASH_LETTERS};
	explicit_bzero(&key, sizeof key);
	return write_address(directory, &srs, arena, address);
}

/* ---- back -------------------------------------------------------------------------- */

static bool is_ours(const struct srs *srs, const struct srs_keys *keys)
{
	char hash[HASH_LETTERS];

	for (size_t i = 0; i < keys->count; i++) {
		hash_of(srs, &keys->keys[i], hash);
		if (str_same_nocase((struct str){hash, HASH_LETTERS}, srs->hash))
			return true;
	}
	return false;
}

/* A second forwarder's has no day of its own: the first one's has. */
static bool is_expired(const struct srs *srs, int64_t now_s)
{
	int days = srs_days_since(srs->day, now_s);

	return srs->kind == SRS_FIRST && (days < 0 || days > SRS_GOOD_DAYS);
}

enum srs_way srs_back(const struct directory *directory, struct str local, int64_t now_s,
		      struct arena *arena, struct str *address)
{
	SCOPED(buf_fini) struct buf whole = BUF(TEXT_MAX);
	SCOPED(buf_fini) struct buf inner = BUF(TEXT_MAX);
	struct srs_keys keys;
	struct srs srs;

	if (!srs_is_meant(local))
		return SRS_NONE;
	if (!srs_parse(local, &srs) || local.len > SMTP_PATH_MAX)
		return SRS_FORGED;
	enum store_outcome outcome = directory_srs_keys(directory, &keys);

	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		return SRS_LATER;
	bool is_good = is_ours(&srs, &keys);

	explicit_bzero(&keys, sizeof keys);
	if (!is_good)
		return SRS_FORGED;
	if (is_expired(&srs, now_s))
		return SRS_EXPIRED;
	buf_printf(&inner, srs.kind == SRS_FIRST ? "%.*s" : "SRS0%.*s",
		   STR_FMT(srs.rest));
	mail_local_add(&whole, buf_str(&inner));
	buf_printf(&whole, "@%.*s", STR_FMT(srs.domain));
	return buf_ok(&whole) && arena_copy(arena, buf_str(&whole), address) ? SRS_DONE
									     : SRS_LATER;
}
