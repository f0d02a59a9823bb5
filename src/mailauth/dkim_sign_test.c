#include "mailauth/dkim_sign.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/test.h"
#include "mailauth/dkim_verify.h"

static const struct {
	struct str header, body;
} mail = {
	STR("From: Ann <ann@a.example>\r\nSubject: \xc3\xa4\r\nReceived: by x\r\n"
	    "List-Id: <l.a.example>\r\nTo: b@b.example\r\nTo: c@c.example\r\n\r\n"),
	STR("Some  text \r\n.\r\n\r\n"),
};

struct keys {
	EVP_PKEY *ed25519;
	struct buf record; /* wire form */
	err_t err;         /* what signing says */
};

static err_t sign_with(void *context, const struct dkim_signer *signer,
		       const unsigned char hash[DKIM_HASH_BYTES], struct buf *signature)
{
	struct keys *keys = context;
	unsigned char octets[64];
	size_t len = sizeof octets;
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	CHECK(signer->algorithm == DKIM_ED25519_SHA256);
	CHECK(EVP_DigestSignInit(md, NULL, NULL, NULL, keys->ed25519) == 1);
	CHECK(EVP_DigestSign(md, octets, &len, hash, DKIM_HASH_BYTES) == 1);
	EVP_MD_CTX_free(md);
	buf_add(signature, (struct str){(const char *)octets, len});
	return keys->err;
}

static void keys_make(struct keys *keys)
{
	struct buf text = BUF(200);
	unsigned char raw[32];
	size_t len = sizeof raw;

	*keys = (struct keys){EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), BUF(300), OK};
	CHECK(EVP_PKEY_get_raw_public_key(keys->ed25519, raw, &len) == 1);
	buf_add_c(&text, "k=ed25519; p=");
	base64_add(&text, (struct str){(const char *)raw, len});
	buf_add_byte(&keys->record, (char)text.len);
	buf_add(&keys->record, buf_str(&text));
	buf_fini(&text);
}

static void keys_free(struct keys *keys)
{
	EVP_PKEY_free(keys->ed25519);
	buf_fini(&keys->record);
}

static void answer_record(void *context, const struct dns_question *question,
			  struct arena *arena, struct dns_answer *answer)
{
	struct keys *keys = context;

	CHECK_STR(question->name, STR("s1._domainkey.a.example"));
	CHECK(question->type == DNS_TXT);
	*answer = (struct dns_answer){.outcome = DNS_FOUND, .count = 1};
	answer->records = ARENA_NEW(arena, struct str);
	*answer->records = buf_str(&keys->record);
}

static err_t make(struct keys *keys, struct buf *fields)
{
	struct dkim_signer signer = {DKIM_ED25519_SHA256, STR("a.example"), STR("s1"),
				     sign_with, keys};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct dkim_sign *sign = dkim_sign_begin(mail.header, &arena);

	CHECK(sign);
	for (size_t i = 0; i < mail.body.len; i++)
		dkim_sign_feed(sign, str_first(str_skip(mail.body, i), 1));
	err_t err = dkim_sign_end(sign, &signer, 1, 1795334400, fields);

	dkim_sign_free(&sign);
	arena_fini(&arena);
	return err;
}

static enum dkim_result verify(struct keys *keys, struct str fields, struct str more)
{
	struct buf whole = BUF(100000);
	struct dkim_verdict verdict;
	struct arena arena;

	buf_add(&whole, fields);
	buf_add(&whole, more);
	buf_add(&whole, mail.header);
	arena_init(&arena, 1 << 20);
	struct dkim_message *read = dkim_message_begin(buf_str(&whole), &arena);
	struct dkim_verify *checking = dkim_verify_begin(read, 0);

	dkim_message_feed(read, mail.body);
	dkim_verify_end(checking,
			&(struct dns_lookup){.ask = answer_record, .context = keys},
			&verdict);
	dkim_verify_free(&checking);
	dkim_message_free(&read);
	arena_fini(&arena);
	buf_fini(&whole);
	return verdict.result;
}

TEST(what_is_signed_verifies_and_nobody_adds_a_field)
{
	struct buf fields = BUF(10000);
	struct keys keys;

	keys_make(&keys);
	CHECK(make(&keys, &fields) == OK);
	struct str text = buf_str(&fields);

	CHECK(str_starts(text,
			 STR("DKIM-Signature: v=1; a=ed25519-sha256; "
			     "c=relaxed/relaxed; d=a.example;\r\n\ts=s1; "
			     "t=1795334400;\r\n\th=From:From:To:To:To:Cc:Subject:")));
	CHECK(str_ends(text, STR("==\r\n")));
	CHECK(str_find(text, STR("List-Id")) < text.len);
	CHECK(str_find(text, STR("Received")) == text.len);
	while (text.len > 0)
		CHECK(str_cut(&text, '\n').len <= 79);
	CHECK(verify(&keys, buf_str(&fields), STR("")) == DKIM_PASS);
	CHECK(verify(&keys, buf_str(&fields), STR("Received: y\r\n")) == DKIM_PASS);
	CHECK(verify(&keys, buf_str(&fields), STR("List-Id: y\r\n")) == DKIM_PASS);
	CHECK(verify(&keys, buf_str(&fields), STR("From: y\r\n")) == DKIM_FAIL);
	CHECK(verify(&keys, buf_str(&fields), STR("Cc: y\r\n")) == DKIM_FAIL);
	CHECK(verify(&keys, buf_str(&fields), STR("Content-Type: y\r\n")) == DKIM_FAIL);
	keys_free(&keys);
	buf_fini(&fields);
}

TEST(nothing_is_added_when_signing_fails)
{
	struct buf fields = BUF(10000);
	struct keys keys;

	keys_make(&keys);
	buf_add_c(&fields, "X: y\r\n");
	keys.err = ERR_DENIED;
	CHECK(make(&keys, &fields) == ERR_DENIED);
	CHECK_STR(buf_str(&fields), STR("X: y\r\n"));
	buf_fini(&fields);
	fields = BUF(100);
	keys.err = OK;
	CHECK(make(&keys, &fields) == ERR_LIMIT);
	CHECK(fields.len == 0);
	buf_fini(&fields);
	keys_free(&keys);
}

TEST(a_header_beyond_the_bounds_is_not_signed)
{
	struct buf text = BUF(1 << 20);
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (int i = 0; i < 250; i++)
		buf_add_c(&text, "To: x\r\n");
	CHECK(!dkim_sign_begin(buf_str(&text), &arena));
	for (int i = 0; i < 3000; i++)
		buf_add_c(&text, "X: x\r\n");
	CHECK(!dkim_sign_begin(buf_str(&text), &arena));
	arena_fini(&arena);
	buf_fini(&text);
}
