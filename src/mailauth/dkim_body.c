#include "mailauth/dkim_body.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/num.h"

struct hashing {
	enum dkim_canon canon;
	uint64_t length; /* wanted */
	uint64_t left;
	EVP_MD_CTX *context;
	struct dkim_body_hash result;
};

struct dkim_body {
	struct hashing hashings[DKIM_BODY_HASHES_MAX];
	size_t count;
	bool has_ended;
	struct dkim_canon_body canons[DKIM_CANONS];
	uint64_t lengths[DKIM_CANONS]; /* what has come out */
};

struct dkim_body *dkim_body_new(void)
{
	struct dkim_body *body = NEW(struct dkim_body);

	for (int i = 0; i < DKIM_CANONS; i++)
		body->canons[i].canon = (enum dkim_canon)i;
	return body;
}

void dkim_body_free(struct dkim_body **body)
{
	if (!*body)
		return;
	for (size_t i = 0; i < (*body)->count; i++)
		EVP_MD_CTX_free((*body)->hashings[i].context);
	mem_free(*body);
	*body = NULL;
}

bool dkim_body_want(struct dkim_body *body, enum dkim_canon canon, uint64_t length,
		    size_t *number)
{
	for (*number = 0; *number < body->count; ++*number)
		if (body->hashings[*number].canon == canon &&
		    body->hashings[*number].length == length)
			return true;
	if (body->count == DKIM_BODY_HASHES_MAX)
		return false;
	struct hashing *hashing = &body->hashings[body->count++];

	*hashing = (struct hashing){
		.canon = canon,
		.length = length,
		.left = length,
		.context = EVP_MD_CTX_new(),
	};
	ASSERT(hashing->context &&
	       EVP_DigestInit_ex(hashing->context, EVP_sha256(), NULL) == 1);
	return true;
}

bool dkim_body_is_wanted(const struct dkim_body *body)
{
	return body->count > 0;
}

struct passing {
	struct dkim_body *body;
	enum dkim_canon canon;
};

static void take(void *context, struct str piece)
{
	const struct passing *passing = context;
	struct dkim_body *body = passing->body;

	body->lengths[passing->canon] += piece.len;
	for (size_t i = 0; i < body->count; i++) {
		struct hashing *hashing = &body->hashings[i];
		size_t len = (size_t)num_min(hashing->left, piece.len);

		if (hashing->canon != passing->canon || len == 0)
			continue;
		hashing->left -= len;
		ASSERT(EVP_DigestUpdate(hashing->context, piece.ptr, len) == 1);
	}
}

static bool is_wanted(const struct dkim_body *body, enum dkim_canon canon)
{
	for (size_t i = 0; i < body->count; i++)
		if (body->hashings[i].canon == canon)
			return true;
	return false;
}

void dkim_body_feed(struct dkim_body *body, struct str piece)
{
	for (int i = 0; i < DKIM_CANONS; i++) {
		struct passing passing = {body, (enum dkim_canon)i};

		if (is_wanted(body, passing.canon))
			dkim_canon_body_add(&body->canons[i], piece,
					    &(struct dkim_sink){take, &passing});
	}
}

void dkim_body_end(struct dkim_body *body)
{
	if (body->has_ended)
		return;
	body->has_ended = true;
	for (int i = 0; i < DKIM_CANONS; i++) {
		struct passing passing = {body, (enum dkim_canon)i};

		dkim_canon_body_end(&body->canons[i],
				    &(struct dkim_sink){take, &passing});
	}
	for (size_t i = 0; i < body->count; i++) {
		struct hashing *hashing = &body->hashings[i];

		ASSERT(EVP_DigestFinal_ex(hashing->context, hashing->result.hash, NULL) ==
		       1);
		hashing->result.length = body->lengths[hashing->canon];
	}
}

const struct dkim_body_hash *dkim_body_hash(const struct dkim_body *body, size_t number)
{
	ASSERT(number < body->count);
	return &body->hashings[number].result;
}
