#include "headers/part.h"
#include "wire/auth/authres.h"
#include "wire/auth/received_spf.h"

/* What the property that matters is called, by method. */
static const struct {
	const char *method, *ptype, *name;
} abouts[] = {
	{"spf", "smtp", "mailfrom"},      {"spf", "smtp", "helo"},
	{"dkim", "header", "d"},          {"dkim", "header", "i"},
	{"dmarc", "header", "from"},      {"arc", "header", "d"},
	{"iprev", "policy", "iprev"},     {"iprev", "smtp", "remote-ip"},
	{"auth", "smtp", "auth"},         {"sender-id", "header", "from"},
	{"dkim-adsp", "header", "from"},  {"domainkeys", "header", "d"},
	{"domainkeys", "header", "from"},
};

static struct str about(const struct authres_result *result)
{
	struct str value = STR("");

	for (size_t i = 0; i < COUNT_OF(abouts) && value.len == 0; i++) {
		if (str_same_nocase(result->method, str_c(abouts[i].method)))
			value = authres_value(result, abouts[i].ptype, abouts[i].name);
	}
	if (str_starts(value, STR("@")))
		value = str_skip(value, 1);
	return value;
}

/* What a result means, with one place for whom it is about. */
static const struct {
	const char *method, *result, *meaning;
} meanings[] = {
	{"spf", "pass", "the domain of %s lets the server that came send its mail (SPF)"},
	{"spf", "fail",
	 "the domain of %s does not let the server that came send its mail (SPF)"},
	{"spf", "softfail",
	 "the domain of %s thinks that the server that came should not send its mail "
	 "(SPF)"},
	{"spf", "neutral",
	 "the domain of %s says nothing for or against the server (SPF)"},
	{"spf", "none", "the domain of %s does not say who may send its mail (SPF)"},
	{"dkim", "pass", "a signature of %s is good (DKIM)"},
	{"dkim", "fail",
	 "a signature of %s is not good: the mail was changed, or it is forged (DKIM)"},
	{"dkim", "none", "the mail has no signature (DKIM)"},
	{"dkim", "neutral", "a signature of %s could not be judged (DKIM)"},
	{"dkim", "policy", "a signature of %s was not accepted (DKIM)"},
	{"dmarc", "pass",
	 "it is proved that %s, which stands in From, sent the mail (DMARC)"},
	{"dmarc", "fail",
	 "nothing proves that %s, which stands in From, sent the mail (DMARC)"},
	{"dmarc", "bestguesspass", "%s has no policy, but SPF or DKIM fit it (DMARC)"},
	{"dmarc", "none", "%s, which stands in From, has no policy (DMARC)"},
	{"arc", "pass",
	 "the servers that passed the mail on sealed it, and the seals hold (ARC)"},
	{"arc", "fail",
	 "the seals of the servers that passed the mail on do not hold (ARC)"},
	{"arc", "none", "no server that passed the mail on sealed it (ARC)"},
	{"iprev", "pass", "the address %s has a name that leads back to it"},
	{"iprev", "fail", "the names of the address %s do not lead back to it"},
	{"auth", "pass", "the sender logged in as %s"},
};

static struct str with(struct arena *arena, const char *meaning, struct str whom)
{
	struct str text = str_c(meaning);
	size_t at = str_find(text, STR("%s"));

	if (whom.len == 0)
		whom = STR("somebody");
	if (at == text.len)
		return text;
	return arena_printf(arena, "%.*s%.*s%.*s", (int)at, text.ptr, STR_FMT(whom),
			    STR_FMT(str_skip(text, at + 2)));
}

static struct str sentence(struct work *work, const struct headers_claim *claim)
{
	struct str meaning = STR("");

	for (size_t i = 0; i < COUNT_OF(meanings) && meaning.len == 0; i++) {
		if (str_same_nocase(claim->method, str_c(meanings[i].method)) &&
		    str_same_nocase(claim->result, str_c(meanings[i].result)))
			meaning = with(work->arena, meanings[i].meaning, claim->about);
	}
	if (meaning.len == 0 && (str_same_nocase(claim->result, STR("temperror")) ||
				 str_same_nocase(claim->result, STR("permerror"))))
		meaning = arena_printf(work->arena,
				       "it could not be found out: %.*s (%.*s)",
				       STR_FMT(claim->result), STR_FMT(claim->method));
	if (meaning.len == 0)
		meaning = arena_printf(work->arena, "%.*s is %.*s",
				       STR_FMT(claim->method), STR_FMT(claim->result));
	return arena_printf(work->arena, "%.*s %s %.*s.", STR_FMT(claim->by),
			    claim->is_verified ? "found:" : "is said to have found:",
			    STR_FMT(meaning));
}

static void add(struct work *work, struct headers_claim claim)
{
	struct headers *headers = work->headers;

	if (headers->claim_count == HEADERS_CLAIMS_MAX) {
		headers->is_cut = true;
		return;
	}
	claim.sentence = sentence(work, &claim);
	headers->claims[headers->claim_count++] = claim;
}

/* Whether a trusted server wrote the field: it bears its name, and stands above the line.
 * Below it stands what came with the mail.  RFC 8601 §1.6, §5 */
static bool is_verified(struct work *work, size_t field, struct str by)
{
	const struct headers *headers = work->headers;

	return headers->edge < headers->hop_count &&
	       field < work->hop_fields[headers->edge] && headers_is_trusted(work, by);
}

static void note_impostor(struct work *work, size_t field, struct str by)
{
	const struct headers *headers = work->headers;

	if (headers->trust != HEADERS_TRUST_NAMED || !headers_is_trusted(work, by) ||
	    is_verified(work, field, by))
		return;
	headers_note_add(work, HEADERS_ODD, "result-below-line",
			 arena_printf(work->arena,
				      "A field in the name of %.*s stands below the "
				      "trust line: the sender may have written it.",
				      STR_FMT(by)));
}

/* The "i=1;" in front of what ARC says.  RFC 8617 §4.1.1 */
static struct str without_instance(struct str value)
{
	struct str rest = value, first = str_trim(str_cut(&rest, ';'));

	return str_starts_nocase(first, STR("i=")) ? rest : value;
}

static void read_results(struct work *work, size_t i, const char *name, struct str value)
{
	struct authres authres;

	if (!authres_parse(value, work->arena, &authres)) {
		headers_note_add(work, HEADERS_ODD, "results-not-understood",
				 arena_printf(work->arena,
					      "A field %s could not be understood, and "
					      "does not count.",
					      name));
		return;
	}
	bool is_arc = str_starts(str_c(name), STR("ARC-"));

	for (size_t n = 0; n < authres.count; n++) {
		const struct authres_result *result = &authres.results[n];

		/* What ARC hands on is somebody else's word, wherever it stands. */
		add(work,
		    (struct headers_claim){
			    .field = name,
			    .by = authres.id,
			    .is_verified = !is_arc && is_verified(work, i, authres.id),
			    .method = result->method,
			    .result = result->result,
			    .about = about(result)});
	}
	if (!is_arc)
		note_impostor(work, i, authres.id);
}

static void read_received_spf(struct work *work, size_t i, struct str line)
{
	struct received_spf spf;

	if (!received_spf_parse(line, &spf))
		return;
	add(work, (struct headers_claim){
			  .field = "Received-SPF",
			  .by = spf.receiver.len > 0 ? spf.receiver : STR("Somebody"),
			  .is_verified = is_verified(work, i, spf.receiver),
			  .method = STR("spf"),
			  .result = spf.result,
			  .about = spf.sender.len > 0 ? spf.sender : spf.helo});
}

void headers_find_claims(struct work *work)
{
	static const char *const results[] = {"Authentication-Results",
					      "ARC-Authentication-Results"};
	size_t looked_at = 0;

	work->headers->claims =
		ARENA_ARRAY(work->arena, struct headers_claim, HEADERS_CLAIMS_MAX);
	for (size_t i = 0; i < work->header.count && work->headers->claims; i++) {
		const struct mail_field *field = &work->header.fields[i];
		bool is_arc = str_same_nocase(field->name, str_c(results[1]));
		bool is_spf = str_same_nocase(field->name, STR("Received-SPF"));
		struct str line;

		if (!is_arc && !is_spf &&
		    !str_same_nocase(field->name, str_c(results[0])))
			continue;
		if (looked_at++ == HEADERS_RESULT_FIELDS_MAX ||
		    !mail_unfold(work->arena, str_first(field->value, AUTHRES_BYTES_MAX),
				 &line)) {
			work->headers->is_cut = true;
			return;
		}
		if (is_spf)
			read_received_spf(work, i, line);
		else
			read_results(work, i, results[is_arc],
				     is_arc ? without_instance(line) : line);
	}
}
