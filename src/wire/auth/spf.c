#include "wire/auth/spf.h"

#include "base/num.h"
#include "wire/auth/spf_macro.h"

enum { IP4_BITS = 32, IP6_BITS = 128 };

static const struct str version = {"v=spf1", 6};

const char *spf_result_name(enum spf_result result)
{
	switch (result) {
	case SPF_NONE:
		return "none";
	case SPF_NEUTRAL:
		return "neutral";
	case SPF_PASS:
		return "pass";
	case SPF_FAIL:
		return "fail";
	case SPF_SOFTFAIL:
		return "softfail";
	case SPF_TEMPERROR:
		return "temperror";
	case SPF_PERMERROR:
		break;
	}
	return "permerror";
}

/* RFC 7208 §4.5: ended by a space or the end of the record. */
bool spf_is_record(struct str text)
{
	return str_starts_nocase(text, version) &&
	       (text.len == version.len || text.ptr[version.len] == ' ');
}

/* ---- mechanisms -------------------------------------------------------------------- */

/* ip4-cidr-length, ip6-cidr-length, behind their slash. */
static bool read_bits(struct str text, unsigned max, uint8_t *bits)
{
	uint64_t number;

	if ((text.len > 1 && text.ptr[0] == '0') || !num_parse(text, max, &number))
		return false;
	*bits = (uint8_t)number;
	return true;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
static bool read_dual_cidr(struct str text, struct spf_directive *directive)
{
	size_t six = str_find(text, STR("//"));

	if (six < text.len &&
	    !read_bits(str_skip(text, six + 2), IP6_BITS, &directive->bits6))
		return false;
	return six == 0 || read_bits(str_first(str_skip(text, 1), six - 1), IP4_BITS,
				     &directive->bits4);
}

/* Cuts dual-cidr-length off the end, with its first slash.  A domain-spec ends in a label
 * or a macro, neither of which has a slash with only digits and slashes behind it. */
static struct str cut_dual_cidr(struct str *text)
{
	size_t from = text->len, slash = text->len;

	while (from > 0 && (is_ascii_digit((unsigned char)text->ptr[from - 1]) ||
			    text->ptr[from - 1] == '/')) {
		from--;
		if (text->ptr[from] == '/')
			slash = from;
	}
	struct str cidr = str_skip(*text, slash);

	*text = str_first(*text, slash);
	return cidr;
}

/* Behind ":". */
static bool read_domain_spec(struct str rest, struct spf_directive *directive)
{
	if (rest.len == 0 || rest.ptr[0] != ':')
		return false;
	directive->domain_spec = str_skip(rest, 1);
	return spf_domain_spec_is_valid(directive->domain_spec);
}

static bool read_all(struct str rest, struct spf_directive *directive)
{
	(void)directive;
	return rest.len == 0;
}

static bool read_ptr(struct str rest, struct spf_directive *directive)
{
	return rest.len == 0 || read_domain_spec(rest, directive);
}

/* a, mx */
static bool read_hosts(struct str rest, struct spf_directive *directive)
{
	struct str cidr = cut_dual_cidr(&rest);

	return (rest.len == 0 || read_domain_spec(rest, directive)) &&
	       (cidr.len == 0 || read_dual_cidr(cidr, directive));
}

static bool read_network(struct str rest, struct spf_directive *directive)
{
	bool is_four = directive->mechanism == SPF_IP4;
	size_t slash = str_find_byte(rest, '/');
	struct str network = str_first(rest, slash);

	if (network.len == 0 || network.ptr[0] != ':')
		return false;
	network = str_skip(network, 1);
	if (!(is_four ? ip4_parse(network, &directive->network)
		      : ip6_parse(network, &directive->network)))
		return false;
	return slash == rest.len ||
	       read_bits(str_skip(rest, slash + 1), is_four ? IP4_BITS : IP6_BITS,
			 is_four ? &directive->bits4 : &directive->bits6);
}

static const struct {
	const char *name;
	enum spf_mechanism mechanism;
	bool (*read)(struct str rest, struct spf_directive *directive);
} mechanisms[] = {
	{"all", SPF_ALL, read_all},     {"include", SPF_INCLUDE, read_domain_spec},
	{"a", SPF_A, read_hosts},       {"mx", SPF_MX, read_hosts},
	{"ptr", SPF_PTR, read_ptr},     {"ip4", SPF_IP4, read_network},
	{"ip6", SPF_IP6, read_network}, {"exists", SPF_EXISTS, read_domain_spec},
};

/* qualifier; "+" if there is none.  RFC 7208 §4.6.2. */
static enum spf_result take_qualifier(struct str *term)
{
	static const enum spf_result results[] = {SPF_PASS, SPF_FAIL, SPF_SOFTFAIL,
						  SPF_NEUTRAL};
	static const struct str qualifiers = {"+-~?", 4};
	size_t which = str_find_byte(qualifiers, term->ptr[0]);

	if (which == qualifiers.len)
		return SPF_PASS;
	*term = str_skip(*term, 1);
	return results[which];
}

/* directive = [ qualifier ] mechanism; term is not empty. */
static bool read_directive(struct str term, struct spf_directive *directive)
{
	struct spf_directive found = {.text = term, .bits4 = IP4_BITS, .bits6 = IP6_BITS};

	found.result = take_qualifier(&term);
	struct str name = term;

	for (name.len = 0; name.len < term.len; name.len++)
		if (term.ptr[name.len] == ':' || term.ptr[name.len] == '/')
			break;
	for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
		if (!str_same_nocase(name, str_c(mechanisms[i].name)))
			continue;
		found.mechanism = mechanisms[i].mechanism;
		*directive = found;
		return mechanisms[i].read(str_skip(term, name.len), directive);
	}
	return false;
}

/* ---- modifiers --------------------------------------------------------------------- */

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ), with "=" behind it; "" if the term
 * does not begin so. */
static struct str modifier_name(struct str term)
{
	size_t len = 0;

	for (; len < term.len; len++) {
		char c = ascii_lower(term.ptr[len]);

		if ((c < 'a' || c > 'z') &&
		    (len == 0 || (!is_ascii_digit((unsigned char)c) && c != '-' &&
				  c != '_' && c != '.')))
			break;
	}
	return str_first(term, len < term.len && term.ptr[len] == '=' ? len : 0);
}

/* redirect and exp MUST NOT appear more than once.  RFC 7208 §6. */
static bool take_once(struct str value, struct str *place)
{
	bool is_first = place->len == 0;

	*place = value;
	return is_first && spf_domain_spec_is_valid(value);
}

/* A name that is known is not taken for unknown because its value is wrong. */
static bool read_modifier(struct str name, struct str value, struct spf_record *record,
			  struct spf_modifier *unknown)
{
	if (str_same_nocase(name, STR("redirect")))
		return take_once(value, &record->redirect);
	if (str_same_nocase(name, STR("exp")))
		return take_once(value, &record->explanation);
	*unknown = (struct spf_modifier){name, value};
	record->modifier_count++;
	return spf_macro_string_is_valid(value);
}

/* ---- the record -------------------------------------------------------------------- */

static size_t count_terms(struct str text)
{
	size_t count = 0;

	while (text.len > 0)
		count += str_cut(&text, ' ').len > 0;
	return count;
}

bool spf_record_parse(struct str text, struct arena *arena, struct spf_record *record,
		      struct str *wrong)
{
	struct spf_record found = {.has_all = false};
	struct str rest = str_skip(text, version.len);
	size_t count = count_terms(rest);

	*wrong = STR("");
	if (!spf_is_record(text) || count > SPF_TERMS_MAX)
		return false;
	struct spf_directive *directives =
		ARENA_ARRAY(arena, struct spf_directive, count + 1);
	struct spf_modifier *modifiers =
		ARENA_ARRAY(arena, struct spf_modifier, count + 1);

	if (!directives || !modifiers)
		return false;
	while (rest.len > 0) {
		struct str term = str_cut(&rest, ' ');
		struct str name = modifier_name(term);

		if (term.len == 0)
			continue; /* 1*SP, and *SP at the end */
		*wrong = term;
		if (name.len > 0) {
			if (!read_modifier(name, str_skip(term, name.len + 1), &found,
					   &modifiers[found.modifier_count]))
				return false;
			continue;
		}
		if (!read_directive(term, &directives[found.directive_count]))
			return false;
		found.has_all |= directives[found.directive_count++].mechanism == SPF_ALL;
	}
	*record = found;
	record->directives = directives;
	record->modifiers = modifiers;
	*wrong = STR("");
	return true;
}
