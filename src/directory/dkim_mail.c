#include "directory/dkim_mail.h"

#include "base/log.h"
#include "mailauth/arc_seal.h"
#include "mailauth/dkim_sign.h"
#include "rt/task.h"
#include "wire/mail/header.h"

enum { PIECE_BYTES = 256 * 1024 }; /* hashed in one go */

/* The signers' context. */
struct asking {
	struct vault *vault;
	const struct vault_author *author;
};

static err_t sign(void *context, const struct dkim_signer *signer,
		  const unsigned char hash[DKIM_HASH_BYTES], struct buf *signature)
{
	const struct vault_dkim name = {signer->domain, signer->selector};
	const struct asking *asking = context;

	switch (vault_sign_dkim(asking->vault, &name, asking->author, hash, signature)) {
	case VAULT_OK:
		return OK;
	case VAULT_REFUSED:
		LOG(ERROR, "DKIM key lost", KV_STR("key", signer->selector),
		    KV_STR("host", signer->domain));
		return ERR_ABSENT;
	case VAULT_LATER:
	case VAULT_DENIED:
	case VAULT_BANNED:
	case VAULT_CROWDED:
		break;
	}
	return ERR_TIMEOUT;
}

/* Those that sign now, at most DKIM_SIGNERS_MAX; the newest come last. */
static size_t choose(struct asking *asking, struct str domain,
		     const struct directory_dkim *keys, size_t count,
		     struct dkim_signer *signers)
{
	size_t chosen = 0;

	for (size_t i = 0; i < count && chosen < DKIM_SIGNERS_MAX; i++)
		if (keys[i].state == DKIM_KEY_ACTIVE)
			signers[chosen++] = (struct dkim_signer){
				.algorithm = keys[i].kind == VAULT_DKIM_RSA
						     ? DKIM_RSA_SHA256
						     : DKIM_ED25519_SHA256,
				.domain = domain,
				.selector = keys[i].selector,
				.sign = sign,
				.context = asking};
	return chosen;
}

/* With its blank line. */
static size_t header_bytes(struct str message)
{
	struct mail_fields fields = mail_fields_over(message);
	struct mail_field field;

	while (mail_fields_next(&fields, &field)) {
	}
	return fields.at;
}

static enum dkim_mail sign_with(const struct dkim_signer *signers, size_t count,
				struct str message, int64_t now_s, struct arena *arena,
				struct buf *fields)
{
	size_t header = header_bytes(message);
	SCOPED(dkim_sign_free)
	struct dkim_sign *one = dkim_sign_begin(str_first(message, header), arena);

	if (!one)
		return DKIM_MAIL_UNSIGNED;
	dkim_sign_feed(one, str_skip(message, header));
	err_t err = dkim_sign_end(one, signers, count, now_s, fields);

	if (err == ERR_ABSENT || err == ERR_LIMIT)
		return DKIM_MAIL_UNSIGNED;
	return err == OK ? DKIM_MAIL_SIGNED : DKIM_MAIL_LATER;
}

/* SIGNED: these are to sign, and there is one at least. */
static enum dkim_mail find_signers(const struct dkim_mailer *mailer, struct str *domain,
				   struct asking *asking, struct arena *arena,
				   struct dkim_signer *signers, size_t *count)
{
	struct directory_dkim *keys;

	*count = 0;
	if (!mailer || !mailer->vault)
		return DKIM_MAIL_UNSIGNED;
	asking->vault = mailer->vault;
	switch (directory_dkim(mailer->directory, domain, arena, &keys, count)) {
	case STORE_OK:
		break;
	case STORE_ABSENT:
	case STORE_INVALID:
		return DKIM_MAIL_UNSIGNED;
	case STORE_CONFLICT:
	case STORE_OVER_QUOTA:
	case STORE_DENIED:
	case STORE_DAMAGED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		return DKIM_MAIL_LATER;
	}
	*count = choose(asking, *domain, keys, *count, signers);
	return *count == 0 ? DKIM_MAIL_UNSIGNED : DKIM_MAIL_SIGNED;
}

enum dkim_mail dkim_mail_sign(const struct dkim_mailer *mailer, struct str domain,
			      const struct vault_author *author, struct str message,
			      int64_t now_s, struct arena *arena, struct buf *fields)
{
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	struct asking asking = {.author = author};
	size_t count;
	enum dkim_mail found =
		find_signers(mailer, &domain, &asking, arena, signers, &count);

	if (found != DKIM_MAIL_SIGNED)
		return found;
	return sign_with(signers, count, message, now_s, arena, fields);
}

/* A long message must not keep the others waiting. */
static void feed(struct arc_seal *seal, struct str body)
{
	while (body.len > 0) {
		struct str piece = str_first(body, PIECE_BYTES);

		arc_seal_feed(seal, piece);
		body = str_skip(body, piece.len);
		if (body.len > 0)
			task_yield();
	}
}

enum dkim_mail dkim_mail_seal(const struct dkim_mailer *mailer,
			      const struct dkim_passed *passed, int64_t now_s,
			      struct arena *arena, struct buf *fields)
{
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	struct str domain = mailer ? mailer->directory->default_domain : STR("");
	struct asking asking = {.author = NULL};
	size_t count, header = header_bytes(passed->message), before = fields->len;
	enum dkim_mail found =
		find_signers(mailer, &domain, &asking, arena, signers, &count);

	if (found != DKIM_MAIL_SIGNED)
		return found;
	while (count > 0 && signers[count - 1].algorithm != DKIM_RSA_SHA256)
		count--;
	if (count == 0)
		return DKIM_MAIL_UNSIGNED;
	SCOPED(arc_seal_free)
	struct arc_seal *seal =
		arc_seal_begin(str_first(passed->message, header), NULL, arena);

	if (!seal)
		return DKIM_MAIL_UNSIGNED;
	if (passed->body)
		arc_seal_know(seal, passed->body);
	else
		feed(seal, str_skip(passed->message, header));
	err_t err = arc_seal_end(seal, passed->chain, passed->results,
				 &signers[count - 1], now_s, fields);

	if (err != OK && err != ERR_ABSENT && err != ERR_LIMIT)
		return DKIM_MAIL_LATER;
	return fields->len > before ? DKIM_MAIL_SIGNED : DKIM_MAIL_UNSIGNED;
}
