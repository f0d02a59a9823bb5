#include "ctl/report_source.h"

#include <jansson.h>
#include <stdlib.h>

#include "ctl/report_say.h"

static int by_ip(const void *a, const void *b)
{
	return str_cmp(((const struct report_source *)a)->ip,
		       ((const struct report_source *)b)->ip);
}

/* Most mails that failed first, then most mails. */
static int by_weight(const void *a, const void *b)
{
	const struct report_source *left = a, *right = b;
	uint64_t left_bad = report_source_lost(left);
	uint64_t right_bad = report_source_lost(right);

	if (left_bad != right_bad)
		return left_bad < right_bad ? 1 : -1;
	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return str_cmp(left->ip, right->ip);
}

uint64_t report_sum(uint64_t a, uint64_t b)
{
	return a > INT64_MAX || b > INT64_MAX - a ? INT64_MAX : a + b;
}

static void take_text(struct str *to, struct str more)
{
	if (to->len == 0)
		*to = more;
}

void report_source_add(struct report_source *to, const struct report_source *more)
{
	to->count = report_sum(to->count, more->count);
	to->aligned = report_sum(to->aligned, more->aligned);
	to->dkim = report_sum(to->dkim, more->dkim);
	to->spf = report_sum(to->spf, more->spf);
	to->quarantined = report_sum(to->quarantined, more->quarantined);
	to->rejected = report_sum(to->rejected, more->rejected);
	take_text(&to->dkim_domain, more->dkim_domain);
	take_text(&to->spf_domain, more->spf_domain);
	take_text(&to->why, more->why);
}

size_t report_sources_merge(struct report_source *list, size_t count)
{
	size_t made = 0;

	qsort(list, count, sizeof *list, by_ip);
	for (size_t i = 0; i < count; i++) {
		if (made > 0 && str_same(list[made - 1].ip, list[i].ip))
			report_source_add(&list[made - 1], &list[i]);
		else
			list[made++] = list[i];
	}
	qsort(list, made, sizeof *list, by_weight);
	return made;
}

void report_source_say(struct ctl *ctl, const struct report_source *source)
{
	buf_printf(&ctl->out, "  %.*s: %llu mails, ",
		   STR_FMT(report_shown(ctl, source->ip)),
		   (unsigned long long)source->count);
	if (source->aligned == source->count)
		buf_add(&ctl->out, STR("all aligned"));
	else if (source->aligned == 0)
		buf_add(&ctl->out, STR("none aligned"));
	else
		buf_printf(&ctl->out, "%llu aligned",
			   (unsigned long long)source->aligned);
	buf_printf(&ctl->out, " (DKIM %llu, SPF %llu)", (unsigned long long)source->dkim,
		   (unsigned long long)source->spf);
	if (source->quarantined > 0)
		buf_printf(&ctl->out, ", %llu quarantined",
			   (unsigned long long)source->quarantined);
	if (source->rejected > 0)
		buf_printf(&ctl->out, ", %llu rejected",
			   (unsigned long long)source->rejected);
	buf_add(&ctl->out, STR("\n"));
}

json_t *report_source_json(const struct report_source *source)
{
	return json_pack("{s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "source-ip",
			 ctl_json(source->ip), "count", (json_int_t)source->count,
			 "aligned", (json_int_t)source->aligned, "dkim",
			 (json_int_t)source->dkim, "spf", (json_int_t)source->spf,
			 "quarantined", (json_int_t)source->quarantined, "rejected",
			 (json_int_t)source->rejected, "dkim-domain",
			 ctl_json(source->dkim_domain), "spf-domain",
			 ctl_json(source->spf_domain));
}
