#include "wire/auth/dmarc.h"

#include "wire/auth/tag_list.h"

const char *dmarc_policy_name(enum dmarc_policy policy)
{
	switch (policy) {
	case DMARC_POLICY_NONE:
		return "none";
	case DMARC_POLICY_QUARANTINE:
		return "quarantine";
	case DMARC_POLICY_REJECT:
		break;
	}
	return "reject";
}

enum dmarc_policy dmarc_policy_milder(enum dmarc_policy policy)
{
	return policy == DMARC_POLICY_REJECT ? DMARC_POLICY_QUARANTINE
					     : DMARC_POLICY_NONE;
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

static struct str skip_wsp(struct str text)
{
	while (text.len > 0 && is_wsp(text.ptr[0]))
		text = str_skip(text, 1);
	return text;
}

/* dmarc-version = "v" equals %s"DMARC1", and then the end or a dmarc-sep */
bool dmarc_is_record(struct str text)
{
	if (text.len == 0 || ascii_lower(text.ptr[0]) != 'v')
		return false;
	text = skip_wsp(str_skip(text, 1));
	if (text.len == 0 || text.ptr[0] != '=')
		return false;
	text = skip_wsp(str_skip(text, 1));
	if (!str_starts(text, STR("DMARC1")))
		return false;
	text = skip_wsp(str_skip(text, 6));
	return text.len == 0 || text.ptr[0] == ';';
}

/* ---- values ------------------------------------------------------------------------ */

static bool read_policy(struct str value, enum dmarc_policy *policy)
{
	for (unsigned i = 0; i <= DMARC_POLICY_REJECT; i++) {
		if (!str_same_nocase(value, str_c(dmarc_policy_name(i))))
			continue;
		*policy = (enum dmarc_policy)i;
		return true;
	}
	return false;
}

/* The letter that the value is; '\0' if it is none. */
static char letter(struct str value)
{
	return value.len == 1 ? ascii_lower(value.ptr[0]) : '\0';
}

static enum dmarc_psd read_psd(struct str value)
{
	char c = letter(value);

	return c == 'y' ? DMARC_PSD_YES : c == 'n' ? DMARC_PSD_NO : DMARC_PSD_UNKNOWN;
}

/* dmarc-fo; each of the four at most once, and "0" not with "1".  0 if it is wrong. */
static unsigned read_failure_options(struct str value)
{
	static const char letters[] = "01ds";
	unsigned options = 0;
	struct str item;

	while (tag_item_next(&value, &item)) {
		char c = letter(item);
		const char *at = c ? strchr(letters, c) : NULL;
		unsigned bit = at ? 1u << (at - letters) : 0;

		if (bit == 0 || (options & bit))
			return 0;
		options |= bit;
	}
	return (options & DMARC_FO_ALL) && (options & DMARC_FO_ANY) ? 0 : options;
}

/* obs-dmarc-report-size is passed over. */
static struct str without_size(struct str uri)
{
	size_t mark = str_find_byte(uri, '!');
	struct str size = str_skip(uri, mark + 1);
	size_t digits = 0;

	while (digits < size.len && is_ascii_digit((unsigned char)size.ptr[digits]))
		digits++;
	if (digits > 0 && digits < size.len &&
	    memchr("kmgt", ascii_lower(size.ptr[digits]), 4))
		size = str_first(size, size.len - 1);
	return digits > 0 && digits == size.len ? str_first(uri, mark) : uri;
}

static bool is_scheme_char(char c)
{
	char lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || is_ascii_digit((unsigned char)c) ||
	       c == '+' || c == '-' || c == '.';
}

/* URI of RFC 3986, as far as it concerns us: a scheme, and then something printable
 * without what ends it. */
static bool is_uri(struct str uri)
{
	size_t colon = str_find_byte(uri, ':');

	if (colon == 0 || colon + 1 >= uri.len || uri.len > DMARC_URI_BYTES_MAX)
		return false;
	for (size_t i = 0; i < colon; i++)
		if (!is_scheme_char(uri.ptr[i]))
			return false;
	for (size_t i = colon; i < uri.len; i++)
		if (uri.ptr[i] <= ' ' || uri.ptr[i] >= 127 ||
		    memchr("!,;\"<>\\^`{|}", uri.ptr[i], 12))
			return false;
	return true;
}

static void read_uris(struct str value, struct dmarc_uris *uris)
{
	while (value.len > 0 && uris->count < DMARC_URIS_MAX) {
		struct str uri = without_size(str_trim(str_cut(&value, ',')));

		if (is_uri(uri))
			uris->items[uris->count++] = uri;
	}
}

/* ---- the record -------------------------------------------------------------------- */

/* The tags by name; "" where there is none. */
struct values {
	struct str p, sp, np, psd, t, adkim, aspf, fo, rua, ruf;
};

static struct str *place_of(struct values *values, struct str name)
{
	const struct {
		const char *name;
		struct str *place;
	} places[] = {
		{"p", &values->p},       {"sp", &values->sp}, {"np", &values->np},
		{"psd", &values->psd},   {"t", &values->t},   {"adkim", &values->adkim},
		{"aspf", &values->aspf}, {"fo", &values->fo}, {"rua", &values->rua},
		{"ruf", &values->ruf},
	};

	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (str_same_nocase(name, str_c(places[i].name)))
			return places[i].place;
	return NULL;
}

/* Each tag by itself, so that a wrong one harms no other. */
static void collect(struct str text, struct values *values)
{
	while (text.len > 0) {
		struct str spec = str_cut(&text, ';'), *place;
		struct tag_list one;

		if (tag_list_parse(spec, &one) != TAG_LIST_FINE || one.count != 1)
			continue;
		place = place_of(values, one.tags[0].name);
		if (place && !place->ptr)
			*place = one.tags[0].value;
	}
}

/* RFC 9989 §4.10.1: wrong policies are "none" for who wants to hear of it. */
static void read_policies(const struct values *values, struct dmarc_record *record)
{
	bool has_p = read_policy(values->p, &record->p);

	record->has_sp = read_policy(values->sp, &record->sp);
	record->has_np = read_policy(values->np, &record->np);
	if (has_p && record->has_sp == (values->sp.ptr != NULL) &&
	    record->has_np == (values->np.ptr != NULL)) {
		record->sp = record->has_sp ? record->sp : record->p;
		record->np = record->has_np ? record->np : record->sp;
		return;
	}
	record->p = record->sp = record->np = DMARC_POLICY_NONE;
	record->policies =
		record->rua.count > 0 ? DMARC_POLICIES_AS_NONE : DMARC_POLICIES_UNUSABLE;
}

bool dmarc_record_parse(struct str text, struct dmarc_record *record)
{
	struct values values = {0};

	if (!dmarc_is_record(text) || text.len > DMARC_RECORD_BYTES_MAX)
		return false;
	collect(text, &values);
	*record = (struct dmarc_record){
		.psd = read_psd(values.psd),
		.is_testing = letter(values.t) == 'y',
		.is_dkim_strict = letter(values.adkim) == 's',
		.is_spf_strict = letter(values.aspf) == 's',
		.failure_options = read_failure_options(values.fo),
	};
	if (record->failure_options == 0)
		record->failure_options = DMARC_FO_ALL;
	read_uris(values.rua, &record->rua);
	read_uris(values.ruf, &record->ruf);
	read_policies(&values, record);
	return true;
}
