#include "mailauth/dkim_sign.h"

#include "base/mem.h"
#include "mailauth/dkim_body.h"
#include "mailauth/dkim_header.h"
#include "mailauth/dkim_write.h"

struct dkim_sign {
	struct arena *arena;
	struct dkim_header header;
	struct dkim_body *body;
	size_t body_hash;
	struct dkim_names names; /* h= */
};

struct dkim_sign *dkim_sign_begin(struct str header, struct arena *arena)
{
	struct dkim_sign *sign = NEW(struct dkim_sign);

	sign->arena = arena;
	sign->body = dkim_body_new();
	ASSERT(dkim_body_want(sign->body, DKIM_RELAXED, UINT64_MAX, &sign->body_hash));
	if (!dkim_header_read(header, arena, &sign->header) ||
	    !dkim_names_choose(&sign->header, &sign->names))
		dkim_sign_free(&sign);
	return sign;
}

void dkim_sign_free(struct dkim_sign **sign)
{
	if (!*sign)
		return;
	dkim_body_free(&(*sign)->body);
	mem_free(*sign);
	*sign = NULL;
}

void dkim_sign_feed(struct dkim_sign *sign, struct str piece)
{
	dkim_body_feed(sign->body, piece);
}

/* One field, which is signed with an empty b= first. */
static err_t add_field(struct dkim_sign *sign, const struct dkim_signer *signer,
		       int64_t now_s, struct buf *fields)
{
	static const struct str name = {"DKIM-Signature:", 15};
	SCOPED(buf_fini) struct buf value = BUF(TAG_LIST_BYTES_MAX);
	SCOPED(buf_fini) struct buf signature = BUF(DKIM_SIGNATURE_BYTES_MAX);
	const struct dkim_body_hash *body = dkim_body_hash(sign->body, sign->body_hash);
	unsigned char hash[DKIM_HASH_BYTES];

	buf_printf(&value, " v=1; a=%s; c=relaxed/relaxed; d=%.*s;\r\n\ts=%.*s; t=%lld;",
		   dkim_algorithm_name(signer->algorithm), STR_FMT(signer->domain),
		   STR_FMT(signer->selector), (long long)now_s);
	dkim_names_add(&value, &sign->names);
	buf_add_c(&value, ";");
	dkim_base64_add(&value, "bh",
			(struct str){(const char *)body->hash, sizeof body->hash});
	buf_add_c(&value, ";");
	size_t without_b = value.len;

	buf_add_c(&value, "\r\n\tb=");
	if (!buf_ok(&value))
		return ERR_LIMIT;
	dkim_header_hash(&sign->header, DKIM_RELAXED, sign->names.names,
			 sign->names.count, &(struct dkim_own){name, buf_str(&value)},
			 hash);
	TRY(signer->sign(signer->context, signer, hash, &signature));
	buf_cut(&value, without_b);
	dkim_base64_add(&value, "b", buf_str(&signature));
	buf_add(fields, name);
	buf_add(fields, buf_str(&value));
	buf_add_c(fields, "\r\n");
	return buf_ok(&value) && buf_ok(&signature) && buf_ok(fields) ? OK : ERR_LIMIT;
}

err_t dkim_sign_end(struct dkim_sign *sign, const struct dkim_signer *signers,
		    size_t count, int64_t now_s, struct buf *fields)
{
	size_t before = fields->len;
	err_t err = OK;

	ASSERT(count <= DKIM_SIGNERS_MAX);
	dkim_body_end(sign->body);
	for (size_t i = 0; i < count && err == OK; i++)
		err = add_field(sign, &signers[i], now_s, fields);
	if (err != OK)
		buf_cut(fields, before);
	return err;
}
