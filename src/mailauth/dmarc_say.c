#include "mailauth/dmarc_say.h"

#include "mailauth/spf_say.h"

/* "SPF (mail.example.org) and DKIM (example.org)" */
static struct str proofs(const struct dmarc_verdict *verdict, struct arena *arena)
{
	struct str text = STR("");

	for (size_t i = 0; i < verdict->identifier_count; i++) {
		const struct dmarc_identifier *one = &verdict->identifiers[i];

		if (!one->is_proved ||
		    (one->alignment != DMARC_RELAXED && one->alignment != DMARC_STRICT))
			continue;
		text = arena_printf(arena, "%.*s%s%s of %.*s", STR_FMT(text),
				    text.len > 0 ? " and " : "",
				    one->method == DMARC_BY_SPF ? "SPF" : "DKIM",
				    STR_FMT(one->domain));
	}
	return text;
}

static struct str wish(const struct dmarc_verdict *verdict, struct arena *arena)
{
	static const char *const wishes[] = {
		[DMARC_POLICY_NONE] = "asks for nothing to be done about it",
		[DMARC_POLICY_QUARANTINE] = "asks to treat it as suspicious",
		[DMARC_POLICY_REJECT] = "asks to refuse it",
	};
	bool is_milder = verdict->disposition != verdict->published;

	return arena_printf(arena, "%.*s %s%s", STR_FMT(verdict->policy_domain),
			    wishes[verdict->disposition],
			    is_milder ? ", since it is only testing a stricter policy"
				      : "");
}

static struct str sentence(const struct dmarc_verdict *verdict, struct arena *arena)
{
	struct str author = spf_printable(arena, verdict->author);

	switch (verdict->result) {
	case DMARC_NONE:
		return arena_printf(arena, "%.*s has no DMARC record.", STR_FMT(author));
	case DMARC_PASS:
		return arena_printf(arena, "This mail is from %.*s, as %.*s proves.",
				    STR_FMT(author), STR_FMT(proofs(verdict, arena)));
	case DMARC_FAIL:
		return arena_printf(arena,
				    "Nothing proves that this mail is from %.*s, and "
				    "%.*s.",
				    STR_FMT(author), STR_FMT(wish(verdict, arena)));
	case DMARC_TEMPERROR:
		return arena_printf(arena,
				    "Whether this mail is from %.*s cannot be told now: "
				    "%.*s.",
				    STR_FMT(author), STR_FMT(verdict->why));
	case DMARC_PERMERROR:
		break;
	}
	return arena_printf(arena, "Whom this mail is from cannot be told: %.*s.",
			    STR_FMT(verdict->why));
}

void dmarc_say(struct dmarc_verdict *verdict, struct arena *arena)
{
	verdict->sentence = sentence(verdict, arena);
	if (verdict->result != DMARC_FAIL)
		return;
	verdict->refusal = arena_printf(
		arena,
		"Mail from %.*s must be proved by SPF or DKIM of that domain, and this "
		"is not (DMARC policy of %.*s)",
		STR_FMT(spf_printable(arena, verdict->author)),
		STR_FMT(spf_printable(arena, verdict->policy_domain)));
}
