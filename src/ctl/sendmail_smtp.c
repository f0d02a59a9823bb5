/* sendmail -bs: SMTP on standard input and output, as some mail programs want to hand in
 * mail.  It only gathers envelopes and texts; what the server refuses comes back as a
 * report.  RFC 5321 §4.1. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/letter.h"
#include "ctl/sendmail.h"
#include "queue/id.h"
#include "wire/smtp/command.h"
#include "wire/smtp/data.h"
#include "wire/smtp/reply.h"

enum { INPUT_BYTES = 64 * 1024, SCRATCH_BYTES = 64 * 1024, TEXT_SPARE = 64 * 1024 };

struct talk {
	struct sendmail *sm;
	struct buf input;
	struct arena scratch;
	struct str sender;
	struct str *recipients;
	size_t count;
	bool has_sender, is_done;
	int status;
};

static void reply(struct talk *t, int code, const char *enhanced, const char *text)
{
	struct buf out = BUF(4096);

	smtp_reply_add(&out, code, enhanced, str_c(text));
	if (fwrite(out.ptr, 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
		t->is_done = true;
		t->status = EX_IOERR;
	}
	buf_fini(&out);
}

/* False at the end of the input. */
static bool read_more(struct talk *t)
{
	char *room = buf_room(&t->input, INPUT_BYTES);
	ssize_t got = -1;

	while (room && (got = read(STDIN_FILENO, room, INPUT_BYTES)) < 0)
		if (errno != EINTR)
			break;
	if (got <= 0)
		return false;
	buf_grew(&t->input, (size_t)got);
	return true;
}

static struct str whole(struct talk *t, const struct smtp_path *path)
{
	struct str domain =
		path->domain.len > 0 ? path->domain : t->sm->conf.default_domain;

	if (path->local.len == 0)
		return STR("");
	return arena_printf(&t->sm->arena, "%.*s@%.*s", STR_FMT(path->local),
			    STR_FMT(domain));
}

static void forget(struct talk *t)
{
	t->has_sender = false;
	t->count = 0;
}

static void on_mail(struct talk *t, const struct smtp_command *command)
{
	if (t->has_sender)
		return reply(t, 503, "5.5.1", "There is a sender already");
	t->sender = whole(t, &command->path);
	t->has_sender = true;
	reply(t, 250, "2.1.0", "Sender accepted");
}

static void on_rcpt(struct talk *t, const struct smtp_command *command)
{
	if (!t->has_sender)
		return reply(t, 503, "5.5.1", "MAIL first");
	if (t->count == LETTER_RECIPIENTS_MAX)
		return reply(t, 452, "4.5.3", "Too many recipients; send it in parts");
	t->recipients[t->count++] = whole(t, &command->path);
	reply(t, 250, "2.1.5", "Recipient accepted");
}

/* What was read is left for the server; only then it is acknowledged. */
static void hand_over(struct talk *t, struct str lines)
{
	char id[QUEUE_ID_LETTERS];
	struct letter_header header = {.from = t->sender,
				       .id = queue_id_make(id),
				       .domain = t->sm->conf.hostname,
				       .now = (int64_t)time(NULL)};
	struct buf text = BUF(lines.len + TEXT_SPARE);

	letter_add(&text, lines, &header);
	int status =
		sendmail_drop(t->sm, t->sender, t->recipients, t->count, buf_str(&text));

	buf_fini(&text);
	forget(t);
	if (status == EX_OK)
		reply(t, 250, "2.0.0", "Accepted");
	else if (status == EX_TEMPFAIL)
		reply(t, 451, "4.3.0", "It could not be left for the server");
	else
		reply(t, 554, "5.6.0", "It cannot be sent");
}

static void on_data(struct talk *t)
{
	struct buf text = BUF((size_t)t->sm->conf.message_bytes_max);
	struct smtp_data data;

	if (t->count == 0)
		return reply(t, 503, "5.5.1", "There is no recipient");
	reply(t, 354, NULL, "Go ahead, end with a dot");
	smtp_data_init(&data, SMTP_LINES_REPAIR, t->sm->conf.message_bytes_max);
	while (!data.is_done) {
		if (t->input.len == 0 && !read_more(t)) {
			t->is_done = true;
			break;
		}
		buf_drop_front(&t->input,
			       smtp_data_feed(&data, buf_str(&t->input), &text));
	}
	if (data.is_done && (data.is_too_big || data.has_nul)) {
		reply(t, data.is_too_big ? 552 : 554, data.is_too_big ? "5.3.4" : "5.6.0",
		      "The message is too big, or no text");
		forget(t);
	} else if (data.is_done) {
		hand_over(t, buf_str(&text));
	}
	buf_fini(&text);
}

static void on_command(struct talk *t, const struct smtp_command *command)
{
	switch (command->verb) {
	case SMTP_EHLO:
	case SMTP_HELO:
		forget(t);
		return reply(t, 250, NULL,
			     command->verb == SMTP_HELO
				     ? "localhost"
				     : "localhost\n8BITMIME\nSMTPUTF8\nPIPELINING\n"
				       "ENHANCEDSTATUSCODES");
	case SMTP_MAIL:
		return on_mail(t, command);
	case SMTP_RCPT:
		return on_rcpt(t, command);
	case SMTP_DATA:
		return on_data(t);
	case SMTP_RSET:
		forget(t);
		return reply(t, 250, "2.0.0", "Forgotten");
	case SMTP_NOOP:
		return reply(t, 250, "2.0.0", "Still here");
	case SMTP_VRFY:
		return reply(t, 252, "2.0.0", "Send it mail and see");
	case SMTP_QUIT:
		t->is_done = true;
		return reply(t, 221, "2.0.0", "Goodbye");
	case SMTP_LHLO:
	case SMTP_BDAT:
	case SMTP_EXPN:
	case SMTP_HELP:
	case SMTP_STARTTLS:
	case SMTP_AUTH:
	case SMTP_OTHER:
		break;
	}
	reply(t, 502, "5.5.1", "That is not done here");
}

static void one_line(struct talk *t)
{
	size_t end;

	while ((end = str_find_byte(buf_str(&t->input), '\n')) == t->input.len) {
		if (t->input.len > SMTP_LINE_MAX || !read_more(t)) {
			t->is_done = true;
			return;
		}
	}
	struct smtp_command command;
	struct str line = str_trim(str_first(buf_str(&t->input), end));
	struct str copy = STR("");

	arena_reset(&t->scratch);
	bool is_good = arena_copy(&t->scratch, line, &copy);

	buf_drop_front(&t->input, end + 1);
	if (is_good && smtp_command_parse(copy, &t->scratch, &command) == SMTP_FAULT_NONE)
		on_command(t, &command);
	else
		reply(t, 501, "5.5.4", "That cannot be understood");
}

int sendmail_smtp(struct sendmail *sm)
{
	struct talk t = {.sm = sm,
			 .input = BUF(4 * INPUT_BYTES),
			 .recipients = NEW_ARRAY(struct str, LETTER_RECIPIENTS_MAX)};

	arena_init(&t.scratch, SCRATCH_BYTES);
	reply(&t, 220, NULL, "localhost ESMTP Postrider");
	while (!t.is_done)
		one_line(&t);
	arena_fini(&t.scratch);
	buf_fini(&t.input);
	mem_free(t.recipients);
	return t.status;
}
