#include "sieve/places.h"

#include "sieve/match.h"

/* "IPv4, IPv6, and other types of addresses are respectively represented in the formats
 * defined by the IPv4-address-literal, IPv6-address-literal": RFC 5321 §4.1.3. */
static struct str client_ip(const struct sieve_run *run)
{
	struct str ip = run->mail->client_ip;

	return str_find_byte(ip, ':') < ip.len
		       ? arena_printf(run->arena, "[IPv6:%.*s]", STR_FMT(ip))
	       : ip.len > 0 ? arena_printf(run->arena, "[%.*s]", STR_FMT(ip))
			    : ip;
}

/* RFC 5183 §4.1; false if there is no such item. */
static bool item(const struct sieve_run *run, struct str name, struct str *value)
{
	const struct sieve_mail *mail = run->mail;
	const struct {
		struct str name, value;
	} known[] = {
		{STR("domain"), str_skip(mail->to, str_rfind_byte(mail->to, '@') + 1)},
		{STR("host"), mail->host},
		{STR("location"), STR("MDA")},
		{STR("name"), STR("Postrider")},
		{STR("phase"), STR("during")},
		{STR("remote-host"), mail->client_name},
		{STR("remote-ip"), client_ip(run)},
		{STR("version"), STR(POSTRIDER_VERSION)},
	};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (str_same_nocase(known[i].name, name)) {
			*value = known[i].value;
			return true;
		}
	}
	return false;
}

/* RFC 5183 §4 */
bool test_environment(struct sieve_run *run, const struct sieve_call *call)
{
	struct match match = match_begin(run, call, 1);
	struct str value;

	/* "The environment test MUST fail unconditionally if the specified information
	 * item does not exist." */
	if (!item(run, run_string(run, call, 0), &value))
		return false;
	/* "The count of an environment test is 0 if the environment information returned
	 * is the empty string, or 1 otherwise." */
	if (value.len == 0 && match_is_count(&match))
		return match_end(&match);
	return match_value(&match, value) || match_end(&match);
}
