#include "mailauth/dkim_verify.h"

#include "base/base64.h"
#include "base/test.h"
#include "wire/mail/header.h"

/* RFC 8463 appendix A: the keys, and a mail that both have signed. */
#define RSA_RECORD                                                                       \
	"v=DKIM1; k=rsa; p="                                                             \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6w"   \
	"y5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM"   \
	"KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define ED25519_RECORD                                                                   \
	"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED25519_FIELD                                                                    \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"                  \
	" d=football.example.com; i=@football.example.com;\r\n"                          \
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"                        \
	" subject : date : message-id : from : subject : date;\r\n"                      \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                          \
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"                \
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
#define RSA_FIELD                                                                        \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"                      \
	" d=football.example.com; i=@football.example.com;\r\n"                          \
	" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"                  \
	" date : message-id : from : subject : date;\r\n"                                \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"                          \
	" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"                \
	" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"                \
	" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define FROM "From: Joe SixPack <joe@football.example.com>\r\n"
#define REST                                                                             \
	"To: Suzie Q <suzie@shopping.example.net>\r\n"                                   \
	"Subject: Is dinner ready?\r\n"                                                  \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"           \
	"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"

/* What the DNS says. */
struct table {
	enum dns_outcome outcome; /* of all names */
	const char *rsa, *ed25519;
	const char *also; /* a record in front of it */
	size_t asked;
};

static struct str in_strings(struct arena *arena, const char *text)
{
	struct buf wire = BUF(4096);
	struct str made;

	for (struct str rest = str_c(text); rest.len > 0; rest = str_skip(rest, 255)) {
		buf_add_byte(&wire, (char)str_first(rest, 255).len);
		buf_add(&wire, str_first(rest, 255));
	}
	CHECK(arena_copy(arena, buf_str(&wire), &made));
	buf_fini(&wire);
	return made;
}

static void ask(void *context, const struct dns_question *question, struct arena *arena,
		struct dns_answer *answer)
{
	struct table *table = context;
	const char *text =
		str_starts(question->name, STR("test.")) ? table->rsa : table->ed25519;

	CHECK(question->type == DNS_TXT);
	CHECK(str_ends(question->name, STR("._domainkey.football.example.com")));
	table->asked++;
	*answer = (struct dns_answer){.outcome = table->outcome};
	if (table->outcome != DNS_FOUND)
		return;
	answer->records = ARENA_ARRAY(arena, struct str, 2);
	if (table->also)
		answer->records[answer->count++] = in_strings(arena, table->also);
	answer->records[answer->count++] = in_strings(arena, text);
}

struct checking {
	struct arena arena;
	struct dkim_message *mail;
	struct dkim_verify *verify;
	struct dkim_verdict verdict;
};

static void check_at(struct checking *c, struct str mail, size_t size,
		     struct table *table, int64_t now_s)
{
	struct mail_fields fields = mail_fields_over(mail);
	struct mail_field field;

	while (mail_fields_next(&fields, &field)) {
	}
	arena_init(&c->arena, 1 << 20);
	c->mail = dkim_message_begin(str_first(mail, fields.at), &c->arena);
	c->verify = dkim_verify_begin(c->mail, now_s);
	for (struct str rest = str_skip(mail, fields.at); rest.len > 0;
	     rest = str_skip(rest, size))
		dkim_message_feed(c->mail, str_first(rest, size));
	dkim_verify_end(c->verify, &(struct dns_lookup){.ask = ask, .context = table},
			&c->verdict);
}

static void done(struct checking *c)
{
	dkim_verify_free(&c->verify);
	dkim_message_free(&c->mail);
	arena_fini(&c->arena);
}

/* The verdict and the first signature's reason. */
static void expect(struct str mail, struct table table, enum dkim_result result,
		   const char *reason)
{
	struct checking c;

	check_at(&c, mail, 7, &table, 2000000000);
	CHECK_STR(str_c(dkim_result_name(c.verdict.result)),
		  str_c(dkim_result_name(result)));
	CHECK(c.verdict.sentence.len > 0);
	if (c.verdict.count > 0)
		CHECK_STR(str_c(c.verdict.signatures[0].reason), str_c(reason));
	done(&c);
}

TEST(the_example_of_rfc_8463_passes_in_pieces_of_any_size)
{
	static const size_t sizes[] = {1, 2, 3, 10, 1000};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct table table = {DNS_FOUND, RSA_RECORD, ED25519_RECORD, NULL, 0};
		struct checking c;

		check_at(&c, STR(ED25519_FIELD RSA_FIELD FROM REST), sizes[i], &table, 0);
		CHECK(c.verdict.result == DKIM_PASS && c.verdict.count == 2);
		CHECK(table.asked == 2);
		CHECK(dkim_message_wants_body(c.mail));
		const struct dkim_verdict_one *ones = c.verdict.signatures;

		CHECK(ones[0].result == DKIM_PASS && ones[1].result == DKIM_PASS);
		CHECK_STR(ones[0].domain, STR("football.example.com"));
		CHECK_STR(ones[0].selector, STR("brisbane"));
		CHECK_STR(ones[0].identity, STR("@football.example.com"));
		CHECK_STR(str_c(ones[1].algorithm), STR("rsa-sha256"));
		CHECK(ones[0].key_bits == 256 && ones[1].key_bits == 1024);
		CHECK_STR(ones[1].b, STR("F45dVWDfMbQD"));
		done(&c);
	}
}

TEST(each_trouble_with_a_signature_has_its_result)
{
	struct table good = {DNS_FOUND, RSA_RECORD, ED25519_RECORD, NULL, 0};
	struct table table = good;

	expect(STR(FROM REST), good, DKIM_NONE, "");
	expect(STR(RSA_FIELD FROM REST "more\r\n"), good, DKIM_FAIL,
	       "body hash did not verify");
	expect(STR(RSA_FIELD FROM "X: y\r\n" REST), good, DKIM_PASS, "good signature");
	expect(STR(RSA_FIELD FROM FROM REST), good, DKIM_FAIL,
	       "signature did not verify");
	expect(STR(RSA_FIELD "From: x@y.example\r\n" REST), good, DKIM_FAIL,
	       "signature did not verify");
	expect(STR("DKIM-Signature: v=1\r\n" FROM REST), good, DKIM_NEUTRAL,
	       "the signature field lacks a tag that each has");
	table.outcome = DNS_NONE;
	expect(STR(RSA_FIELD FROM REST), table, DKIM_PERMERROR, "there is no key");
	table.outcome = DNS_UNKNOWN;
	expect(STR(RSA_FIELD FROM REST), table, DKIM_TEMPERROR,
	       "the key cannot be asked for now");
	table.outcome = DNS_BOGUS;
	expect(STR(RSA_FIELD FROM REST), table, DKIM_TEMPERROR,
	       "the DNS answer about the key is forged");
	table = good;
	table.rsa = "v=DKIM1; p=";
	expect(STR(RSA_FIELD FROM REST), table, DKIM_PERMERROR, "the key was revoked");
	table.rsa = ED25519_RECORD;
	expect(STR(RSA_FIELD FROM REST), table, DKIM_PERMERROR,
	       "the key is of another type than the signature");
	table.rsa = RSA_RECORD "; t=y";
	expect(STR(RSA_FIELD FROM REST), table, DKIM_PASS, "good signature");
	expect(STR(RSA_FIELD FROM REST "more\r\n"), table, DKIM_NEUTRAL,
	       "not good, but the domain is only testing");
	table = good;
	table.also = "v=spf1 -all"; /* RFC 6376 §6.1.2: one may try each */
	expect(STR(RSA_FIELD FROM REST), table, DKIM_PASS, "good signature");
	table.also = "v=DKIM1; p=";
	expect(STR(RSA_FIELD FROM REST "more\r\n"), table, DKIM_FAIL,
	       "body hash did not verify");
}

/* A signature with these tags, whose b= is nonsense. */
static void expect_tags(const char *tags, struct str body, struct table table,
			enum dkim_result result, const char *reason)
{
	struct buf mail = BUF(10000);

	buf_printf(&mail,
		   "DKIM-Signature: v=1; d=football.example.com; s=test; h=From; %s\r\n"
		   "From: x\r\n\r\n%.*s",
		   tags, STR_FMT(body));
	expect(buf_str(&mail), table, result, reason);
	buf_fini(&mail);
}

#define EMPTY_BH                                                                         \
	"bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed; b=AAEC; "

TEST(weak_keys_and_algorithms_are_refused)
{
	struct table table = {DNS_FOUND, RSA_RECORD, ED25519_RECORD, NULL, 0};

	expect_tags("a=rsa-sha1; bh=AAECAwQFBgcICQoLDA0ODxAREhM=; b=AAEC;", STR(""),
		    table, DKIM_PERMERROR, "rsa-sha1 is not to be trusted");
	expect_tags("a=rsa-sha256; " EMPTY_BH, STR(""), table, DKIM_FAIL,
		    "signature did not verify");
	expect_tags("a=rsa-sha256; l=0; " EMPTY_BH, STR("not signed\r\n"), table,
		    DKIM_FAIL, "signature did not verify");
	expect_tags("a=rsa-sha256; l=7; " EMPTY_BH, STR("abc\r\n"), table, DKIM_FAIL,
		    "body is shorter than it was");
	table.rsa = "p=MEgCQQC2iUmw2fsVlAqm1nLi3JCnjT0S5/TzTJKT0/xmZ5nFGEN2i2bDSHCMcY"
		    "pEo9uQZJpBeqLqFf0w3jV7nLfP2GbnAgMBAAE="; /* 512 bits */
	expect_tags("a=rsa-sha256; " EMPTY_BH, STR(""), table, DKIM_PERMERROR,
		    "the key is too short");
	table.rsa = RSA_RECORD "; t=s";
	expect_tags("a=rsa-sha256; i=x@sub.football.example.com; " EMPTY_BH, STR(""),
		    table, DKIM_PERMERROR,
		    "the key is not for subdomains, which the identity names");
}

TEST(a_slow_exponent_is_refused)
{
	struct buf der = BUF(1000), record = BUF(2000);
	struct table table = {DNS_FOUND, NULL, ED25519_RECORD, NULL, 0};

	/* RSAPublicKey with a modulus of 128 and an exponent of 9 octets. */
	buf_add(&der, STR("\x30\x81\x8f\x02\x81\x81\0"));
	for (int i = 0; i < 128; i++)
		buf_add_byte(&der, (char)0xff);
	buf_add(&der, STR("\x02\x09"));
	for (int i = 0; i < 9; i++)
		buf_add_byte(&der, 0x7f);
	buf_add_c(&record, "p=");
	base64_add(&record, buf_str(&der));
	buf_add_byte(&record, '\0');
	table.rsa = record.ptr;
	expect_tags("a=rsa-sha256; " EMPTY_BH, STR(""), table, DKIM_PERMERROR,
		    "the key is too long");
	buf_fini(&der);
	buf_fini(&record);
}

TEST(ten_signatures_are_looked_at_and_no_more)
{
	struct table table = {DNS_NONE, NULL, NULL, NULL, 0};
	struct buf mail = BUF(100000);
	struct checking c;

	for (int i = 0; i < DKIM_SIGNATURES_MAX + 3; i++)
		buf_add_c(&mail, RSA_FIELD);
	buf_add_c(&mail, FROM REST);
	check_at(&c, buf_str(&mail), 1000, &table, 0);
	CHECK(c.verdict.count == DKIM_SIGNATURES_MAX && c.verdict.passed_over == 3);
	CHECK(table.asked == DKIM_SIGNATURES_MAX);
	CHECK(c.verdict.result == DKIM_PERMERROR);
	done(&c);
	buf_fini(&mail);
}

TEST(a_header_of_megabytes_is_not_looked_at)
{
	struct table table = {DNS_FOUND, RSA_RECORD, ED25519_RECORD, NULL, 0};
	struct buf mail = BUF(4 << 20);
	struct checking c;

	buf_add_c(&mail, RSA_FIELD);
	while (mail.len < 1 << 20)
		buf_add_c(&mail, "X: y\r\n");
	buf_add_c(&mail, FROM REST);
	check_at(&c, buf_str(&mail), 1000, &table, 0);
	CHECK(c.verdict.result == DKIM_NEUTRAL && c.verdict.count == 0);
	CHECK(table.asked == 0 && !dkim_message_wants_body(c.mail));
	done(&c);
	buf_fini(&mail);
}
