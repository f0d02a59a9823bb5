#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/mail_file.h"
#include "ctl/word.h"
#include "mailauth/arc_verify.h"
#include "rt/clock.h"

static json_t *text_json(struct str text)
{
	return text.len > 0 ? ctl_json(text) : json_string("");
}

static json_t *proof_json(const struct dkim_proof *proof)
{
	return json_pack("{s:s,s:s,s:I,s:b}", "result", dkim_result_name(proof->result),
			 "reason", proof->reason, "key_bits", (json_int_t)proof->key_bits,
			 "testing", (int)proof->is_testing);
}

static json_t *one_json(const struct arc_verdict_one *one)
{
	return json_pack("{s:I,s:o,s:o,s:o,s:s,s:o,s:o,s:o}", "instance",
			 (json_int_t)one->instance, "domain", text_json(one->domain),
			 "selector", text_json(one->selector), "signer",
			 text_json(one->signer), "cv", one->cv, "seal",
			 proof_json(&one->seal), "message", proof_json(&one->message),
			 "results", text_json(one->results));
}

/* As one line: folds and what else is no text become a space. */
static void add_line(struct buf *out, struct str text)
{
	bool has_space = false;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c > ' ' && c != 127)
			buf_add_byte(out, (char)c);
		else if (!has_space)
			buf_add_byte(out, ' ');
		has_space = c <= ' ' || c == 127;
	}
}

static void say_one(struct ctl *ctl, const struct arc_verdict_one *one)
{
	struct str none = STR("-");

	buf_printf(&ctl->out, "%u %.*s %.*s cv=%s seal %s: %s; message of %.*s %s: %s",
		   one->instance, STR_FMT(one->domain.len > 0 ? one->domain : none),
		   STR_FMT(one->selector.len > 0 ? one->selector : none),
		   one->cv[0] ? one->cv : "-", dkim_result_name(one->seal.result),
		   one->seal.reason, STR_FMT(one->signer.len > 0 ? one->signer : none),
		   dkim_result_name(one->message.result), one->message.reason);
	if (one->results.len > 0) {
		buf_add_c(&ctl->out, "; found ");
		add_line(&ctl->out, one->results);
	}
	buf_add_byte(&ctl->out, '\n');
}

static void say_verdict(struct ctl *ctl, const struct arc_verdict *verdict)
{
	json_t *ones = json_array();

	buf_printf(&ctl->out, "%s: %.*s\n", arc_result_name(verdict->result),
		   STR_FMT(verdict->sentence));
	for (size_t i = 0; i < verdict->count; i++) {
		say_one(ctl, &verdict->sets[i]);
		(void)json_array_append_new(ones, one_json(&verdict->sets[i]));
	}
	ctl->json = json_pack(
		"{s:s,s:o,s:o,s:I,s:I,s:o}", "result", arc_result_name(verdict->result),
		"sentence", text_json(verdict->sentence), "reason",
		text_json(verdict->reason), "reason_at", (json_int_t)verdict->reason_at,
		"oldest_pass", (json_int_t)verdict->oldest_pass, "sets", ones);
}

static void verify(struct ctl *ctl)
{
	SCOPED(mail_file_fini) struct mail_file file;
	const struct dns_lookup *lookup = ctl_lookup(ctl, DKIM_SECONDS);
	struct arc_verdict verdict;

	if (!mail_file_read(ctl, &file))
		return;
	SCOPED(dkim_message_free)
	struct dkim_message *message =
		dkim_message_begin(mail_file_header(&file), &ctl->arena);
	SCOPED(arc_verify_free)
	struct arc_verify *arc = arc_verify_begin(message, clock_s());

	dkim_message_feed(message, mail_file_body(&file));
	arc_verify_end(arc, lookup, &verdict);
	say_verdict(ctl, &verdict);
}

static const struct ctl_verb verbs[] = {
	{"verify", "FILE",
	 "Check the ARC chain of a mail, asking the DNS for the keys, and print the "
	 "verdict: pass, fail, none or temperror; then a line for each set.",
	 1, 1, CTL_DNS, CTL_NEEDS_RESOLVER, verify},
};

const struct ctl_word ctl_arc = {
	.name = "arc",
	.summary = "The chain of servers that passed a mail on.",
	.examples = "  postrider arc verify mail.eml\n"
		    "  postrider arc verify mail.eml --dns 127.0.0.1:5353 --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
