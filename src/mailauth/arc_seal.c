#include "mailauth/arc_seal.h"

#include "base/base64.h"
#include "base/mem.h"
#include "mailauth/arc_chain.h"
#include "mailauth/dkim_write.h"

/* The tags of a message signature and of a seal: 'h' is h=, 'H' is bh=, 'v' is cv=.
 * RFC 8617 §4.1.2, §4.1.3: the instance comes first. */
static const char *const orders[ARC_KINDS][2] = {
	[ARC_MESSAGE] = {"iacdsthHb", "abHcdhist"},
	[ARC_SEAL] = {"iavdstb", "abvdist"},
};

struct arc_seal {
	struct dkim_message *message;
	size_t body_hash;
	struct dkim_body_hash body; /* at the end */
	bool is_body_known;
	struct arc_chain chain;
	struct dkim_names names;
	bool is_plain;
};

/* One set that is being made. */
struct making {
	struct arc_seal *seal;
	const struct dkim_signer *signer;
	unsigned instance;
	enum arc_cv cv;
	int64_t now_s;
};

static bool choose(struct arc_seal *seal, const struct arc_form *form)
{
	const struct dkim_header *header = &seal->message->header;

	if (!form) /* RFC 8617 §4.1.2: any DKIM-Signature SHOULD be covered */
		return dkim_names_choose(header, &seal->names) &&
		       dkim_names_add_all(header, "DKIM-Signature", &seal->names);
	ASSERT(form->name_count <= DKIM_NAMES_MAX);
	seal->is_plain = form->is_plain;
	seal->names.count = form->name_count;
	memcpy(seal->names.names, form->names, form->name_count * sizeof form->names[0]);
	return true;
}

struct arc_seal *arc_seal_begin(struct str header, const struct arc_form *form,
				struct arena *arena)
{
	struct arc_seal *seal = NEW(struct arc_seal);

	seal->message = dkim_message_begin(header, arena);
	ASSERT(dkim_body_want(seal->message->body, DKIM_RELAXED, UINT64_MAX,
			      &seal->body_hash));
	if (seal->message->is_too_big || !choose(seal, form))
		arc_seal_free(&seal);
	else
		arc_chain_read(&seal->message->header, arena, &seal->chain);
	return seal;
}

void arc_seal_feed(struct arc_seal *seal, struct str piece)
{
	dkim_message_feed(seal->message, piece);
}

void arc_seal_know(struct arc_seal *seal, const struct dkim_body_hash *hash)
{
	seal->body = *hash;
	seal->is_body_known = true;
}

void arc_seal_free(struct arc_seal **seal)
{
	if (!*seal)
		return;
	dkim_message_free(&(*seal)->message);
	mem_free(*seal);
	*seal = NULL;
}

/* What stands in a message signature's b= is covered by seals, folds and all. */
static void add_plain(struct buf *value, struct str b)
{
	buf_add_c(value, "\r\n\tb=");
	base64_add(value, b);
}

static void add_tag(const struct making *making, char tag, struct str b,
		    struct buf *value)
{
	const struct dkim_signer *signer = making->signer;
	const struct arc_seal *seal = making->seal;

	if (tag == 'i')
		buf_printf(value, " i=%u", making->instance);
	else if (tag == 'a')
		buf_printf(value, " a=%s", dkim_algorithm_name(signer->algorithm));
	else if (tag == 'c')
		buf_add_c(value, " c=relaxed/relaxed");
	else if (tag == 'v')
		buf_printf(value, " cv=%s", arc_cv_name(making->cv));
	else if (tag == 'd')
		buf_printf(value, "\r\n\td=%.*s", STR_FMT(signer->domain));
	else if (tag == 's')
		buf_printf(value, " s=%.*s", STR_FMT(signer->selector));
	else if (tag == 't')
		buf_printf(value, " t=%lld", (long long)making->now_s);
	else if (tag == 'h')
		dkim_names_add(value, &seal->names);
	else if (tag == 'H')
		dkim_base64_add(value, "bh",
				(struct str){(const char *)seal->body.hash,
					     sizeof seal->body.hash});
	else if (!seal->is_plain)
		dkim_base64_add(value, "b", b);
	else
		add_plain(value, b);
}

static void add_tags(const struct making *making, enum arc_kind kind, struct str b,
		     struct buf *value)
{
	for (const char *tag = orders[kind][making->seal->is_plain]; *tag; tag++) {
		add_tag(making, *tag, b, value);
		if (tag[1])
			buf_add_byte(value, ';');
	}
}

/* The whole field: hashed with an empty b=, signed, and written with that.  scope: what a
 * seal covers before itself; NULL for a message signature. */
static err_t make(const struct making *making, enum arc_kind kind,
		  const struct arc_scope *scope, struct buf *field)
{
	SCOPED(buf_fini) struct buf name = BUF(64);
	SCOPED(buf_fini) struct buf value = BUF(TAG_LIST_BYTES_MAX);
	SCOPED(buf_fini) struct buf signature = BUF(DKIM_SIGNATURE_BYTES_MAX);
	struct arc_seal *seal = making->seal;
	unsigned char hash[DKIM_HASH_BYTES];

	buf_printf(&name, "%s:", arc_kind_name(kind));
	add_tags(making, kind, STR(""), &value);
	if (!buf_ok(&value))
		return ERR_LIMIT;
	struct dkim_own own = {buf_str(&name), buf_str(&value)};

	if (scope)
		arc_scope_hash(scope, &own, hash);
	else
		dkim_header_hash(&seal->message->header, DKIM_RELAXED, seal->names.names,
				 seal->names.count, &own, hash);
	TRY(making->signer->sign(making->signer->context, making->signer, hash,
				 &signature));
	buf_add(field, buf_str(&name));
	add_tags(making, kind, buf_str(&signature), field);
	buf_add_c(field, "\r\n");
	return buf_ok(&signature) && buf_ok(field) ? OK : ERR_LIMIT;
}

/* RFC 8617 §5.1.1; of a chain that has failed only the newest set is covered, §5.1.2 */
static err_t make_set(const struct making *making, struct str results, struct buf *fields)
{
	SCOPED(buf_fini) struct buf found = BUF(2 * ARC_RESULTS_BYTES_MAX);
	SCOPED(buf_fini) struct buf message = BUF(2 * TAG_LIST_BYTES_MAX);
	SCOPED(buf_fini) struct buf sealed = BUF(2 * TAG_LIST_BYTES_MAX);
	SCOPED(arc_scope_fini) struct arc_scope scope;
	const struct arc_chain *chain = &making->seal->chain;

	arc_scope_init(&scope);
	for (size_t i = 0; making->cv == ARC_CV_PASS && i < chain->count; i++)
		arc_scope_add_set(&scope, chain, &chain->sets[i], true);
	buf_printf(&found, "%s: i=%u; ", arc_kind_name(ARC_RESULTS), making->instance);
	buf_add(&found, results);
	buf_add_c(&found, "\r\n");
	if (results.len > ARC_RESULTS_BYTES_MAX - 100 || !buf_ok(&found))
		return ERR_LIMIT;
	TRY(make(making, ARC_MESSAGE, NULL, &message));
	arc_scope_add(&scope, buf_str(&found));
	arc_scope_add(&scope, buf_str(&message));
	TRY(make(making, ARC_SEAL, &scope, &sealed));
	buf_add(fields, buf_str(&sealed));
	buf_add(fields, buf_str(&message));
	buf_add(fields, buf_str(&found));
	return buf_ok(fields) ? OK : ERR_LIMIT;
}

/* Whether there is a set to be made. */
static bool is_open(const struct arc_chain *chain, enum arc_result result)
{
	if (!chain->is_there)
		return true;
	if (result == ARC_TEMPERROR || chain->count >= ARC_INSTANCES_MAX)
		return false;
	if (chain->count == 0)
		return true;
	const struct arc_field *newest = &chain->sets[chain->count - 1].fields[ARC_SEAL];

	return !newest->has_cv || newest->cv != ARC_CV_FAIL; /* RFC 8617 §5.1, step 2 */
}

static enum arc_cv cv_of(const struct arc_chain *chain, enum arc_result result)
{
	if (!chain->is_there)
		return ARC_CV_NONE;
	return result == ARC_PASS && !chain->trouble ? ARC_CV_PASS : ARC_CV_FAIL;
}

err_t arc_seal_end(struct arc_seal *seal, enum arc_result chain, struct str results,
		   const struct dkim_signer *signer, int64_t now_s, struct buf *fields)
{
	size_t before = fields->len;

	dkim_message_end(seal->message);
	if (!seal->is_body_known)
		seal->body = *dkim_body_hash(seal->message->body, seal->body_hash);
	if (!is_open(&seal->chain, chain))
		return OK;
	err_t err = make_set(
		&(struct making){
			.seal = seal,
			.signer = signer,
			.instance = (unsigned)seal->chain.count + 1,
			.cv = cv_of(&seal->chain, chain),
			.now_s = now_s,
		},
		results, fields);

	if (err != OK)
		buf_cut(fields, before);
	return err;
}
