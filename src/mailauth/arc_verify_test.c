#include "mailauth/arc_verify.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/test.h"
#include "mailauth/arc_seal.h"
#include "mailauth/dkim_verify.h"
#include "wire/mail/header.h"

#define HEADER  "From: Ann <ann@a.example>\r\nSubject: x\r\nTo: b@b.example\r\n\r\n"
#define BODY    "Some  text \r\n.\r\n\r\n"
#define RESULTS "mx.example; spf=pass;\r\n\tdkim=none"

/* A key for all, and what the DNS says of it. */
struct world {
	struct arena arena;
	EVP_PKEY *key;
	struct buf record;        /* wire form */
	enum dns_outcome outcome; /* of the domain `about` */
	const char *about;
	size_t asked;
	err_t err; /* what signing says */
	struct buf mail;
	struct arc_verdict verdict;
};

static err_t sign_with(void *context, const struct dkim_signer *signer,
		       const unsigned char hash[DKIM_HASH_BYTES], struct buf *signature)
{
	struct world *world = context;
	unsigned char octets[64];
	size_t len = sizeof octets;
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	CHECK(signer->algorithm == DKIM_ED25519_SHA256);
	CHECK(EVP_DigestSignInit(md, NULL, NULL, NULL, world->key) == 1);
	CHECK(EVP_DigestSign(md, octets, &len, hash, DKIM_HASH_BYTES) == 1);
	EVP_MD_CTX_free(md);
	buf_add(signature, (struct str){(const char *)octets, len});
	return world->err;
}

static void ask(void *context, const struct dns_question *question, struct arena *arena,
		struct dns_answer *answer)
{
	struct world *world = context;

	CHECK(question->type == DNS_TXT &&
	      str_starts(question->name, STR("s1._domainkey.")));
	world->asked++;
	*answer = (struct dns_answer){.outcome = DNS_FOUND};
	if (world->about && str_ends(question->name, str_c(world->about)))
		answer->outcome = world->outcome;
	if (answer->outcome != DNS_FOUND)
		return;
	answer->records = ARENA_NEW(arena, struct str);
	answer->records[answer->count++] = buf_str(&world->record);
}

static void world_make(struct world *world)
{
	SCOPED(buf_fini) struct buf text = BUF(200);
	unsigned char raw[32];
	size_t len = sizeof raw;

	*world = (struct world){
		.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		.record = BUF(300),
		.mail = BUF(4 << 20),
	};
	arena_init(&world->arena, 4 << 20);
	CHECK(EVP_PKEY_get_raw_public_key(world->key, raw, &len) == 1);
	buf_add_c(&text, "k=ed25519; p=");
	base64_add(&text, (struct str){(const char *)raw, len});
	buf_add_byte(&world->record, (char)text.len);
	buf_add(&world->record, buf_str(&text));
	buf_add_c(&world->mail, HEADER BODY);
}

static void world_free(struct world *world)
{
	EVP_PKEY_free(world->key);
	buf_fini(&world->record);
	buf_fini(&world->mail);
	arena_fini(&world->arena);
}

static struct str header_of(struct str mail)
{
	struct mail_fields fields = mail_fields_over(mail);
	struct mail_field field;

	while (mail_fields_next(&fields, &field)) {
	}
	return str_first(mail, fields.at);
}

static enum arc_result check(struct world *world)
{
	struct str text = buf_str(&world->mail), header = header_of(text);
	struct dkim_message *mail = dkim_message_begin(header, &world->arena);
	struct arc_verify *verify = arc_verify_begin(mail, 1795334400);

	world->asked = 0;
	for (struct str rest = str_skip(text, header.len); rest.len > 0;
	     rest = str_skip(rest, 3))
		dkim_message_feed(mail, str_first(rest, 3));
	arc_verify_end(verify, &(struct dns_lookup){.ask = ask, .context = world},
		       &world->verdict);
	arc_verify_free(&verify);
	dkim_message_free(&mail);
	CHECK(world->verdict.sentence.len > 0);
	return world->verdict.result;
}

/* One more set, by that domain, whatever checking said. */
static err_t seal_as(struct world *world, const char *domain, enum arc_result chain)
{
	SCOPED(buf_fini) struct buf fields = BUF(100000);
	struct str text = buf_str(&world->mail), header = header_of(text);
	struct dkim_signer signer = {DKIM_ED25519_SHA256, str_c(domain), STR("s1"),
				     sign_with, world};
	struct arc_seal *seal = arc_seal_begin(header, NULL, &world->arena);

	CHECK(seal);
	arc_seal_feed(seal, str_skip(text, header.len));
	err_t err = arc_seal_end(seal, chain, STR(RESULTS), &signer, 1795334400, &fields);

	arc_seal_free(&seal);
	CHECK(err == OK || fields.len == 0);
	buf_add(&fields, text);
	buf_reset(&world->mail);
	buf_add(&world->mail, buf_str(&fields));
	return err;
}

static void seal(struct world *world, const char *domain)
{
	CHECK(seal_as(world, domain, check(world)) == OK);
}

static void world_of_three(struct world *world)
{
	world_make(world);
	seal(world, "one.example");
	seal(world, "two.example");
	seal(world, "three.example");
}

/* Replaces what stands there first. */
static void change(struct world *world, const char *from, const char *to)
{
	SCOPED(buf_fini) struct buf changed = BUF(4 << 20);
	struct str text = buf_str(&world->mail);
	size_t at = str_find(text, str_c(from));

	CHECK(at < text.len);
	buf_add(&changed, str_first(text, at));
	buf_add_c(&changed, to);
	buf_add(&changed, str_skip(text, at + strlen(from)));
	buf_reset(&world->mail);
	buf_add(&world->mail, buf_str(&changed));
}

static void expect(struct world *world, enum arc_result result, const char *reason,
		   unsigned at)
{
	CHECK_STR(str_c(arc_result_name(check(world))), str_c(arc_result_name(result)));
	CHECK_STR(world->verdict.reason, str_c(reason));
	CHECK(world->verdict.reason_at == at);
	for (size_t i = 0; result != ARC_PASS && i < world->verdict.count; i++)
		CHECK(world->verdict.sets[i].results.len == 0);
}

/* A chain of three with one change. */
static void expect_changed(const char *from, const char *to, const char *reason,
			   unsigned at)
{
	struct world world;

	world_of_three(&world);
	change(&world, from, to);
	expect(&world, ARC_FAIL, reason, at);
	world_free(&world);
}

TEST(three_sets_make_a_chain)
{
	struct world world;

	world_make(&world);
	expect(&world, ARC_NONE, "", 0);
	CHECK(world.verdict.count == 0 && world.asked == 0);
	world_free(&world);
	world_of_three(&world);
	expect(&world, ARC_PASS, "", 0);
	CHECK(world.verdict.count == 3 && world.verdict.oldest_pass == 0);
	CHECK(world.asked == 6);
	const struct arc_verdict_one *sets = world.verdict.sets;

	CHECK(sets[0].instance == 1 && sets[2].instance == 3);
	CHECK_STR(str_c(sets[0].cv), STR("none"));
	CHECK_STR(str_c(sets[2].cv), STR("pass"));
	CHECK_STR(sets[0].domain, STR("one.example"));
	CHECK_STR(sets[2].signer, STR("three.example"));
	CHECK_STR(sets[1].selector, STR("s1"));
	CHECK_STR(sets[1].results, STR(RESULTS));
	CHECK(sets[0].message.result == DKIM_PASS && sets[0].seal.key_bits == 256);
	CHECK(str_starts(buf_str(&world.mail), STR("ARC-Seal: i=3; ")));
	world_free(&world);
}

TEST(a_mail_that_was_changed_on_its_way_says_since_when)
{
	struct world world;

	world_make(&world);
	seal(&world, "one.example");
	change(&world, "Subject: x", "Subject: [list] x");
	CHECK(seal_as(&world, "two.example", ARC_PASS) == OK);
	seal(&world, "three.example");
	expect(&world, ARC_PASS, "", 0);
	CHECK(world.verdict.oldest_pass == 2);
	CHECK(world.verdict.sets[0].message.result == DKIM_FAIL);
	CHECK(world.verdict.sets[0].seal.result == DKIM_PASS);
	change(&world, "Some  text", "Another text");
	expect(&world, ARC_FAIL, "its message signature: body hash did not verify", 3);
	CHECK(world.verdict.sets[1].seal.result == DKIM_NONE);
	world_free(&world);
}

TEST(each_break_of_a_chain_is_found)
{
	expect_changed("cv=pass", "cv=none", "its seal does not say cv=pass", 3);
	expect_changed("cv=none", "cv=pass", "its seal does not say cv=none", 1);
	expect_changed("cv=none", "cv=fail", "its seal does not say cv=none", 1);
	expect_changed("cv=pass", "cv=fail",
		       "its seal says that the chain was broken before", 3);
	expect_changed("ARC-Seal: i=2", "ARC-Seal: i=1", "it has a field twice", 1);
	expect_changed("ARC-Seal: i=2", "ARC-Seal: i=4", "it lacks a field", 2);
	expect_changed("ARC-Seal: i=2", "ARC-Seal: i=51",
		       "its instance is no number from 1 to 50", 0);
	expect_changed("ARC-Message-Signature: i=2", "X: i=2", "it lacks a field", 2);
	expect_changed("ARC-Authentication-Results: i=2", "X: i=2", "it lacks a field",
		       2);
	expect_changed("ARC-Seal: i=3", "X: i=3", "it lacks a field", 3);
	expect_changed("i=1; mx.example; spf=pass", "i=1; mx.example; spf=fail",
		       "its seal: signature did not verify", 3);
	expect_changed("From: Ann", "From: Eve",
		       "its message signature: signature did not verify", 3);
	expect_changed("From: Ann", "From: Eve <e@e.example>\r\nFrom: Ann",
		       "its message signature: signature did not verify", 3);
	expect_changed("Some", "More", "its message signature: body hash did not verify",
		       3);
	expect_changed("d=three.example; s=s1", "d=three.example; s=s1; h=From",
		       "it names fields (h=), which a seal does not", 3);
	expect_changed("cv=pass;", "", "it does not say what the chain was (cv=)", 3);
}

TEST(what_the_dns_does_not_say_now_is_not_decided)
{
	struct world world;

	world_of_three(&world);
	world.about = "three.example";
	world.outcome = DNS_UNKNOWN;
	expect(&world, ARC_TEMPERROR,
	       "its message signature: the key cannot be asked for now", 3);
	world.outcome = DNS_BOGUS;
	expect(&world, ARC_TEMPERROR,
	       "its message signature: the DNS answer about the key is forged", 3);
	world.outcome = DNS_NONE;
	expect(&world, ARC_FAIL, "its message signature: there is no key", 3);
	world.outcome = DNS_UNKNOWN;
	world.about = "one.example";
	expect(&world, ARC_TEMPERROR, "its seal: the key cannot be asked for now", 1);
	CHECK(world.verdict.oldest_pass == 2);
	change(&world, "i=2; mx.example", "i=2; my.example");
	expect(&world, ARC_FAIL, "its seal: signature did not verify", 3);
	world_free(&world);
}

TEST(a_chain_that_is_broken_is_sealed_once_and_no_more)
{
	struct world world;

	world_of_three(&world);
	change(&world, "i=1; mx.example; spf=pass", "i=1; mx.example; spf=fail");
	seal(&world, "four.example");
	CHECK(str_starts(buf_str(&world.mail),
			 STR("ARC-Seal: i=4; a=ed25519-sha256; cv=fail;")));
	expect(&world, ARC_FAIL, "its seal says that the chain was broken before", 4);
	size_t len = world.mail.len;

	seal(&world, "five.example");
	CHECK(world.mail.len == len);
	world_free(&world);
}

TEST(a_chain_that_cannot_be_checked_now_is_not_sealed)
{
	struct world world;

	world_of_three(&world);
	size_t len = world.mail.len;

	CHECK(seal_as(&world, "four.example", ARC_TEMPERROR) == OK);
	CHECK(world.mail.len == len);
	world.err = ERR_TIMEOUT;
	CHECK(seal_as(&world, "four.example", ARC_PASS) == ERR_TIMEOUT);
	CHECK(world.mail.len == len);
	world_free(&world);
}

TEST(fifty_sets_pass_and_there_is_no_fifty_first)
{
	struct world world;

	world_make(&world);
	for (int i = 0; i < ARC_INSTANCES_MAX; i++)
		CHECK(seal_as(&world, "a.example", ARC_PASS) == OK);
	arena_reset(&world.arena);
	expect(&world, ARC_PASS, "", 0);
	CHECK(world.verdict.count == 50 && world.asked == 100);
	size_t len = world.mail.len;

	CHECK(seal_as(&world, "a.example", ARC_PASS) == OK);
	CHECK(world.mail.len == len);
	change(&world, "ARC-Seal: i=50", "ARC-Seal: i=51");
	expect(&world, ARC_FAIL, "its instance is no number from 1 to 50", 0);
	CHECK(world.asked == 0);
	world_free(&world);
}

TEST(a_field_too_many_is_not_looked_at)
{
	struct world world;

	world_make(&world);
	for (int i = 0; i < 200; i++)
		change(&world, "From: Ann", "ARC-Seal: x\r\nFrom: Ann");
	expect(&world, ARC_FAIL, "the signature field is no list of tags", 0);
	change(&world, "ARC-Seal: x",
	       "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a; s=s; "
	       "b=AAEC");
	expect(&world, ARC_FAIL, "the signature field is no list of tags", 0);
	CHECK(world.asked == 0 && world.verdict.count == 1);
	world_free(&world);
}

TEST(a_header_of_megabytes_has_no_chain_that_counts)
{
	struct world world;

	world_of_three(&world);
	while (world.mail.len < 1 << 20)
		change(&world, "From: Ann",
		       "X: "
		       "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		       "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		       "yyy"
		       "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		       "yyy"
		       "\r\nX: y\r\nFrom: Ann");
	expect(&world, ARC_FAIL, "the header of this mail is too big", 0);
	CHECK(world.asked == 0 && world.verdict.count == 0);
	CHECK(!arc_seal_begin(header_of(buf_str(&world.mail)), NULL, &world.arena));
	world_free(&world);
}

TEST(the_hash_of_a_body_is_shared_with_dkim)
{
	struct world world;

	world_of_three(&world);
	change(&world, "From: Ann",
	       "DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s1; h=From; "
	       "b=AAEC; "
	       "c=relaxed/relaxed; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n"
	       "From: Ann");
	struct str header = header_of(buf_str(&world.mail));
	struct dkim_message *message = dkim_message_begin(header, &world.arena);
	struct dkim_verify *dkim = dkim_verify_begin(message, 0);
	struct arc_verify *arc = arc_verify_begin(message, 0);
	size_t number, left = 0;

	CHECK(dkim_message_wants_body(message));
	for (uint64_t length = 1; length < 100; length++)
		left += dkim_body_want(message->body, DKIM_SIMPLE, length, &number);
	CHECK(left == DKIM_BODY_HASHES_MAX - 1);
	arc_verify_free(&arc);
	dkim_verify_free(&dkim);
	dkim_message_free(&message);
	world_free(&world);
}

/* A message signature over a part of the body wants a hash of its own. */
TEST(many_lengths_of_the_body_are_not_all_hashed)
{
	struct world world;
	struct arena arena;

	world_make(&world);
	for (unsigned i = 1; i <= 20; i++) {
		SCOPED(buf_fini) struct buf set = BUF(100000);

		buf_printf(&set,
			   "ARC-Seal: i=%u; a=ed25519-sha256; cv=%s; d=a.example; s=s1; "
			   "b=AAEC\r\nARC-Message-Signature: i=%u; a=ed25519-sha256; "
			   "d=a.example; s=s1; h=From; l=%u; b=AAEC; "
			   "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n"
			   "ARC-Authentication-Results: i=%u; a.example; none\r\n",
			   i, i == 1 ? "none" : "pass", i, i, i);
		buf_add(&set, buf_str(&world.mail));
		buf_reset(&world.mail);
		buf_add(&world.mail, buf_str(&set));
	}
	arena_init(&arena, 1 << 20);
	struct dkim_message *mail =
		dkim_message_begin(header_of(buf_str(&world.mail)), &arena);
	struct arc_verify *verify = arc_verify_begin(mail, 0);
	size_t number, left = 0;

	for (uint64_t length = 100; length < 200; length++)
		left += dkim_body_want(mail->body, DKIM_SIMPLE, length, &number);
	CHECK(left == DKIM_BODY_HASHES_MAX - 4);
	arc_verify_free(&verify);
	dkim_message_free(&mail);
	arena_fini(&arena);
	expect(&world, ARC_FAIL, "its message signature: body is shorter than it was",
	       20);
	world_free(&world);
}

/* The hash that checking has computed, in the place of the body. */
TEST(a_body_that_was_hashed_is_not_needed_again)
{
	SCOPED(buf_fini) struct buf fed = BUF(100000);
	SCOPED(buf_fini) struct buf known = BUF(100000);
	struct world world;
	size_t number;

	world_make(&world);
	struct str text = buf_str(&world.mail), header = header_of(text);
	struct dkim_signer signer = {DKIM_ED25519_SHA256, STR("one.example"), STR("s1"),
				     sign_with, &world};
	struct dkim_message *mail = dkim_message_begin(header, &world.arena);
	struct arc_seal *seals[] = {arc_seal_begin(header, NULL, &world.arena),
				    arc_seal_begin(header, NULL, &world.arena)};

	CHECK(dkim_body_want(mail->body, DKIM_RELAXED, UINT64_MAX, &number));
	CHECK(dkim_message_wants_body(mail));
	dkim_message_feed(mail, str_skip(text, header.len));
	dkim_message_end(mail);
	arc_seal_feed(seals[0], str_skip(text, header.len));
	arc_seal_know(seals[1], dkim_body_hash(mail->body, number));
	CHECK(arc_seal_end(seals[0], ARC_NONE, STR(RESULTS), &signer, 1795334400, &fed) ==
	      OK);
	CHECK(arc_seal_end(seals[1], ARC_NONE, STR(RESULTS), &signer, 1795334400,
			   &known) == OK);
	CHECK(fed.len > 0);
	CHECK_STR(buf_str(&known), buf_str(&fed));
	arc_seal_free(&seals[0]);
	arc_seal_free(&seals[1]);
	dkim_message_free(&mail);
	world_free(&world);
}
