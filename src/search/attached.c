#include "search/attached.h"

#include "base/num.h"
#include "text/text_header.h"
#include "wire/mail/mime.h"

enum { NAME_MAX_BYTES = 1000, NAME_ARENA = 16 * 1024 };

/* ---- which parts ------------------------------------------------------------------- */

static bool is_listed(struct str text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (str_same_nocase(text, str_c(list[i])))
			return true;
	}
	return false;
}

/* Of type application. */
static bool has_type(struct str subtype)
{
	static const char *const subtypes[] = {
		"pdf", "x-pdf", "vnd.ms-word.document.macroenabled.12",
		"vnd.ms-excel.sheet.macroenabled.12",
		"vnd.ms-powerpoint.presentation.macroenabled.12"};

	return is_listed(subtype, subtypes, COUNT_OF(subtypes)) ||
	       str_starts_nocase(subtype, STR("vnd.openxmlformats-officedocument.")) ||
	       str_starts_nocase(subtype, STR("vnd.oasis.opendocument."));
}

static bool has_ending(struct str name)
{
	static const char *const endings[] = {
		"pdf",  "docx", "docm", "dotx", "dotm", "xlsx", "xlsm",
		"xltx", "xltm", "pptx", "pptm", "potx", "ppsx", "ppsm",
		"odt",  "ods",  "odp",  "odg",  "ott",  "ots",  "otp"};
	size_t dot = str_rfind_byte(name, '.');

	return is_listed(str_skip(name, dot + 1), endings, COUNT_OF(endings));
}

static bool is_named_so(const struct mail_params *params, struct str name)
{
	SCOPED(buf_fini) struct buf text = BUF(NAME_MAX_BYTES);
	SCOPED(arena_fini) struct arena arena;
	struct str value, charset;

	arena_init(&arena, NAME_ARENA);
	if (!mail_param_find(&arena, params, name, &value, &charset))
		return false;
	text_param_add(&text, value, charset);
	return has_ending(str_trim(buf_str(&text)));
}

bool attached_may_be(const struct mime_part *part)
{
	if (part->kind != MIME_LEAF || str_same_nocase(part->type, STR("text")))
		return false;
	if (str_same_nocase(part->type, STR("application")) && has_type(part->subtype))
		return true;
	return is_named_so(&part->disposition.params, STR("filename")) ||
	       is_named_so(&part->params, STR("name"));
}

/* ---- their texts ------------------------------------------------------------------- */

struct gathering {
	struct search_text *scratch;
	struct extract *extract;
	deadline_t deadline;
	size_t documents;
	uint32_t left_ms;
	struct extract_bounds left;
};

/* As it was before it was made fit for mail. */
static struct str decoded(struct str body, const struct mime_part *part,
			  struct buf *plain)
{
	body = str_first(str_skip(body, part->body_at), part->body_len);
	if (part->transfer != MAIL_TRANSFER_QP && part->transfer != MAIL_TRANSFER_BASE64)
		return body;
	mail_transfer_decode(part->transfer, body, plain);
	return buf_ok(plain) ? buf_str(plain) : STR("");
}

/* Into scratch->text. */
static enum extract_outcome ask(struct gathering *g, struct str body,
				const struct mime_part *part)
{
	SCOPED(buf_fini) struct buf plain = BUF(EXTRACT_DOCUMENT_MAX);
	struct extract_bounds bounds = g->left;
	struct extract_reply reply;

	if (!extract_enter(g->extract, g->deadline))
		return EXTRACT_LATER;
	bounds.text_bytes = (uint32_t)num_min(bounds.text_bytes, EXTRACT_TEXT_MAX);
	buf_reset(&g->scratch->text);
	extract_ask(g->extract, decoded(body, part, &plain), &bounds, g->deadline,
		    &g->scratch->text, &reply);
	extract_leave(g->extract);
	g->left_ms -= (uint32_t)num_min(g->left_ms, reply.processor_ms);
	if (reply.outcome != EXTRACT_TEXT)
		return reply.outcome;
	g->left.text_bytes -= (uint32_t)num_min(g->left.text_bytes, g->scratch->text.len);
	g->left.words -= (uint32_t)num_min(g->left.words, reply.words);
	g->left.word_bytes -= (uint32_t)num_min(g->left.word_bytes, reply.word_bytes);
	return reply.outcome;
}

static bool is_whole(struct str body, const struct mime_part *part)
{
	return part->body_at <= body.len && part->body_len <= body.len - part->body_at;
}

/* The same for all who ask about the message, as far as that can be. */
static bool may_go_on(const struct gathering *g)
{
	return g->documents > 0 && g->left_ms > 0 && g->left.words > 0;
}

enum attached attached_texts(struct search_text *scratch, struct extract *extract,
			     struct str body, struct mime_part *root, deadline_t deadline,
			     search_take *take, void *arg)
{
	enum attached outcome = ATTACHED_DONE;
	struct gathering g = {
		.scratch = scratch,
		.extract = extract,
		.deadline = deadline,
		.documents = ATTACHED_DOCUMENTS_MAX,
		.left_ms = ATTACHED_PROCESSOR_MS,
		.left = {ATTACHED_TEXT_MAX, ATTACHED_WORDS_MAX, ATTACHED_WORD_BYTES},
	};

	body = str_first(body, SEARCH_BODY_MAX);
	for (struct mime_part *part = extract ? root : NULL; part && may_go_on(&g);
	     part = mime_next(part)) {
		if (!is_whole(body, part) || !attached_may_be(part))
			continue;
		g.documents--;
		switch (ask(&g, body, part)) {
		case EXTRACT_TEXT:
			if (take(arg, STR(""),
				 search_mapped(scratch, buf_str(&scratch->text))))
				return ATTACHED_ENOUGH;
			break;
		case EXTRACT_LATER:
			outcome = ATTACHED_LATER;
			break;
		case EXTRACT_NONE:
		case EXTRACT_TOO_BIG:
		case EXTRACT_TOO_LONG:
		case EXTRACT_CRASHED:
			break;
		}
	}
	return outcome;
}
