#include "report/dmarc_report.h"

#include <libxml/parser.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/utf8.h"
#include "rt/task.h"

enum { PIECE = 64 * 1024, PATH_MAX_BYTES = 2048 };

struct reading {
	struct arena *arena;
	struct dmarc_report *report;
	enum dmarc_report_read outcome;
	struct str xml;
	xmlParserCtxt *parser;
	struct buf path, text; /* "/feedback/record/row"; what its element has said */
	size_t depth;
	struct dmarc_report_row *row, **next_row;
	struct dmarc_report_auth *auth;
	struct dmarc_report_reason *reason;
};

/* ---- which element says what: RFC 9990 Appendix A ---------------------------------- */

enum holder { IN_REPORT, IN_ROW, IN_AUTH, IN_REASON };
enum form { TEXT, NUMBER };

#define REPORT_AT(path, form, member)                                                    \
	{                                                                                \
		path, IN_REPORT, form, offsetof(struct dmarc_report, member)             \
	}
#define ROW_AT(path, form, member)                                                       \
	{                                                                                \
		"/feedback/record" path, IN_ROW, form,                                   \
			offsetof(struct dmarc_report_row, member)                        \
	}
#define AUTH_AT(path, member)                                                            \
	{                                                                                \
		"/feedback/record/auth_results" path, IN_AUTH, TEXT,                     \
			offsetof(struct dmarc_report_auth, member)                       \
	}

static const struct place {
	const char *path;
	enum holder holder;
	enum form form;
	size_t at;
} places[] = {
	REPORT_AT("/feedback/report_metadata/org_name", TEXT, organization),
	REPORT_AT("/feedback/report_metadata/email", TEXT, email),
	REPORT_AT("/feedback/report_metadata/extra_contact_info", TEXT, contact),
	REPORT_AT("/feedback/report_metadata/report_id", TEXT, id),
	REPORT_AT("/feedback/report_metadata/error", TEXT, error),
	REPORT_AT("/feedback/report_metadata/generator", TEXT, generator),
	REPORT_AT("/feedback/report_metadata/date_range/begin", NUMBER, begin),
	REPORT_AT("/feedback/report_metadata/date_range/end", NUMBER, end),
	REPORT_AT("/feedback/policy_published/domain", TEXT, domain),
	REPORT_AT("/feedback/policy_published/p", TEXT, p),
	REPORT_AT("/feedback/policy_published/sp", TEXT, sp),
	REPORT_AT("/feedback/policy_published/np", TEXT, np),
	REPORT_AT("/feedback/policy_published/pct", TEXT, pct),
	REPORT_AT("/feedback/policy_published/adkim", TEXT, adkim),
	REPORT_AT("/feedback/policy_published/aspf", TEXT, aspf),
	REPORT_AT("/feedback/policy_published/fo", TEXT, fo),
	REPORT_AT("/feedback/policy_published/testing", TEXT, testing),
	REPORT_AT("/feedback/policy_published/discovery_method", TEXT, discovery),
	ROW_AT("/row/source_ip", TEXT, source_ip),
	ROW_AT("/row/count", NUMBER, count),
	ROW_AT("/row/policy_evaluated/disposition", TEXT, disposition),
	ROW_AT("/row/policy_evaluated/dkim", TEXT, dkim),
	ROW_AT("/row/policy_evaluated/spf", TEXT, spf),
	ROW_AT("/identifiers/header_from", TEXT, header_from),
	ROW_AT("/identifiers/envelope_from", TEXT, envelope_from),
	ROW_AT("/identifiers/envelope_to", TEXT, envelope_to),
	{"/feedback/record/row/policy_evaluated/reason/type", IN_REASON, TEXT,
	 offsetof(struct dmarc_report_reason, type)},
	{"/feedback/record/row/policy_evaluated/reason/comment", IN_REASON, TEXT,
	 offsetof(struct dmarc_report_reason, comment)},
	AUTH_AT("/dkim/domain", domain),
	AUTH_AT("/dkim/selector", selector),
	AUTH_AT("/dkim/result", result),
	AUTH_AT("/dkim/human_result", human),
	AUTH_AT("/spf/domain", domain),
	AUTH_AT("/spf/scope", scope),
	AUTH_AT("/spf/result", result),
	AUTH_AT("/spf/human_result", human),
};

static bool is_at(const struct reading *r, const char *path)
{
	return str_same(buf_str(&r->path), str_c(path));
}

/* ---- what begins and ends ---------------------------------------------------------- */

static void stop(struct reading *r, enum dmarc_report_read why)
{
	r->outcome = why;
	xmlStopParser(r->parser);
}

static void begin_row(struct reading *r)
{
	struct dmarc_report_row *row =
		r->report->row_count < DMARC_REPORT_ROWS_MAX
			? ARENA_NEW(r->arena, struct dmarc_report_row)
			: NULL;

	r->row = row;
	r->auth = NULL;
	r->reason = NULL;
	r->report->is_cut |= !row;
	if (!row)
		return;
	*r->next_row = row;
	r->next_row = &row->next;
	r->report->row_count++;
}

/* As many as the bound allows, in the report's order. */
static void begin_auth(struct reading *r, struct dmarc_report_auth **list)
{
	size_t count = 0;

	for (; *list; list = &(*list)->next)
		count++;
	r->auth = count < DMARC_REPORT_SIGNATURES_MAX
			  ? ARENA_NEW(r->arena, struct dmarc_report_auth)
			  : NULL;
	r->report->is_cut |= !r->auth;
	*list = r->auth;
}

static void begin_reason(struct reading *r)
{
	struct dmarc_report_reason **list = &r->row->reasons;
	size_t count = 0;

	for (; *list; list = &(*list)->next)
		count++;
	r->reason = count < DMARC_REPORT_REASONS_MAX
			    ? ARENA_NEW(r->arena, struct dmarc_report_reason)
			    : NULL;
	r->report->is_cut |= !r->reason;
	*list = r->reason;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int namespaces, const xmlChar **declared,
		     int attributes, int defaulted, const xmlChar **values)
{
	struct reading *r = arg;

	(void)prefix, (void)uri, (void)namespaces, (void)declared, (void)attributes,
		(void)defaulted, (void)values; /* NO_NAMESPACE */
	buf_add_byte(&r->path, '/');
	buf_add_c(&r->path, (const char *)name);
	buf_reset(&r->text);
	if (++r->depth > DMARC_REPORT_DEPTH_MAX || !buf_ok(&r->path))
		stop(r, DMARC_REPORT_REFUSED);
	else if (r->depth == 1 && !is_at(r, "/feedback"))
		stop(r, DMARC_REPORT_OTHER);
	else if (is_at(r, "/feedback/record"))
		begin_row(r);
	else if (r->row && is_at(r, "/feedback/record/auth_results/dkim"))
		begin_auth(r, &r->row->dkim_results);
	else if (r->row && is_at(r, "/feedback/record/auth_results/spf"))
		begin_auth(r, &r->row->spf_results);
	else if (r->row && is_at(r, "/feedback/record/row/policy_evaluated/reason"))
		begin_reason(r);
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	struct reading *r = arg;
	struct str more = {(const char *)text, (size_t)len};

	/* One octet beyond the bound, so that is_cut is seen. */
	buf_add(&r->text, str_first(more, DMARC_REPORT_TEXT_MAX + 1 - r->text.len));
}

static void *holder_of(const struct reading *r, enum holder holder)
{
	switch (holder) {
	case IN_REPORT:
		return r->report;
	case IN_ROW:
		return r->row;
	case IN_AUTH:
		return r->auth;
	case IN_REASON:
		return r->reason;
	}
	return NULL;
}

static void take(struct reading *r, const struct place *place)
{
	char *holder = holder_of(r, place->holder);
	struct str text = str_trim(buf_str(&r->text));
	struct str said = utf8_first(text, DMARC_REPORT_TEXT_MAX), *kept;

	if (!holder)
		return; /* beyond a bound */
	r->report->is_cut |= said.len < text.len;
	if (place->form == NUMBER) {
		uint64_t *number = (uint64_t *)(void *)(holder + place->at);

		if (!num_parse(said, INT64_MAX, number))
			*number = 0;
		return;
	}
	kept = (struct str *)(void *)(holder + place->at);
	if (!arena_copy(r->arena, said, kept))
		r->report->is_cut = true;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct reading *r = arg;

	(void)name, (void)prefix, (void)uri; /* libxml2 has seen that they fit */
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (is_at(r, places[i].path))
			take(r, &places[i]);
	buf_cut(&r->path, str_rfind_byte(buf_str(&r->path), '/'));
	buf_reset(&r->text);
	r->depth--;
	if (r->depth == 1)
		r->row = NULL;
}

/* <!DOCTYPE: no report needs one; bombs and thieves of files do. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	stop(arg, DMARC_REPORT_REFUSED);
}

static void on_error(void *arg, xmlErrorPtr error)
{
	(void)arg, (void)error; /* the parser's state says enough */
}

/* ---- the whole --------------------------------------------------------------------- */

static void feed(struct reading *r)
{
	struct str rest = r->xml;
	int state = XML_ERR_OK;

	while (rest.len > 0 && state == XML_ERR_OK && r->outcome == DMARC_REPORT_FINE) {
		struct str piece = str_first(rest, PIECE);

		state = xmlParseChunk(r->parser, piece.ptr, (int)piece.len, 0);
		rest = str_skip(rest, PIECE);
	}
	if (state == XML_ERR_OK && r->outcome == DMARC_REPORT_FINE)
		state = xmlParseChunk(r->parser, NULL, 0, 1);
	if (r->outcome == DMARC_REPORT_FINE && (state != XML_ERR_OK || r->depth > 0))
		r->outcome = r->report->row_count > 0 || r->depth > 0
				     ? DMARC_REPORT_DAMAGED
				     : DMARC_REPORT_OTHER;
}

/* libxml2 wants more stack than a task has. */
static void read_all(void *arg)
{
	struct reading *r = arg;
	xmlSAXHandler calls = {.initialized = XML_SAX2_MAGIC,
			       .startElementNs = on_start,
			       .endElementNs = on_end,
			       .characters = on_text,
			       .cdataBlock = on_text,
			       .internalSubset = on_doctype,
			       .serror = on_error};

	r->parser = xmlCreatePushParserCtxt(&calls, r, NULL, 0, NULL);
	ASSERT(r->parser);
	(void)xmlCtxtUseOptions(r->parser, XML_PARSE_NONET); /* knows the option */
	feed(r);
	xmlFreeDoc(r->parser->myDoc); /* there is none; NULL is fine */
	xmlFreeParserCtxt(r->parser);
}

enum dmarc_report_read dmarc_report_parse(struct str xml, struct arena *arena,
					  struct dmarc_report *report)
{
	struct reading r = {.arena = arena,
			    .report = report,
			    .outcome = DMARC_REPORT_FINE,
			    .xml = xml,
			    .path = BUF(PATH_MAX_BYTES),
			    .text = BUF(DMARC_REPORT_TEXT_MAX + 1)};

	*report = (struct dmarc_report){.row_count = 0};
	r.next_row = &report->rows;
	if (xml.len > DMARC_REPORT_BYTES_MAX)
		return DMARC_REPORT_REFUSED;
	if (!str_starts(str_trim(str_first(xml, PIECE)), STR("<")) &&
	    !str_starts(xml, STR("\xef\xbb\xbf<")))
		return DMARC_REPORT_OTHER;
	on_big_stack(read_all, &r);
	buf_fini(&r.path);
	buf_fini(&r.text);
	if (r.outcome == DMARC_REPORT_FINE && report->row_count == 0 && !report->is_cut)
		return report->domain.len > 0 ? DMARC_REPORT_FINE : DMARC_REPORT_OTHER;
	return r.outcome;
}

bool dmarc_report_is_aligned(const struct dmarc_report_row *row)
{
	return str_same_nocase(row->dkim, STR("pass")) ||
	       str_same_nocase(row->spf, STR("pass"));
}
