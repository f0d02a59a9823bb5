#include "wire/mail/feedback.h"

#include "base/num.h"
#include "wire/mail/header.h"

static struct str value_of(const struct mail_field *field, struct arena *arena)
{
	struct str line;

	if (!mail_unfold(arena, str_first(str_trim(field->value), FEEDBACK_TEXT_MAX),
			 &line))
		return STR("");
	return str_trim(line);
}

/* Those that may stand there once. */
static void take_text(const struct mail_field *field, struct str value,
		      struct feedback *feedback)
{
	const struct {
		struct str name, *place;
	} texts[] = {
		{STR("Feedback-Type"), &feedback->type},
		{STR("User-Agent"), &feedback->user_agent},
		{STR("Version"), &feedback->version},
		{STR("Original-Mail-From"), &feedback->mail_from},
		{STR("Arrival-Date"), &feedback->arrival},
		{STR("Received-Date"), &feedback->arrival}, /* RFC 5965 §3.2 */
		{STR("Source-IP"), &feedback->source_ip},
		{STR("Original-Envelope-Id"), &feedback->envelope_id},
		{STR("Reporting-MTA"), &feedback->reporting_mta},
		{STR("Reported-Domain"), &feedback->domain},
		{STR("Auth-Failure"), &feedback->auth_failure},
		{STR("Identity-Alignment"), &feedback->alignment},
		{STR("Authentication-Results"), &feedback->results},
		{STR("Delivery-Result"), &feedback->delivery},
		{STR("DKIM-Domain"), &feedback->dkim_domain},
		{STR("DKIM-Identity"), &feedback->dkim_identity},
		{STR("DKIM-Selector"), &feedback->dkim_selector},
		{STR("SPF-DNS"), &feedback->spf_dns},
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (texts[i].place->len == 0 &&
		    str_same_nocase(field->name, texts[i].name))
			*texts[i].place = value;
}

bool feedback_parse(struct str body, struct arena *arena, struct feedback *feedback)
{
	struct mail_fields fields = mail_fields_of_part(body);
	struct mail_field field;

	*feedback = (struct feedback){.incidents = 1};
	for (size_t i = 0; i < FEEDBACK_FIELDS_MAX && mail_fields_next(&fields, &field);
	     i++) {
		struct str value = value_of(&field, arena);

		if (!str_same_nocase(field.name, STR("Original-Rcpt-To")))
			take_text(&field, value, feedback);
		else if (feedback->rcpt_count < FEEDBACK_RCPTS_MAX)
			feedback->rcpts[feedback->rcpt_count++] = value;
		if (str_same_nocase(field.name, STR("Incidents")) &&
		    !num_parse(value, INT64_MAX, &feedback->incidents))
			feedback->incidents = 1;
	}
	return feedback->type.len > 0;
}
