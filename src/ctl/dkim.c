#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/mail_file.h"
#include "ctl/word.h"
#include "mailauth/dkim_verify.h"
#include "rt/clock.h"

static json_t *text_json(struct str text)
{
	return text.len > 0 ? ctl_json(text) : json_string("");
}

static json_t *one_json(const struct dkim_verdict_one *one)
{
	json_t *json = json_pack(
		"{s:s,s:o,s:o,s:o,s:s,s:I,s:b,s:s,s:o}", "result",
		dkim_result_name(one->result), "domain", text_json(one->domain),
		"selector", text_json(one->selector), "identity",
		text_json(one->identity), "algorithm", one->algorithm, "key_bits",
		(json_int_t)one->key_bits, "testing", (int)one->is_testing, "reason",
		one->reason, "sentence", text_json(one->sentence));

	if (one->has_length && json) {
		(void)json_object_set_new(json, "length",
					  json_integer((json_int_t)one->length));
		(void)json_object_set_new(json, "body_length",
					  json_integer((json_int_t)one->body_length));
	}
	return json;
}

static void say_one(struct ctl *ctl, const struct dkim_verdict_one *one)
{
	struct str none = STR("-");

	buf_printf(&ctl->out, "%.*s %.*s %s %s: %s",
		   STR_FMT(one->domain.len > 0 ? one->domain : none),
		   STR_FMT(one->selector.len > 0 ? one->selector : none),
		   one->algorithm[0] ? one->algorithm : "-",
		   dkim_result_name(one->result), one->reason);
	if (one->key_bits > 0)
		buf_printf(&ctl->out, ", key of %zu bits", one->key_bits);
	if (one->has_length)
		buf_printf(&ctl->out, ", signed are %llu of %llu octets",
			   (unsigned long long)one->length,
			   (unsigned long long)one->body_length);
	if (one->is_testing)
		buf_add_c(&ctl->out, ", the domain is testing");
	buf_add_byte(&ctl->out, '\n');
}

static void say_verdict(struct ctl *ctl, const struct dkim_verdict *verdict)
{
	json_t *ones = json_array();

	buf_printf(&ctl->out, "%s: %.*s\n", dkim_result_name(verdict->result),
		   STR_FMT(verdict->sentence));
	for (size_t i = 0; i < verdict->count; i++) {
		say_one(ctl, &verdict->signatures[i]);
		(void)json_array_append_new(ones, one_json(&verdict->signatures[i]));
	}
	if (verdict->passed_over > 0)
		buf_printf(&ctl->out, "%zu more were not looked at.\n",
			   verdict->passed_over);
	ctl->json = json_pack("{s:s,s:o,s:I,s:o}", "result",
			      dkim_result_name(verdict->result), "sentence",
			      text_json(verdict->sentence), "passed_over",
			      (json_int_t)verdict->passed_over, "signatures", ones);
}

static void verify(struct ctl *ctl)
{
	SCOPED(mail_file_fini) struct mail_file file;
	const struct dns_lookup *lookup = ctl_lookup(ctl, DKIM_SECONDS);
	struct dkim_verdict verdict;

	if (!mail_file_read(ctl, &file))
		return;
	SCOPED(dkim_message_free)
	struct dkim_message *message =
		dkim_message_begin(mail_file_header(&file), &ctl->arena);
	SCOPED(dkim_verify_free)
	struct dkim_verify *one = dkim_verify_begin(message, clock_s());

	dkim_message_feed(message, mail_file_body(&file));
	dkim_verify_end(one, lookup, &verdict);
	say_verdict(ctl, &verdict);
}

static const struct ctl_verb verbs[] = {
	{"verify", "FILE",
	 "Check the DKIM signatures of a mail, asking the DNS for their keys, and print "
	 "the verdict: pass, fail, none, policy, neutral, temperror or permerror; then a "
	 "line for each signature.",
	 1, 1, CTL_DNS, CTL_NEEDS_RESOLVER, verify},
};

const struct ctl_word ctl_dkim = {
	.name = "dkim",
	.summary = "The signatures of mail.",
	.examples = "  postrider dkim verify mail.eml\n"
		    "  postrider dkim verify mail.eml --dns 127.0.0.1:5353 --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
