#include "wire/auth/mta_sts.h"

#include "base/num.h"
#include "base/utf8.h"
#include "wire/auth/tls_record.h"
#include "wire/smtp/domain.h"

#define VERSION STR("v=STSv1")

/* ---- the record -------------------------------------------------------------------- */

bool mta_sts_is_record(struct str text)
{
	return tls_record_is(text, VERSION);
}

static bool is_alphanum(char c)
{
	return is_ascii_digit((unsigned char)c) ||
	       (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* sts-id */
static bool is_id(struct str id)
{
	if (id.len == 0 || id.len > MTA_STS_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!is_alphanum(id.ptr[i]))
			return false;
	return true;
}

bool mta_sts_record_parse(struct str text, struct str *id)
{
	struct str found;

	if (!tls_record_find(text, VERSION, STR("id"), &found) || !is_id(found))
		return false;
	*id = found;
	return true;
}

/* ---- the policy -------------------------------------------------------------------- */

struct reading {
	struct arena *arena;
	struct mta_sts_policy policy;
	struct str *mx;
	bool has_version, has_mode, has_age;
};

static bool take_version(struct reading *reading, struct str value)
{
	bool is_first = !reading->has_version;

	reading->has_version = true;
	return !is_first || str_same(value, STR("STSv1"));
}

static bool take_mode(struct reading *reading, struct str value)
{
	if (reading->has_mode)
		return true; /* all but the first are ignored */
	reading->has_mode = true;
	for (int mode = MTA_STS_NONE; mode <= MTA_STS_ENFORCE; mode++) {
		if (!str_same(value, str_c(mta_sts_mode_name((enum mta_sts_mode)mode))))
			continue;
		reading->policy.mode = (enum mta_sts_mode)mode;
		return true;
	}
	return false;
}

/* More than the maximum counts as the maximum. */
static bool take_age(struct reading *reading, struct str value)
{
	uint64_t age;

	if (reading->has_age)
		return true;
	reading->has_age = true;
	if (value.len > 10 || !num_parse(value, UINT64_MAX, &age))
		return false;
	reading->policy.max_age_s = (uint32_t)num_min(age, MTA_STS_AGE_MAX_S);
	return true;
}

static bool take_mx(struct reading *reading, struct str value)
{
	struct mta_sts_policy *policy = &reading->policy;
	struct str domain = str_starts(value, STR("*.")) ? str_skip(value, 2) : value;
	struct cursor c = cur_over(domain);

	if (domain.len > SMTP_DOMAIN_MAX || !smtp_domain_take(&c, SMTP_ASCII) ||
	    !cur_done(c) || policy->mx_count == MTA_STS_MX_MAX)
		return false;
	if (!reading->mx)
		reading->mx = ARENA_ARRAY(reading->arena, struct str, MTA_STS_MX_MAX);
	char *copy = arena_alloc(reading->arena, value.len, 1);

	if (!reading->mx || !copy)
		return false;
	for (size_t i = 0; i < value.len; i++)
		copy[i] = ascii_lower(value.ptr[i]);
	reading->mx[policy->mx_count++] = (struct str){copy, value.len};
	return true;
}

/* sts-policy-ext-value */
static bool is_policy_value(struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 127)
			return false;
	return value.len > 0 && utf8_valid(value);
}

static bool take_line(struct reading *reading, struct str line)
{
	struct str name = str_first(line, str_find_byte(line, ':'));
	struct str value = tls_trim_wsp(str_skip(line, name.len + 1));

	if (!tls_field_name_is_valid(name) || name.len == line.len)
		return false;
	if (str_same(name, STR("version")))
		return take_version(reading, value);
	if (str_same(name, STR("mode")))
		return take_mode(reading, value);
	if (str_same(name, STR("max_age")))
		return take_age(reading, value);
	if (str_same(name, STR("mx")))
		return take_mx(reading, value);
	return is_policy_value(value);
}

bool mta_sts_policy_parse(struct str text, struct arena *arena,
			  struct mta_sts_policy *policy)
{
	struct reading reading = {.arena = arena};

	if (text.len > MTA_STS_POLICY_BYTES_MAX)
		return false;
	while (text.len > 0) {
		struct str line = str_cut(&text, '\n');

		if (str_ends(line, STR("\r")))
			line.len--;
		/* Lenient: an empty line, which editors leave at the end. */
		if (tls_trim_wsp(line).len > 0 && !take_line(&reading, line))
			return false;
	}
	if (!reading.has_version || !reading.has_mode || !reading.has_age ||
	    (reading.policy.mx_count == 0 && reading.policy.mode != MTA_STS_NONE))
		return false;
	*policy = reading.policy;
	policy->mx = reading.mx;
	return true;
}

const char *mta_sts_mode_name(enum mta_sts_mode mode)
{
	switch (mode) {
	case MTA_STS_NONE:
		return "none";
	case MTA_STS_TESTING:
		return "testing";
	case MTA_STS_ENFORCE:
		break;
	}
	return "enforce";
}

/* The wildcard is for exactly one label, the first. */
static bool matches(struct str pattern, struct str host)
{
	if (str_starts(pattern, STR("*."))) {
		size_t dot = str_find_byte(host, '.');

		if (dot == 0)
			return false;
		pattern = str_skip(pattern, 1);
		host = str_skip(host, dot);
	}
	return str_same(pattern, host);
}

bool mta_sts_has_mx(const struct mta_sts_policy *policy, struct str host)
{
	for (size_t i = 0; i < policy->mx_count; i++)
		if (matches(policy->mx[i], host))
			return true;
	return false;
}
