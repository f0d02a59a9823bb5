/* For tests/dkim/run and tests/arc/run: signs and seals a mail with keys in files, and
 * measures what checking costs.
 *
 *   dkim_tool sign DOMAIN SELECTOR KEY.pem [SELECTOR KEY.pem] <mail >signed
 *   dkim_tool seal DOMAIN SELECTOR KEY.pem CHAIN RESULTS [TIME NAME:NAME] <mail >sealed
 *   dkim_tool cost | arc-cost
 *
 * CHAIN is what checking said: none, pass, fail or temperror.  With TIME and NAMEs, sets
 * look as the vectors have them.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/num.h"
#include "mailauth/arc_seal.h"
#include "mailauth/dkim_sign.h"
#include "mailauth/dkim_verify.h"
#include "wire/mail/header.h"

enum { MAIL_MAX = 64 * 1024 * 1024 };

/* ---- keys -------------------------------------------------------------------------- */

static err_t sign_with(void *context, const struct dkim_signer *signer,
		       const unsigned char hash[DKIM_HASH_BYTES], struct buf *signature)
{
	unsigned char octets[1024];
	size_t len = sizeof octets;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey = EVP_PKEY_CTX_new(context, NULL);
	bool is_good =
		signer->algorithm == DKIM_ED25519_SHA256
			? EVP_DigestSignInit(md, NULL, NULL, NULL, context) == 1 &&
				  EVP_DigestSign(md, octets, &len, hash,
						 DKIM_HASH_BYTES) == 1
			: EVP_PKEY_sign_init(pkey) == 1 &&
				  EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PADDING) ==
					  1 &&
				  EVP_PKEY_CTX_set_signature_md(pkey, EVP_sha256()) ==
					  1 &&
				  EVP_PKEY_sign(pkey, octets, &len, hash,
						DKIM_HASH_BYTES) == 1;

	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(pkey);
	if (is_good)
		buf_add(signature, (struct str){(const char *)octets, len});
	return is_good ? OK : ERR_DENIED;
}

static struct dkim_signer signer_of(EVP_PKEY *key, const char *domain,
				    const char *selector)
{
	return (struct dkim_signer){
		.algorithm =
			EVP_PKEY_is_a(key, "RSA") ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256,
		.domain = str_c(domain),
		.selector = str_c(selector),
		.sign = sign_with,
		.context = key,
	};
}

/* ---- signing ----------------------------------------------------------------------- */

static struct str header_of(struct str mail)
{
	struct mail_fields fields = mail_fields_over(mail);
	struct mail_field field;

	while (mail_fields_next(&fields, &field)) {
	}
	return str_first(mail, fields.at);
}

static bool add_signatures(struct str mail, const struct dkim_signer *signers,
			   size_t count, struct buf *fields)
{
	SCOPED(arena_fini) struct arena arena;
	struct str header = header_of(mail);

	arena_init(&arena, 1 << 20);
	SCOPED(dkim_sign_free) struct dkim_sign *sign = dkim_sign_begin(header, &arena);

	if (!sign)
		return false;
	for (struct str rest = str_skip(mail, header.len); rest.len > 0;
	     rest = str_skip(rest, 1000))
		dkim_sign_feed(sign, str_first(rest, 1000));
	return dkim_sign_end(sign, signers, count, time(NULL), fields) == OK;
}

static EVP_PKEY *key_in(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (file)
		(void)fclose(file);
	return key;
}

static void read_all(struct buf *mail)
{
	char piece[65536];
	ssize_t got;

	while ((got = read(STDIN_FILENO, piece, sizeof piece)) > 0)
		buf_add(mail, (struct str){piece, (size_t)got});
}

static int sign(int argc, char **argv)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	SCOPED(buf_fini) struct buf fields = BUF(MAIL_MAX);
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	size_t count = 0;

	read_all(&mail);
	for (int i = 3; i + 1 < argc && count < DKIM_SIGNERS_MAX; i += 2) {
		EVP_PKEY *key = key_in(argv[i + 1]);

		if (!key)
			return 1;
		signers[count++] = signer_of(key, argv[2], argv[i]);
	}
	if (!add_signatures(buf_str(&mail), signers, count, &fields))
		return 1;
	(void)fwrite(fields.ptr, 1, fields.len, stdout);
	(void)fwrite(mail.ptr, 1, mail.len, stdout);
	for (size_t i = 0; i < count; i++)
		EVP_PKEY_free(signers[i].context);
	return 0;
}

/* ---- sealing ----------------------------------------------------------------------- */

static bool add_set(struct str mail, const struct dkim_signer *signer,
		    enum arc_result chain, struct str results,
		    const struct arc_form *form, int64_t now_s, struct buf *fields)
{
	SCOPED(arena_fini) struct arena arena;
	struct str header = header_of(mail);

	arena_init(&arena, 1 << 20);
	SCOPED(arc_seal_free)
	struct arc_seal *seal = arc_seal_begin(header, form, &arena);

	if (!seal)
		return false;
	arc_seal_feed(seal, str_skip(mail, header.len));
	return arc_seal_end(seal, chain, results, signer, now_s, fields) == OK;
}

static int seal(int argc, char **argv)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	SCOPED(buf_fini) struct buf fields = BUF(MAIL_MAX);
	EVP_PKEY *key = key_in(argv[4]);
	struct str names[DKIM_NAMES_MAX];
	struct arc_form form = {names, 0, true};
	enum arc_result chain = ARC_NONE;
	uint64_t now_s = (uint64_t)time(NULL);

	if (!key)
		return 1;
	while (chain < ARC_TEMPERROR && strcmp(arc_result_name(chain), argv[5]) != 0)
		chain++;
	if (argc > 8) {
		if (!num_parse(str_c(argv[7]), INT64_MAX, &now_s))
			return 2;
		for (struct str rest = str_c(argv[8]); rest.len > 0;)
			names[form.name_count++] = str_cut(&rest, ':');
	}
	struct dkim_signer signer = signer_of(key, argv[2], argv[3]);

	read_all(&mail);
	if (!add_set(buf_str(&mail), &signer, chain, str_c(argv[6]),
		     argc > 8 ? &form : NULL, (int64_t)now_s, &fields))
		return 1;
	(void)fwrite(fields.ptr, 1, fields.len, stdout);
	(void)fwrite(mail.ptr, 1, mail.len, stdout);
	EVP_PKEY_free(key);
	return 0;
}

/* ---- what checking costs ----------------------------------------------------------- */

static void answer_record(void *context, const struct dns_question *question,
			  struct arena *arena, struct dns_answer *answer)
{
	(void)question;
	(void)arena;
	*answer =
		(struct dns_answer){.outcome = DNS_FOUND, .records = context, .count = 1};
}

/* The key's record in wire form: strings of at most 255 octets. */
static void add_record(EVP_PKEY *key, struct buf *record)
{
	SCOPED(buf_fini) struct buf text = BUF(4096);
	unsigned char raw[32], *der = NULL;
	size_t raw_len = sizeof raw;
	int der_len = 0;

	if (EVP_PKEY_get_raw_public_key(key, raw, &raw_len) == 1) {
		buf_add_c(&text, "v=DKIM1; k=ed25519; p=");
		base64_add(&text, (struct str){(const char *)raw, raw_len});
	} else if ((der_len = i2d_PUBKEY(key, &der)) > 0) {
		buf_add_c(&text, "v=DKIM1; k=rsa; p=");
		base64_add(&text, (struct str){(const char *)der, (size_t)der_len});
		OPENSSL_free(der);
	}
	for (struct str rest = buf_str(&text); rest.len > 0; rest = str_skip(rest, 255)) {
		buf_add_byte(record, (char)str_first(rest, 255).len);
		buf_add(record, str_first(rest, 255));
	}
}

static enum dkim_result check_once(struct str mail, struct str *record)
{
	SCOPED(arena_fini) struct arena arena;
	struct dns_lookup lookup = {.ask = answer_record, .context = record};
	struct str header = header_of(mail);
	struct dkim_verdict verdict;

	arena_init(&arena, 1 << 20);
	SCOPED(dkim_message_free)
	struct dkim_message *read = dkim_message_begin(header, &arena);
	SCOPED(dkim_verify_free)
	struct dkim_verify *verify = dkim_verify_begin(read, time(NULL));

	dkim_message_feed(read, str_skip(mail, header.len));
	dkim_verify_end(verify, &lookup, &verdict);
	return verdict.result;
}

static double cpu_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static bool measure(const char *what, EVP_PKEY *key, struct str mail)
{
	SCOPED(buf_fini) struct buf signed_mail = BUF(MAIL_MAX);
	SCOPED(buf_fini) struct buf record = BUF(4096);
	struct dkim_signer signer;
	const int rounds = 5000;
	bool is_good = true;

	if (key) {
		signer = signer_of(key, "cost.example", "s");
		if (!add_signatures(mail, &signer, 1, &signed_mail))
			return false;
		add_record(key, &record);
	}
	buf_add(&signed_mail, mail);
	struct str data = buf_str(&record);
	double from = cpu_us();

	for (int i = 0; i < rounds; i++)
		is_good = is_good && check_once(buf_str(&signed_mail), &data) ==
					     (key ? DKIM_PASS : DKIM_NONE);
	printf("%-24s %6.1f us of processor time\n", what, (cpu_us() - from) / rounds);
	return is_good;
}

static enum arc_result check_chain(struct str mail, struct str *record)
{
	SCOPED(arena_fini) struct arena arena;
	struct dns_lookup lookup = {.ask = answer_record, .context = record};
	struct str header = header_of(mail);
	struct arc_verdict verdict;

	arena_init(&arena, 1 << 20);
	SCOPED(dkim_message_free)
	struct dkim_message *read = dkim_message_begin(header, &arena);
	SCOPED(arc_verify_free)
	struct arc_verify *verify = arc_verify_begin(read, time(NULL));

	dkim_message_feed(read, str_skip(mail, header.len));
	arc_verify_end(verify, &lookup, &verdict);
	return verdict.result;
}

static bool measure_chain(const char *what, EVP_PKEY *key, struct str plain, int sets)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	SCOPED(buf_fini) struct buf record = BUF(4096);
	const int rounds = 1000;
	bool is_good = true;

	buf_add(&mail, plain);
	for (int i = 0; i < sets; i++) {
		SCOPED(buf_fini) struct buf fields = BUF(MAIL_MAX);
		struct dkim_signer signer = signer_of(key, "cost.example", "s");

		if (!add_set(buf_str(&mail), &signer, ARC_PASS,
			     STR("mx.cost.example; spf=pass smtp.mailfrom=cost.example"),
			     NULL, time(NULL), &fields))
			return false;
		buf_add(&fields, buf_str(&mail));
		buf_reset(&mail);
		buf_add(&mail, buf_str(&fields));
	}
	add_record(key, &record);
	struct str data = buf_str(&record);
	double from = cpu_us();

	for (int i = 0; i < rounds; i++)
		is_good = is_good && check_chain(buf_str(&mail), &data) ==
					     (sets > 0 ? ARC_PASS : ARC_NONE);
	printf("%-24s %6.1f us of processor time\n", what, (cpu_us() - from) / rounds);
	return is_good;
}

static void add_mail(struct buf *mail)
{
	buf_add_c(mail, "From: Ann <ann@cost.example>\r\nTo: Bob <bob@cost.example>\r\n"
			"Subject: What it costs\r\nDate: Sun, 22 Nov 2026 08:00:00 "
			"+0000\r\nMessage-ID: <1@cost.example>\r\n\r\n");
	while (mail->len < 4096)
		buf_add_c(mail, "All work and no play makes Jack a dull boy, they say "
				"again.\r\n");
}

static int cost(bool is_arc)
{
	SCOPED(buf_fini) struct buf mail = BUF(MAIL_MAX);
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bool is_good;

	add_mail(&mail);
	struct str text = buf_str(&mail);

	if (is_arc)
		is_good = measure_chain("no chain", rsa, text, 0) &&
			  measure_chain("three of RSA, 2048 bits", rsa, text, 3) &&
			  measure_chain("three of Ed25519", ed25519, text, 3);
	else
		is_good = measure("no signature", NULL, text) &&
			  measure("one of RSA, 2048 bits", rsa, text) &&
			  measure("one of Ed25519", ed25519, text);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed25519);
	return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "sign") == 0)
		return sign(argc, argv);
	if (argc >= 7 && strcmp(argv[1], "seal") == 0)
		return seal(argc, argv);
	if (argc == 2 && strcmp(argv[1], "arc-cost") == 0)
		return cost(true);
	return argc == 2 && strcmp(argv[1], "cost") == 0 ? cost(false) : 2;
}
