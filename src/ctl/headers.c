#include <jansson.h>

#include "base/utf8.h"
#include "ctl/headers_say.h"
#include "ctl/lookups.h"
#include "ctl/word.h"
#include "headers/headers.h"
#include "mailauth/mailauth.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "wire/mail/mbox.h"

enum {
	FILE_BYTES_MAX = 512 * 1024 * 1024,
	TRUSTED_MAX = 20,
	ANALYSIS_BYTES_MAX = 256 * 1024 * 1024,
};

struct asked {
	struct str trusted[TRUSTED_MAX];
	size_t trusted_count;
	const struct dns_lookup *lookup; /* NULL: nobody is asked */
};

static void read_trusted(struct ctl *ctl, struct asked *asked)
{
	struct str rest = str_c(ctl_value(ctl, CTL_TRUSTED));

	if (rest.len == 0 && ctl->conf_path)
		asked->trusted[asked->trusted_count++] = ctl->conf.hostname;
	while (rest.len > 0 && asked->trusted_count < TRUSTED_MAX) {
		struct str name = str_trim(str_cut(&rest, ','));

		if (name.len > 0)
			asked->trusted[asked->trusted_count++] = name;
	}
}

static bool read_file(struct ctl *ctl, struct buf *raw)
{
	char path[4096];
	struct str name =
		str_same(ctl->words[0], STR("-")) ? STR("/dev/stdin") : ctl->words[0];

	if (str_to_c(name, path, sizeof path) && file_read(path, raw) == OK)
		return true;
	ctl_fail(ctl,
		 "The file %.*s cannot be read.\nNothing was looked at.\nIt has to be a "
		 "mail, or only its header; \"-\" is standard input.",
		 STR_FMT(ctl->words[0]));
	return false;
}

static bool analyse(const struct asked *asked, struct str raw, struct buf *mail,
		    struct arena *arena, struct headers *headers)
{
	struct headers_query query = {
		.trusted = asked->trusted,
		.trusted_count = asked->trusted_count,
		.lookup = asked->lookup,
		.now_s = clock_s(),
	};

	mail_pasted_add(mail, raw, &query.pasted);
	query.text = buf_str(mail);
	headers_analyse(&query, arena, headers);
	return buf_ok(mail);
}

/* ---- many mails -------------------------------------------------------------------- */

struct sum {
	size_t mails, hops, not_understood;
	json_t *list;
};

static void say_one(struct ctl *ctl, const struct asked *asked, struct str raw,
		    struct sum *sum)
{
	SCOPED(buf_fini) struct buf mail = BUF(2u * FILE_BYTES_MAX);
	SCOPED(arena_fini) struct arena arena;
	struct headers headers;

	arena_init(&arena, ANALYSIS_BYTES_MAX);
	if (!analyse(asked, raw, &mail, &arena, &headers))
		return;
	sum->mails++;
	sum->hops += headers.hop_count;
	sum->not_understood += headers.not_understood;
	buf_printf(&ctl->out, "%s: %zu ", headers_word_name(headers.word), sum->mails);
	utf8_add_shown(&ctl->out, headers.from_address);
	buf_printf(&ctl->out, " %zu steps, %zu not understood\n", headers.hop_count,
		   headers.not_understood);
	if (sum->list)
		(void)json_array_append_new(sum->list, headers_json(&headers));
}

/* Where the next mail begins: at a line "From " behind an empty one; the end if nowhere.
 */
static size_t next_mail(struct str text, size_t at)
{
	struct mbox_from from;
	bool is_behind_empty = false;

	while (at < text.len) {
		struct str rest = str_skip(text, at);
		struct str line = str_first(rest, str_find_byte(rest, '\n') + 1);

		if (is_behind_empty && mbox_from_line(line, &from))
			return at;
		is_behind_empty = str_trim(line).len == 0;
		at += line.len;
	}
	return text.len;
}

static void say_all(struct ctl *ctl, const struct asked *asked, struct str text)
{
	struct sum sum = {.list = ctl->is_json ? json_array() : NULL};

	for (size_t at = 0, end; at < text.len; at = end) {
		end = next_mail(text, at);
		say_one(ctl, asked, str_first(str_skip(text, at), end - at), &sum);
	}
	buf_printf(&ctl->out, "%zu mails with %zu Received fields, %zu not understood\n",
		   sum.mails, sum.hops, sum.not_understood);
	if (ctl->is_json)
		ctl->json =
			json_pack("{s:I,s:I,s:I,s:o}", "mails", (json_int_t)sum.mails,
				  "received", (json_int_t)sum.hops, "not_understood",
				  (json_int_t)sum.not_understood, "analyses", sum.list);
}

static void look(struct ctl *ctl)
{
	SCOPED(buf_fini) struct buf raw = BUF(FILE_BYTES_MAX);
	SCOPED(buf_fini) struct buf mail = BUF(2u * FILE_BYTES_MAX);
	struct asked asked = {.lookup = NULL};
	struct headers headers;

	read_trusted(ctl, &asked);
	if (!(ctl->options & CTL_MBOX))
		asked.lookup = ctl_lookup(ctl, MAILAUTH_SECONDS);
	if (!read_file(ctl, &raw))
		return;
	if (ctl->options & CTL_MBOX) {
		say_all(ctl, &asked, buf_str(&raw));
		return;
	}
	if (!analyse(&asked, buf_str(&raw), &mail, &ctl->arena, &headers)) {
		ctl_fail(ctl, "The mail is too long.\nNothing was looked at.\nIts header "
			      "alone suffices for most of the answer.");
		return;
	}
	headers_say(ctl, &headers);
	ctl->json = headers_json(&headers);
}

static const struct ctl_verb verbs[] = {
	{"", "FILE|-",
	 "Say what the header of a mail tells about who sent it and which way it came, "
	 "what of that your server saw and what is only claimed, and check again what "
	 "can "
	 "be.  The first word is the verdict: genuine, doubtful, forged or unknown.",
	 1, 1, CTL_DNS | CTL_TRUSTED | CTL_MBOX, CTL_NEEDS_RESOLVER, look},
};

const struct ctl_word ctl_headers = {
	.name = "headers",
	.summary = "What the header of a mail tells.",
	.examples = "  postrider headers mail.eml\n"
		    "  postrider headers - --trusted mx.example.org --json < header.txt\n"
		    "  postrider headers archive.mbox --mbox\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
