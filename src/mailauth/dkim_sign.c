#include "mailauth/dkim_sign.h"

#include "base/base64.h"
#include "base/mem.h"
#include "mailauth/dkim_body.h"
#include "mailauth/dkim_header.h"

enum { LINE_MAX_LEN = 76, SIGNATURE_BYTES_MAX = 1024 };

struct dkim_sign {
	struct arena *arena;
	struct dkim_header header;
	struct dkim_body *body;
	size_t body_hash;
	struct str names[DKIM_NAMES_MAX]; /* h= */
	size_t name_count;
};

/* What a reader sees or a mail program heeds: nobody may add one.  RFC 6376 §5.4.1 */
static const char *const sealed[] = {
	"From",
	"To",
	"Cc",
	"Subject",
	"Date",
	"Message-ID",
	"Reply-To",
	"Sender",
	"In-Reply-To",
	"References",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
};
/* Signed where they are; others may add theirs, as mailing lists do. */
static const char *const signed_too[] = {
	"Resent-From", "Resent-To",         "Resent-Cc",
	"Resent-Date", "Resent-Message-ID", "List-Id",
	"List-Help",   "List-Unsubscribe",  "List-Unsubscribe-Post",
	"List-Post",   "List-Owner",        "List-Archive",
	"Autocrypt",
};

/* False: there are too many. */
static bool add_name(struct dkim_sign *sign, const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (sign->name_count == DKIM_NAMES_MAX)
			return false;
		sign->names[sign->name_count++] = str_c(name);
	}
	return true;
}

static bool choose_names(struct dkim_sign *sign)
{
	bool fits = true;

	for (size_t i = 0; i < COUNT_OF(sealed); i++)
		fits = fits &&
		       add_name(sign, sealed[i],
				dkim_header_count(&sign->header, str_c(sealed[i])) + 1);
	for (size_t i = 0; i < COUNT_OF(signed_too); i++)
		fits = fits &&
		       add_name(sign, signed_too[i],
				dkim_header_count(&sign->header, str_c(signed_too[i])));
	return fits;
}

struct dkim_sign *dkim_sign_begin(struct str header, struct arena *arena)
{
	struct dkim_sign *sign = NEW(struct dkim_sign);

	sign->arena = arena;
	sign->body = dkim_body_new();
	sign->body_hash = dkim_body_want(sign->body, DKIM_RELAXED, UINT64_MAX);
	if (!dkim_header_read(header, arena, &sign->header) || !choose_names(sign))
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

/* Appends words with what joins them, folded before a line gets long. */
static void add_names(const struct dkim_sign *sign, struct buf *field)
{
	size_t line = 3; /* "\th=" */

	buf_add_c(field, "\r\n\th=");
	for (size_t i = 0; i < sign->name_count; i++) {
		if (line + sign->names[i].len + 1 > LINE_MAX_LEN) {
			buf_add_c(field, "\r\n\t ");
			line = 2;
		}
		if (i > 0)
			buf_add_byte(field, ':');
		buf_add(field, sign->names[i]);
		line += sign->names[i].len + 1;
	}
	buf_add_byte(field, ';');
}

static void add_base64(struct buf *field, const char *tag, struct str octets)
{
	SCOPED(buf_fini) struct buf text = BUF(2 * SIGNATURE_BYTES_MAX);

	base64_add(&text, octets);
	buf_printf(field, "\r\n\t%s=", tag);
	for (struct str rest = buf_str(&text); rest.len > 0;
	     rest = str_skip(rest, LINE_MAX_LEN - 6)) {
		if (rest.ptr != text.ptr)
			buf_add_c(field, "\r\n\t ");
		buf_add(field, str_first(rest, LINE_MAX_LEN - 6));
	}
}

/* One field, which is signed with an empty b= first. */
static err_t add_field(struct dkim_sign *sign, const struct dkim_signer *signer,
		       int64_t now_s, struct buf *fields)
{
	static const struct str name = {"DKIM-Signature:", 15};
	SCOPED(buf_fini) struct buf value = BUF(TAG_LIST_BYTES_MAX);
	SCOPED(buf_fini) struct buf signature = BUF(SIGNATURE_BYTES_MAX);
	const struct dkim_body_hash *body = dkim_body_hash(sign->body, sign->body_hash);
	unsigned char hash[DKIM_HASH_BYTES];

	buf_printf(&value, " v=1; a=%s; c=relaxed/relaxed; d=%.*s;\r\n\ts=%.*s; t=%lld;",
		   dkim_algorithm_name(signer->algorithm), STR_FMT(signer->domain),
		   STR_FMT(signer->selector), (long long)now_s);
	add_names(sign, &value);
	add_base64(&value, "bh",
		   (struct str){(const char *)body->hash, sizeof body->hash});
	buf_add_c(&value, ";");
	size_t without_b = value.len;

	buf_add_c(&value, "\r\n\tb=");
	if (!buf_ok(&value))
		return ERR_LIMIT;
	dkim_header_hash(&sign->header, DKIM_RELAXED, sign->names, sign->name_count,
			 &(struct dkim_own){name, buf_str(&value)}, hash);
	TRY(signer->sign(signer->context, signer, hash, &signature));
	buf_cut(&value, without_b);
	add_base64(&value, "b", buf_str(&signature));
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
