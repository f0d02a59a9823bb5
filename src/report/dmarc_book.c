#include "report/dmarc_book.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/utf8.h"

enum {
	VERSION = 2,
	ARENA_MAX = 256 * 1024,
	ROW_BYTES_MAX = 8192,
	NAME_MAX_BYTES = 255,
	FO_MAX = 20,
	ROW_EXTRA = 12, /* around a row in the value: its length and its count */
};

enum { DKIM_STRICT = 1, SPF_STRICT = 2, TESTING = 4, HAS_SP = 8, HAS_NP = 16 };
enum { DKIM_ALIGNED = 1, SPF_ALIGNED = 2, HAS_SPF = 4 };

static const char *const policies[] = {"none", "quarantine", "reject"};
static const char *const dispositions[] = {"none", "pass", "quarantine", "reject"};
static const char *const overrides[] = {
	"",      "local_policy",     "mailing_list",
	"other", "policy_test_mode", "trusted_forwarder",
};
static const char *const results[] = {"none",   "pass",    "fail",      "softfail",
				      "policy", "neutral", "temperror", "permerror"};

static uint8_t number_of(struct str word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_same(word, str_c(words[i])))
			return (uint8_t)i;
	return 0;
}

/* False if it is beyond the list. */
static bool word_of(struct dec *dec, const char *const *words, size_t count,
		    struct str *word)
{
	uint8_t number = dec_u8(dec);

	if (number >= count)
		return false;
	*word = str_c(words[number]);
	return true;
}

#define NUMBER(word, words)    number_of((word), (words), COUNT_OF(words))
#define WORD(dec, words, word) word_of((dec), (words), COUNT_OF(words), (word))

void dmarc_book_init(struct dmarc_book *book, size_t pairs)
{
	*book = (struct dmarc_book){.pairs = pairs};
	arena_init(&book->arena, pairs * ARENA_MAX);
}

void dmarc_book_fini(struct dmarc_book *book)
{
	arena_fini(&book->arena);
}

/* ---- one mail, as octets ----------------------------------------------------------- */

static void add_name(struct buf *out, struct str name)
{
	enc_str(out, utf8_first(name, NAME_MAX_BYTES));
}

static void encode_policy(struct buf *out, const struct dmarc_facts *facts)
{
	unsigned flags = 0;

	flags |= facts->is_dkim_strict ? DKIM_STRICT : 0;
	flags |= facts->is_spf_strict ? SPF_STRICT : 0;
	flags |= facts->is_testing ? TESTING : 0;
	flags |= facts->sp.len > 0 ? HAS_SP : 0;
	flags |= facts->np.len > 0 ? HAS_NP : 0;
	enc_u8(out, NUMBER(facts->p, policies));
	enc_u8(out, NUMBER(facts->sp, policies));
	enc_u8(out, NUMBER(facts->np, policies));
	enc_u8(out, (uint8_t)flags);
	enc_str(out, str_first(facts->fo, FO_MAX));
}

bool dmarc_book_read_policy(struct str bytes, struct dmarc_facts *facts)
{
	struct dec dec = dec_over(bytes);

	if (!WORD(&dec, policies, &facts->p) || !WORD(&dec, policies, &facts->sp) ||
	    !WORD(&dec, policies, &facts->np))
		return false;
	unsigned flags = dec_u8(&dec);

	facts->is_dkim_strict = flags & DKIM_STRICT;
	facts->is_spf_strict = flags & SPF_STRICT;
	facts->is_testing = flags & TESTING;
	if (!(flags & HAS_SP))
		facts->sp = STR("");
	if (!(flags & HAS_NP))
		facts->np = STR("");
	facts->fo = dec_str(&dec);
	return dec_done(&dec);
}

static void encode_row(struct buf *out, const struct dmarc_facts *facts)
{
	size_t count = num_min(facts->signature_count, DMARC_FACTS_SIGNATURES_MAX);
	unsigned flags = 0;

	flags |= facts->is_dkim_aligned ? DKIM_ALIGNED : 0;
	flags |= facts->is_spf_aligned ? SPF_ALIGNED : 0;
	flags |= facts->spf_domain.len > 0 ? HAS_SPF : 0;
	enc_u8(out, (uint8_t)facts->source.len);
	buf_add(out, (struct str){(const char *)facts->source.octets, facts->source.len});
	enc_u8(out, NUMBER(facts->disposition, dispositions));
	enc_u8(out, NUMBER(facts->override, overrides));
	enc_u8(out, (uint8_t)flags);
	enc_str(out, utf8_first(facts->comment, DMARC_FACTS_COMMENT_MAX));
	add_name(out, facts->header_from);
	add_name(out, facts->envelope_from);
	enc_u8(out, NUMBER(facts->spf_result, results));
	add_name(out, facts->spf_domain);
	enc_u8(out, (uint8_t)count);
	for (size_t i = 0; i < count; i++) {
		enc_u8(out, NUMBER(facts->signatures[i].result, results));
		add_name(out, facts->signatures[i].domain);
		add_name(out, facts->signatures[i].selector);
	}
}

static bool read_source(struct dec *dec, struct ip *ip)
{
	ip->len = dec_u8(dec);
	if (ip->len != IP4_BYTES && ip->len != IP6_BYTES)
		return false;
	struct str octets = dec_bytes(dec, ip->len);

	if (octets.len == ip->len)
		memcpy(ip->octets, octets.ptr, octets.len);
	return dec_ok(dec);
}

bool dmarc_book_read_row(struct str bytes, struct dmarc_facts *facts)
{
	struct dec dec = dec_over(bytes);

	*facts = (struct dmarc_facts){.signature_count = 0};
	if (!read_source(&dec, &facts->source) ||
	    !WORD(&dec, dispositions, &facts->disposition) ||
	    !WORD(&dec, overrides, &facts->override))
		return false;
	unsigned flags = dec_u8(&dec);

	facts->is_dkim_aligned = flags & DKIM_ALIGNED;
	facts->is_spf_aligned = flags & SPF_ALIGNED;
	facts->comment = dec_str(&dec);
	facts->header_from = dec_str(&dec);
	facts->envelope_from = dec_str(&dec);
	if (!WORD(&dec, results, &facts->spf_result))
		return false;
	facts->spf_domain = dec_str(&dec);
	facts->signature_count = dec_u8(&dec);
	if (facts->signature_count > DMARC_FACTS_SIGNATURES_MAX)
		return false;
	for (size_t i = 0; i < facts->signature_count; i++) {
		struct dmarc_facts_signature *signature = &facts->signatures[i];

		if (!WORD(&dec, results, &signature->result))
			return false;
		signature->domain = dec_str(&dec);
		signature->selector = dec_str(&dec);
	}
	return dec_done(&dec);
}

/* ---- adding up --------------------------------------------------------------------- */

static void add_row(struct dmarc_book *book, struct str bytes, uint64_t count)
{
	struct dmarc_book_row **at = &book->rows;
	uint64_t hash = hash64(bytes);

	for (; *at; at = &(*at)->next) {
		if ((*at)->hash != hash || !str_same((*at)->bytes, bytes))
			continue;
		(*at)->count += count;
		return;
	}
	struct dmarc_book_row *row = NULL;
	struct str kept;

	if (book->count < book->pairs * DMARC_BOOK_ROWS_MAX &&
	    book->bytes + bytes.len + ROW_EXTRA <= book->pairs * DMARC_BOOK_BYTES_MAX &&
	    arena_copy(&book->arena, bytes, &kept))
		row = ARENA_NEW(&book->arena, struct dmarc_book_row);
	if (!row) {
		book->others += count;
		return;
	}
	*row = (struct dmarc_book_row){.hash = hash, .count = count, .bytes = kept};
	*at = row;
	book->count++;
	book->bytes += bytes.len + ROW_EXTRA;
}

void dmarc_book_add(struct dmarc_book *book, const struct dmarc_facts *facts)
{
	SCOPED(buf_fini) struct buf row = BUF(ROW_BYTES_MAX), policy = BUF(100);

	encode_policy(&policy, facts);
	encode_row(&row, facts);
	ASSERT(buf_ok(&policy) && buf_ok(&row)); /* all names are bounded */
	if (!str_same(book->policy, buf_str(&policy)) &&
	    !arena_copy(&book->arena, buf_str(&policy), &book->policy))
		book->policy = STR(""); /* of many changes; the next is as good */
	add_row(book, buf_str(&row), 1);
}

void dmarc_book_encode(struct buf *value, const struct dmarc_book *book)
{
	enc_u8(value, VERSION);
	enc_str(value, book->policy);
	enc_var(value, book->others);
	enc_var(value, book->count);
	for (const struct dmarc_book_row *row = book->rows; row; row = row->next) {
		enc_str(value, row->bytes);
		enc_var(value, row->count);
	}
}

bool dmarc_book_decode(struct str value, struct dmarc_book *book)
{
	struct dec dec = dec_over(value);
	struct dmarc_facts facts;

	if (dec_u8(&dec) != VERSION)
		return false;
	struct str policy = dec_str(&dec);

	if (!dmarc_book_read_policy(policy, &facts))
		return false;
	if (book->policy.len == 0 && !arena_copy(&book->arena, policy, &book->policy))
		return false;
	book->others += dec_var_max(&dec, INT64_MAX);
	for (uint64_t count = dec_var_max(&dec, DMARC_BOOK_ROWS_MAX); count > 0;
	     count--) {
		struct str bytes = dec_str(&dec);
		uint64_t mails = dec_var_max(&dec, INT64_MAX);

		if (!dec_ok(&dec) || !dmarc_book_read_row(bytes, &facts))
			return false;
		add_row(book, bytes, mails);
	}
	return dec_done(&dec);
}
