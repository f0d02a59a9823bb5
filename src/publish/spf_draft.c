#include "publish/spf_draft.h"

#include "base/num.h"
#include "conf/hop.h"

enum { TEXT_MAX = 4096, STRING_MAX = 255 };

/* "192.0.2.1", "2001:db8::/32"; *family is '4' or '6'. */
static bool is_network(struct str word, char *family)
{
	struct str rest = word, address = str_cut(&rest, '/');
	uint64_t bits = 0;
	struct ip ip;

	if (!ip4_parse(address, &ip) && !ip6_parse(address, &ip))
		return false;
	*family = ip.len == IP4_BYTES ? '4' : '6';
	return address.len == word.len || num_parse(rest, ip.len * 8, &bits);
}

static bool is_name(struct str word)
{
	return dns_name_is_valid(word) && str_find_byte(word, '.') < word.len &&
	       str_find_byte(word, '/') == word.len &&
	       str_find_byte(word, '%') == word.len;
}

bool spf_draft_hosts(struct spf_draft *draft, struct str answer, struct str *wrong)
{
	char family;

	draft->host_count = 0;
	while ((*wrong = conf_next_word(&answer)).len > 0) {
		bool is_good = str_same(*wrong, STR("this")) ||
			       is_network(*wrong, &family) || is_name(*wrong);

		if (!is_good || draft->host_count == SPF_DRAFT_HOSTS_MAX)
			return false;
		draft->hosts[draft->host_count++] = *wrong;
	}
	return true;
}

bool spf_draft_includes(struct spf_draft *draft, struct str answer, struct str *wrong)
{
	draft->include_count = 0;
	while ((*wrong = conf_next_word(&answer)).len > 0) {
		if (!is_name(*wrong) || ip4_parse(*wrong, &(struct ip){.len = 0}) ||
		    draft->include_count == SPF_DRAFT_HOSTS_MAX)
			return false;
		draft->includes[draft->include_count++] = *wrong;
	}
	return true;
}

bool spf_draft_other(struct spf_draft *draft, struct str answer)
{
	static const struct {
		const char *name;
		enum spf_result result;
	} words[] = {
		{"hard", SPF_FAIL}, {"soft", SPF_SOFTFAIL}, {"neutral", SPF_NEUTRAL}};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (!str_same_nocase(answer, str_c(words[i].name)))
			continue;
		draft->other = words[i].result;
		return true;
	}
	return false;
}

/* What costs no look-up comes first: most mail is decided by it. */
struct str spf_draft_text(const struct spf_draft *draft, struct arena *arena)
{
	SCOPED(buf_fini) struct buf out = BUF(TEXT_MAX);
	struct str copy = STR("");
	char family;

	buf_add_c(&out, "v=spf1");
	for (size_t i = 0; i < draft->host_count; i++)
		if (is_network(draft->hosts[i], &family))
			buf_printf(&out, " ip%c:%.*s", family, STR_FMT(draft->hosts[i]));
	for (size_t i = 0; i < draft->host_count; i++) {
		if (str_same(draft->hosts[i], STR("this")))
			buf_add_c(&out, " mx");
		else if (!is_network(draft->hosts[i], &family))
			buf_printf(&out, " a:%.*s", STR_FMT(draft->hosts[i]));
	}
	for (size_t i = 0; i < draft->include_count; i++)
		buf_printf(&out, " include:%.*s", STR_FMT(draft->includes[i]));
	buf_add_c(&out, draft->other == SPF_FAIL       ? " -all"
			: draft->other == SPF_SOFTFAIL ? " ~all"
						       : " ?all");
	return buf_ok(&out) && arena_copy(arena, buf_str(&out), &copy) ? copy : STR("");
}

/* ---- as if it were published ------------------------------------------------------- */

struct overlay {
	const struct dns_lookup *under;
	struct str domain, text;
};

static void ask_over(void *context, const struct dns_question *question,
		     struct arena *arena, struct dns_answer *answer)
{
	const struct overlay *overlay = context;
	SCOPED(buf_fini) struct buf data = BUF(2 * TEXT_MAX);

	if (question->type != DNS_TXT ||
	    !str_same_nocase(question->name, overlay->domain)) {
		overlay->under->ask(overlay->under->context, question, arena, answer);
		return;
	}
	*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
				      .records = ARENA_NEW(arena, struct str)};
	for (struct str rest = overlay->text; rest.len > 0;
	     rest = str_skip(rest, STRING_MAX)) {
		struct str part = str_first(rest, STRING_MAX);

		buf_add_byte(&data, (char)part.len);
		buf_add(&data, part);
	}
	if (!answer->records || !arena_copy(arena, buf_str(&data), answer->records))
		return;
	answer->outcome = DNS_FOUND;
	answer->count = 1;
}

void spf_draft_try(const struct spf_draft *draft, struct str text,
		   const struct dns_lookup *lookup, struct arena *arena,
		   struct spf_verdict *verdict)
{
	struct overlay overlay = {lookup, draft->domain, text};
	const struct dns_lookup over = {ask_over, &overlay, NULL, lookup->until};
	struct spf_query query = {
		.helo = draft->domain,
		.sender = arena_printf(arena, "postmaster@%.*s", STR_FMT(draft->domain)),
	};

	ASSERT(ip_parse(STR("192.0.2.255"), &query.ip)); /* RFC 5737 */
	spf_check(&over, &query, SPF_MAIL_FROM, arena, verdict);
}
