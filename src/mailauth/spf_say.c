#include "mailauth/spf_say.h"

enum { SHOWN_MAX = 100 };

struct str spf_printable(struct arena *arena, struct str text)
{
	struct str shown = str_first(text, SHOWN_MAX);
	char *copy = arena_alloc(arena, shown.len + 1, 1);

	if (!copy)
		return STR("");
	for (size_t i = 0; i < shown.len; i++) {
		bool is_plain = shown.ptr[i] >= ' ' && shown.ptr[i] <= '~';

		copy[i] = '?';
		if (is_plain)
			copy[i] = shown.ptr[i];
	}
	return (struct str){copy, shown.len};
}

/* "mx" matches */
static struct str matched(const struct spf_verdict *verdict, struct arena *arena)
{
	bool is_own = str_same_nocase(verdict->domain, verdict->record_of);
	struct str where = is_own ? STR("")
				  : arena_printf(arena, " in the record of %.*s",
						 STR_FMT(verdict->record_of));

	if (verdict->mechanism.len == 0)
		return arena_printf(arena, "nothing%.*s matches", STR_FMT(where));
	return arena_printf(arena, "\"%.*s\"%.*s matches", STR_FMT(verdict->mechanism),
			    STR_FMT(where));
}

struct str spf_sentence(const struct spf_verdict *verdict, const struct ip *ip,
			struct arena *arena)
{
	struct str domain = spf_printable(arena, verdict->domain);
	char text[IP_TEXT_BYTES];
	const char *client = ip_text(ip, text).ptr, *says = "", *then = "";

	switch (verdict->result) {
	case SPF_NONE:
		return arena_printf(arena,
				    "Nobody says whether %s may send this mail: %.*s.",
				    client, STR_FMT(verdict->why));
	case SPF_TEMPERROR:
		return arena_printf(arena,
				    "Whether %.*s lets %s send its mail cannot be told "
				    "now: %.*s.",
				    STR_FMT(domain), client, STR_FMT(verdict->why));
	case SPF_PERMERROR:
		return arena_printf(arena,
				    "What %.*s says about %s cannot be understood: %.*s.",
				    STR_FMT(domain), client, STR_FMT(verdict->why));
	case SPF_PASS:
		says = "lets";
		then = " send its mail";
		break;
	case SPF_FAIL:
		says = "does not let";
		then = " send its mail";
		break;
	case SPF_SOFTFAIL:
		says = "probably does not let";
		then = " send its mail";
		break;
	case SPF_NEUTRAL:
		says = "does not say whether";
		then = " may send its mail";
		break;
	}
	return arena_printf(arena, "%.*s %s %s%s: %.*s.", STR_FMT(domain), says, client,
			    then, STR_FMT(matched(verdict, arena)));
}
