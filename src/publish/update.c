#include "publish/update.h"

#include <ldns/ldns.h>

#include "base/mem.h"
#include "directory/dkim_rollover.h"
#include "net/connect.h"
#include "rt/clock.h"

enum {
	CHANGES_MAX = PUBLISH_RECORDS_MAX,
	EXCHANGE_S = 20,
	FUDGE_S = 300, /* RFC 8945 §10: recommended */
	MESSAGE_MAX = 65535,
	LENGTH_BYTES = 2,
	MAC_FIELD = 3, /* of a TSIG record's data: RFC 8945 §4.2 */
	TIME_FIELD = 1,
	NAME_TEXT_MAX = 300,
	LINE_BYTES_MAX = 8192,
};

struct update {
	struct address server;
	const struct update_key *key;
	char key_name[NAME_TEXT_MAX], secret[NAME_TEXT_MAX];
	ldns_rdf *zone;
	ldns_rr_list *needed; /* prerequisites */
	ldns_rr_list *changes;
	size_t count;
	struct str shown; /* what update_print() prints */
};

/* ---- one message there and back ---------------------------------------------------- */

/* DNS over TCP: RFC 7766 §8, so that size does not matter. */
static err_t carry(const struct address *server, struct str message, struct buf *reply)
{
	SCOPED(conn_free) struct conn *conn = NULL;
	const char length[LENGTH_BYTES] = {(char)(message.len >> 8), (char)message.len};
	struct str input;

	TRY(conn_connect(server, NULL, deadline_s(EXCHANGE_S), &conn));
	conn_deadline_s(conn, EXCHANGE_S);
	conn_add(conn, (struct str){length, LENGTH_BYTES});
	conn_add(conn, message);
	TRY(conn_flush(conn));
	TRY(conn_peek(conn, &input));
	while (input.len < LENGTH_BYTES ||
	       input.len < LENGTH_BYTES + ((size_t)(unsigned char)input.ptr[0] << 8 |
					   (unsigned char)input.ptr[1]))
		TRY(conn_more(conn, LENGTH_BYTES + MESSAGE_MAX, &input));
	buf_add(reply, str_first(str_skip(input, LENGTH_BYTES),
				 (size_t)(unsigned char)input.ptr[0] << 8 |
					 (unsigned char)input.ptr[1]));
	return OK;
}

/* RFC 8945 §5.2.3 */
static bool is_in_time(const ldns_rr *tsig)
{
	const ldns_rdf *field = ldns_rr_rdf(tsig, TIME_FIELD);
	int64_t at = 0, now = clock_s();

	if (!field || ldns_rdf_size(field) != 6)
		return false;
	for (size_t i = 0; i < 6; i++)
		at = at << 8 | ldns_rdf_data(field)[i];
	return at - now <= FUDGE_S && now - at <= FUDGE_S;
}

/* Whether the key has signed it, as an answer to what we asked: RFC 8945 §5.4.1. */
static bool is_signed(const struct update *update, const ldns_pkt *question,
		      ldns_pkt *answer, struct str wire)
{
	const ldns_rr *tsig = ldns_pkt_tsig(answer);

	return tsig && ldns_rr_rd_count(tsig) > MAC_FIELD && is_in_time(tsig) &&
	       ldns_pkt_id(question) == ldns_pkt_id(answer) &&
	       ldns_pkt_tsig_verify(answer, (const uint8_t *)wire.ptr, wire.len,
				    update->key_name, update->secret,
				    ldns_rr_rdf(ldns_pkt_tsig(question), MAC_FIELD));
}

/* May suspend.  Signs the question; *answer is the caller's on OK. */
static err_t exchange(const struct update *update, ldns_pkt *question, ldns_pkt **answer,
		      struct arena *arena, struct str *why)
{
	SCOPED(buf_fini) struct buf reply = BUF(MESSAGE_MAX);
	uint8_t *wire = NULL;
	size_t size;

	ldns_pkt_set_random_id(question);
	if (ldns_pkt_tsig_sign(question, update->key_name, update->secret, FUDGE_S,
			       "hmac-sha256.", NULL) != LDNS_STATUS_OK ||
	    ldns_pkt2wire(&wire, question, &size) != LDNS_STATUS_OK) {
		*why = STR("The key cannot sign: its secret is no base64");
		return ERR_SYNTAX;
	}
	err_t err = size > MESSAGE_MAX ? ERR_LIMIT
				       : carry(&update->server,
					       (struct str){(char *)wire, size}, &reply);

	LDNS_FREE(wire);
	if (err != OK) {
		*why = arena_printf(arena, "The name server cannot be reached (%s)",
				    err_text(err));
		return err;
	}
	if (ldns_wire2pkt(answer, (const uint8_t *)reply.ptr, reply.len) !=
	    LDNS_STATUS_OK) {
		*why = STR("What the name server answers is not understood");
		return ERR_SYNTAX;
	}
	if (is_signed(update, question, *answer, buf_str(&reply)))
		return OK;
	ldns_lookup_table *code =
		ldns_lookup_by_id(ldns_rcodes, (int)ldns_pkt_get_rcode(*answer));

	*why = arena_printf(arena,
			    "The name server does not know the key, or its clock differs "
			    "from ours by minutes: its answer (%s) is not signed with it",
			    code ? code->name : "unknown");
	bool is_refusal = ldns_pkt_get_rcode(*answer) != LDNS_RCODE_NOERROR;

	ldns_pkt_free(*answer);
	*answer = NULL;
	return is_refusal ? ERR_DENIED : ERR_SYNTAX;
}

/* ---- asking the server ------------------------------------------------------------- */

static ldns_rdf *name_of(struct str name)
{
	char text[NAME_TEXT_MAX];
	ldns_rdf *rdf = NULL;

	if (str_to_c(name, text, sizeof text) &&
	    ldns_str2rdf_dname(&rdf, text) == LDNS_STATUS_OK)
		return rdf;
	return NULL;
}

/* May suspend.  The whole answer; the caller frees it. */
static err_t ask(const struct update *update, struct str name, ldns_rr_type type,
		 ldns_pkt **answer, struct arena *arena, struct str *why)
{
	ldns_rdf *rdf = name_of(name);
	ldns_pkt *question =
		rdf ? ldns_pkt_query_new(rdf, type, LDNS_RR_CLASS_IN, 0) : NULL;

	if (!question) {
		*why = arena_printf(arena, "%.*s is no name that can be asked for",
				    STR_FMT(name));
		ldns_rdf_deep_free(rdf);
		return ERR_SYNTAX;
	}
	err_t err = exchange(update, question, answer, arena, why);

	ldns_pkt_free(question);
	return err;
}

static ldns_rdf *zone_of(const ldns_pkt *answer)
{
	const ldns_rr_list *lists[] = {ldns_pkt_answer(answer),
				       ldns_pkt_authority(answer)};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (size_t j = 0; j < ldns_rr_list_rr_count(lists[i]); j++)
			if (ldns_rr_get_type(ldns_rr_list_rr(lists[i], j)) ==
			    LDNS_RR_TYPE_SOA)
				return ldns_rdf_clone(
					ldns_rr_owner(ldns_rr_list_rr(lists[i], j)));
	return NULL;
}

err_t update_open(const struct address *server, const struct update_key *key,
		  struct str name, struct arena *arena, struct update **opened,
		  struct str *why)
{
	struct update *update = NEW(struct update);
	ldns_pkt *answer = NULL;
	err_t err = ERR_SYNTAX;

	update->server = *server;
	update->needed = ldns_rr_list_new();
	update->changes = ldns_rr_list_new();
	*why = STR("The key has a name or a secret that is too long");
	if (str_to_c(key->name, update->key_name, sizeof update->key_name) &&
	    str_to_c(key->secret, update->secret, sizeof update->secret))
		err = ask(update, name, LDNS_RR_TYPE_SOA, &answer, arena, why);
	if (err == OK) {
		update->zone = zone_of(answer);
		ldns_pkt_free(answer);
	}
	if (err == OK && !update->zone) {
		*why = arena_printf(arena, "The name server has no zone that %.*s is in",
				    STR_FMT(name));
		err = ERR_ABSENT;
	}
	*opened = update;
	if (err != OK)
		update_close(opened);
	return err;
}

void update_close(struct update **update)
{
	if (!*update)
		return;
	explicit_bzero((*update)->secret, sizeof(*update)->secret);
	ldns_rdf_deep_free((*update)->zone);
	ldns_rr_list_deep_free((*update)->needed);
	ldns_rr_list_deep_free((*update)->changes);
	mem_free(*update);
	*update = NULL;
}

/* ---- what has to change ------------------------------------------------------------ */

struct planner {
	struct update *update;
	const struct publish_plan *plan;
	struct arena *arena;
	struct buf shown;
	bool is_tlsa_there; /* all TLSA records of ours are in the DNS */
};

static ldns_rr *record_rr(const struct publish_record *record, struct arena *arena)
{
	SCOPED(buf_fini) struct buf line = BUF(LINE_BYTES_MAX);
	struct str text;
	ldns_rr *rr = NULL;

	publish_print(record, &line);
	buf_cut(&line, line.len > 0 ? line.len - 1 : 0); /* its line end */
	buf_add_byte(&line, '\0');
	if (!buf_ok(&line) || !arena_copy(arena, buf_str(&line), &text) ||
	    ldns_rr_new_frm_str(&rr, text.ptr, PUBLISH_TTL_S, NULL, NULL) !=
		    LDNS_STATUS_OK)
		return NULL;
	return rr;
}

/* One record's data as in plan.h; of several fields, with spaces between. */
static struct str data_text(const ldns_rr *rr, struct arena *arena)
{
	SCOPED(buf_fini) struct buf text = BUF(LINE_BYTES_MAX);
	struct str copy = STR("");
	size_t count = ldns_rr_rd_count(rr);
	bool is_txt = ldns_rr_get_type(rr) == LDNS_RR_TYPE_TXT;

	for (size_t i = 0; i < count; i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);
		size_t size = ldns_rdf_size(field);

		if (is_txt && size > 0) { /* its first octet is the length */
			buf_add(&text,
				(struct str){(char *)ldns_rdf_data(field) + 1, size - 1});
			continue;
		}
		char *word = ldns_rdf2str(field);

		buf_printf(&text, "%s%s", i > 0 ? " " : "", word ? word : "");
		LDNS_FREE(word);
	}
	return arena_copy(arena, buf_str(&text), &copy) ? copy : STR("");
}

static bool is_planned_tlsa(const struct planner *planner, struct str data)
{
	for (size_t i = 0; i < planner->plan->count; i++)
		if (planner->plan->records[i].kind == PUBLISH_TLSA &&
		    str_same_nocase(planner->plan->records[i].data, data))
			return true;
	return false;
}

/* Whether a record that is there is ours, and no longer to be. */
static bool is_stale(const struct planner *planner, const struct publish_record *record,
		     struct str data)
{
	struct str host = arena_printf(planner->arena, " %.*s.",
				       STR_FMT(planner->plan->facts->host));

	switch (record->kind) {
	case PUBLISH_SPF:
	case PUBLISH_DMARC:
	case PUBLISH_TLS_RPT:
	case PUBLISH_MTA_STS:
		return str_starts_nocase(data, publish_version(record->kind)) &&
		       record->type == DNS_TXT;
	case PUBLISH_DKIM:
		return record->is_over ||
		       !dkim_rollover_is_same(data, record->data, planner->arena);
	case PUBLISH_TLSA:
		return planner->is_tlsa_there && str_starts(data, STR("3 1 1 ")) &&
		       !is_planned_tlsa(planner, data);
	case PUBLISH_SRV:
		return str_ends(data, host);
	case PUBLISH_MX:
	case PUBLISH_ADDRESS:
	case PUBLISH_PTR:
	case PUBLISH_CAA:
	case PUBLISH_AUTOCONFIG:
	case PUBLISH_DNSSEC:
		break;
	}
	return false;
}

static void note(struct planner *planner, char sign, const ldns_rr *rr)
{
	char *line = ldns_rr2str(rr);

	buf_printf(&planner->shown, "%c %s", sign, line ? line : "?\n");
	LDNS_FREE(line);
	planner->update->count++;
}

/* RFC 2136 §2.5.4: class NONE takes one record away. */
static void take_away(struct planner *planner, const ldns_rr *rr)
{
	ldns_rr *gone = ldns_rr_clone(rr);

	ldns_rr_set_class(gone, LDNS_RR_CLASS_NONE);
	ldns_rr_set_ttl(gone, 0);
	if (ldns_rr_list_contains_rr(planner->update->changes, gone)) {
		ldns_rr_free(gone);
		return;
	}
	note(planner, '-', rr);
	ldns_rr_list_push_rr(planner->update->changes, gone);
}

/* The set must be as it was seen: RFC 2136 §2.4.2; or not be there: §2.4.3. */
static void need(struct planner *planner, const ldns_rr_list *there, const ldns_rr *like)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(there); i++) {
		ldns_rr *rr = ldns_rr_list_rr(there, i);

		if (ldns_rr_list_contains_rr(planner->update->needed, rr))
			continue;
		rr = ldns_rr_clone(rr);
		ldns_rr_set_ttl(rr, 0);
		ldns_rr_list_push_rr(planner->update->needed, rr);
	}
	if (ldns_rr_list_rr_count(there) > 0)
		return;
	ldns_rr *absent = ldns_rr_new();

	ldns_rr_set_owner(absent, ldns_rdf_clone(ldns_rr_owner(like)));
	ldns_rr_set_type(absent, ldns_rr_get_type(like));
	ldns_rr_set_class(absent, LDNS_RR_CLASS_NONE);
	ldns_rr_set_ttl(absent, 0);
	ldns_rr_list_push_rr(planner->update->needed, absent);
}

/* The set of one name and type: what goes, what comes. */
static void plan_set(struct planner *planner, const struct publish_record *record,
		     const ldns_rr_list *there, ldns_rr *wanted)
{
	size_t before = planner->update->count;
	bool is_there = record->is_over;

	for (size_t i = 0; i < ldns_rr_list_rr_count(there); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(there, i);
		struct str data = data_text(rr, planner->arena);

		if (str_same_nocase(data, record->data) && !record->is_over)
			is_there = true;
		else if (is_stale(planner, record, data))
			take_away(planner, rr);
	}
	if (!is_there) {
		note(planner, '+', wanted);
		ldns_rr_list_push_rr(planner->update->changes, ldns_rr_clone(wanted));
	}
	if (planner->update->count > before)
		need(planner, there, wanted);
}

/* May suspend. */
static err_t plan_record(struct planner *planner, const struct publish_record *record,
			 struct str *why)
{
	struct update *update = planner->update;
	ldns_pkt *answer = NULL;
	ldns_rr *wanted = record_rr(record, planner->arena);

	if (!wanted)
		return OK; /* a placeholder */
	err_t err = ask(update, record->name, (ldns_rr_type)record->type, &answer,
			planner->arena, why);

	if (err == OK) {
		ldns_rr_list *set = ldns_pkt_rr_list_by_name_and_type(
			answer, ldns_rr_owner(wanted), (ldns_rr_type)record->type,
			LDNS_SECTION_ANSWER);

		plan_set(planner, record, set, wanted);
		ldns_rr_list_deep_free(set);
		ldns_pkt_free(answer);
	}
	ldns_rr_free(wanted);
	return err;
}

/* Whether a finding is ours to put right. */
static bool is_wanted(const struct publish_finding *finding)
{
	const struct publish_record *record = finding->record;

	if (!record || record->place != PUBLISH_HERE ||
	    finding->kind == PUBLISH_MTA_STS) /* once its policy is served, by hand */
		return false;
	switch (finding->state) {
	case PUBLISH_RIGHT:
		return finding->kind == PUBLISH_TLSA; /* others may be there still */
	case PUBLISH_MISSING:
	case PUBLISH_WRONG:
	case PUBLISH_OPTIONAL:
		return true;
	case PUBLISH_UNKNOWN:
		break;
	}
	return false;
}

static bool is_all_there(const struct publish_report *report, enum publish_kind kind)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].kind == kind &&
		    report->findings[i].state != PUBLISH_RIGHT)
			return false;
	return true;
}

/* May suspend. */
static err_t plan_all(struct planner *planner, const struct publish_report *report,
		      struct str *why)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct publish_finding *finding = &report->findings[i];

		if (!is_wanted(finding))
			continue;
		struct publish_record record = *finding->record;

		record.data = finding->wanted;
		TRY(plan_record(planner, &record, why));
	}
	for (size_t i = 0; i < planner->plan->count; i++)
		if (planner->plan->records[i].is_over)
			TRY(plan_record(planner, &planner->plan->records[i], why));
	return OK;
}

err_t update_prepare(struct update *update, const struct publish_plan *plan,
		     const struct publish_report *report, struct arena *arena,
		     struct str *why)
{
	struct planner planner = {
		.update = update,
		.plan = plan,
		.arena = arena,
		.shown = BUF(MESSAGE_MAX),
		.is_tlsa_there = is_all_there(report, PUBLISH_TLSA),
	};
	err_t err = plan_all(&planner, report, why);

	if (err == OK && !(buf_ok(&planner.shown) &&
			   arena_copy(arena, buf_str(&planner.shown), &update->shown))) {
		*why = STR("This is too much for one update");
		err = ERR_LIMIT;
	}
	buf_fini(&planner.shown);
	return err;
}

size_t update_count(const struct update *update)
{
	return update->count;
}

void update_print(const struct update *update, struct buf *out)
{
	buf_add(out, update->shown);
}

/* ---- the change -------------------------------------------------------------------- */

/* RFC 2136 §2.2, §3.2.5 */
static err_t result_of(ldns_pkt_rcode code, struct str *why)
{
	if (code == LDNS_RCODE_NOERROR)
		return OK;
	if (code == LDNS_RCODE_YXDOMAIN || code == LDNS_RCODE_YXRRSET ||
	    code == LDNS_RCODE_NXRRSET || code == LDNS_RCODE_NXDOMAIN)
		*why = STR("Somebody else has changed the zone at this moment");
	else if (code == LDNS_RCODE_NOTZONE)
		*why = STR("Some of these names are in another zone than the others");
	else if (code == LDNS_RCODE_REFUSED || code == LDNS_RCODE_NOTAUTH)
		*why = STR("The name server does not let this key change the zone");
	else
		*why = STR("The name server could not make the change");
	return ERR_DENIED;
}

err_t update_send(struct update *update, struct arena *arena, struct str *why)
{
	ldns_rr_list *none = ldns_rr_list_new();
	ldns_pkt *answer = NULL;
	ldns_pkt *question =
		ldns_update_pkt_new(ldns_rdf_clone(update->zone), LDNS_RR_CLASS_IN,
				    update->needed, update->changes, none);
	err_t err = ERR_LIMIT;

	*why = STR("The update cannot be put together");
	if (question)
		err = exchange(update, question, &answer, arena, why);
	if (err == OK) {
		err = result_of(ldns_pkt_get_rcode(answer), why);
		ldns_pkt_free(answer);
	}
	ldns_pkt_free(question);
	ldns_rr_list_free(none);
	return err;
}
