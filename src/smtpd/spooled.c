#include "smtpd/spooled.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "deliver/deliver.h"
#include "net/conn.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "wire/mail/header.h"
#include "wire/smtp/command.h"
#include "wire/smtp/reply.h"

enum {
	ENVELOPE_MAX = 3 * 1024 * 1024, /* a thousand recipients and their parameters */
	ARENA_MAX = 8 * 1024 * 1024,
	SAID_MAX = DELIVER_SAID_MAX - 4,
	HEADER_MAX = 64 * 1024,
	WAIT_S = 300,
};

/* What one command came to. */
struct answer {
	int code; /* 0: none, the session is gone */
	struct smtp_enhanced enhanced;
	struct str said; /* in the arena */
};

/* One mail on its way from the file to the session. */
struct passage {
	const struct spooled *spooled;
	struct smtpd_service service;
	struct conn *conn; /* our end */
	int session_fd;    /* the session's, until it has it */
	bool is_over;      /* the session's task has ended */
	struct waiters ended;
	struct arena arena;
	struct str rest;              /* of the file */
	struct deliver_report report; /* sender and what he asked for */
	struct deliver_refused *refused;
	size_t refused_count, taken_count;
};

static void session(void *arg)
{
	struct passage *p = arg;
	struct conn *conn = conn_new(p->session_fd, STR("local"));

	smtpd_session(conn, &p->service);
	conn_free(&conn);
	p->is_over = true;
	wake_all(&p->ended);
}

static bool begin(struct passage *p)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return false;
	p->session_fd = fds[1];
	if (!task_start("spooled mail", session, p)) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return false;
	}
	p->conn = conn_new(fds[0], STR("local"));
	conn_deadline_s(p->conn, WAIT_S);
	return true;
}

static void end(struct passage *p)
{
	conn_free(&p->conn);
	while (!p->is_over)
		if (wait_on(&p->ended, NEVER) != OK)
			task_yield(); /* we are canceled, and so is it */
}

static struct answer read_answer(struct passage *p)
{
	struct smtp_reply reply = {0};
	struct answer answer = {0};
	struct buf text = BUF(SAID_MAX);
	struct str line;

	while (!reply.is_whole) {
		if (conn_line(p->conn, SMTP_LINE_MAX, true, &line) != OK ||
		    smtp_reply_line(&reply, line, &text) != SMTP_REPLY_OK) {
			reply.code = 0;
			break;
		}
	}
	answer.code = reply.code;
	answer.enhanced = reply.enhanced;
	answer.said =
		arena_printf(&p->arena, "%d %.*s", reply.code, STR_FMT(buf_str(&text)));
	buf_fini(&text);
	return answer;
}

static struct answer say(struct passage *p, struct str line)
{
	conn_add(p->conn, line);
	conn_add(p->conn, STR("\r\n"));
	return read_answer(p);
}

static void refuse(struct passage *p, const struct smtp_command *rcpt,
		   const struct answer *answer)
{
	struct deliver_refused *refused = &p->refused[p->refused_count++];

	*refused = (struct deliver_refused){.notify = (uint8_t)rcpt->rcpt.notify,
					    .status = answer->enhanced,
					    .said = answer->said};
	refused->original = arena_printf(
		&p->arena, "%.*s%s%.*s", STR_FMT(rcpt->path.local),
		rcpt->path.domain.len > 0 ? "@" : "", STR_FMT(rcpt->path.domain));
	if (rcpt->rcpt.orcpt.len > 0)
		refused->orcpt = arena_printf(&p->arena, "%.*s;%.*s",
					      STR_FMT(rcpt->rcpt.orcpt_type),
					      STR_FMT(rcpt->rcpt.orcpt));
}

/* ---- the three parts of the dialogue ----------------------------------------------- */

enum step { STEP_ON, STEP_LATER, STEP_BROKEN /* the file is none of ours */ };

static bool next_command(struct passage *p, enum smtp_verb verb, struct str *line,
			 struct smtp_command *command)
{
	struct str after = p->rest;

	*line = str_cut(&after, '\n');
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	if (smtp_command_parse(*line, &p->arena, command) != SMTP_FAULT_NONE ||
	    command->verb != verb)
		return false;
	p->rest = after;
	return true;
}

/* A sender that is refused makes every recipient refused. */
static enum step say_sender(struct passage *p, struct answer *answer)
{
	struct smtp_command mail;
	struct str line;

	if (!next_command(p, SMTP_MAIL, &line, &mail))
		return STEP_BROKEN;
	if (mail.path.local.len > 0)
		p->report.sender =
			arena_printf(&p->arena, "%.*s@%.*s", STR_FMT(mail.path.local),
				     STR_FMT(mail.path.domain));
	p->report.id = p->spooled->id;
	p->report.received_at = clock_s();
	p->report.envid = mail.mail.envid;
	if (mail.mail.given & SMTP_PARAM_SMTPUTF8)
		p->report.body_kind = QUEUE_SMTPUTF8;
	*answer = say(p, line);
	return answer->code / 100 == 2 || answer->code / 100 == 5 ? STEP_ON : STEP_LATER;
}

static enum step say_recipients(struct passage *p, const struct answer *sender)
{
	struct smtp_command rcpt;
	struct str line;

	while (next_command(p, SMTP_RCPT, &line, &rcpt)) {
		struct answer answer = *sender;

		if (p->refused_count + p->taken_count == SMTPD_RECIPIENTS_MAX)
			return STEP_BROKEN;
		if (sender->code / 100 == 2)
			answer = say(p, line);
		if (answer.code / 100 == 5)
			refuse(p, &rcpt, &answer);
		else if (answer.code / 100 == 2)
			p->taken_count++;
		else
			return STEP_LATER;
	}
	return next_command(p, SMTP_DATA, &line, &rcpt) &&
			       p->refused_count + p->taken_count > 0
		       ? STEP_ON
		       : STEP_BROKEN;
}

/* Everybody again, who was taken before: the text is what was refused. */
static void refuse_all(struct passage *p, struct str envelope,
		       const struct answer *answer)
{
	struct smtp_command rcpt;
	struct str line, rest = p->rest;

	p->rest = envelope;
	p->refused_count = 0;
	while (next_command(p, SMTP_RCPT, &line, &rcpt))
		refuse(p, &rcpt, answer);
	p->rest = rest;
}

/* In one chunk: nothing in the text can end it. */
static enum step say_text(struct passage *p, struct str envelope)
{
	if (p->taken_count == 0)
		return STEP_ON;
	conn_printf(p->conn, "BDAT %zu LAST\r\n", p->rest.len);
	conn_add(p->conn, p->rest);
	struct answer answer = read_answer(p);

	if (answer.code / 100 == 5)
		refuse_all(p, envelope, &answer);
	return answer.code / 100 == 2 || answer.code / 100 == 5 ? STEP_ON : STEP_LATER;
}

static enum step dialogue(struct passage *p)
{
	struct answer answer = read_answer(p);

	if (answer.code != 220 || say(p, STR("EHLO localhost")).code != 250)
		return STEP_LATER;
	enum step step = say_sender(p, &answer);
	struct str envelope = p->rest;

	if (step == STEP_ON)
		step = say_recipients(p, &answer);
	return step == STEP_ON ? say_text(p, envelope) : step;
}

/* ---- before and after -------------------------------------------------------------- */

static struct str header_of(struct str text)
{
	struct mail_fields fields = mail_fields_over(str_first(text, HEADER_MAX));
	struct mail_field field;
	size_t len = 0;

	while (mail_fields_next(&fields, &field))
		len = field.at + field.len;
	return str_first(text, len);
}

static bool tell(struct passage *p)
{
	if (p->refused_count == 0)
		return true;
	p->report.refused = p->refused;
	p->report.count = p->refused_count;
	p->report.header = header_of(p->rest);
	return deliver_report(p->service.deliver, &p->report);
}

static bool read_file(struct passage *p, struct buf *text)
{
	off_t end = lseek(p->spooled->fd, 0, SEEK_END);

	if (end <= 0 || (uint64_t)end > text->max)
		return false;
	size_t len = (size_t)end;
	char *room = buf_room(text, len);

	if (!room || file_pread_all(p->spooled->fd, room, len, 0) != OK)
		return false;
	buf_grew(text, len);
	p->rest = buf_str(text);
	return true;
}

static bool pass(struct passage *p)
{
	p->refused = ARENA_ARRAY(&p->arena, struct deliver_refused, SMTPD_RECIPIENTS_MAX);
	if (!p->refused || !begin(p))
		return false;
	enum step step = dialogue(p);

	end(p);
	if (step == STEP_BROKEN)
		LOG(WARN, "dropped file not understood", KV_STR("queue_id", p->report.id),
		    KV_INT("owner", p->spooled->uid));
	return step == STEP_BROKEN || (step == STEP_ON && tell(p));
}

bool smtpd_spooled(const struct spooled *spooled)
{
	struct passage *p = NEW(struct passage);
	struct buf text = BUF(spooled->service->message_bytes_max + ENVELOPE_MAX);

	p->spooled = spooled;
	p->service = *spooled->service;
	p->service.spool_id = spooled->id;
	p->service.spool_uid = spooled->uid;
	arena_init(&p->arena, ARENA_MAX);
	bool is_done = read_file(p, &text) && pass(p);

	LOG(INFO, is_done ? "dropped mail taken" : "dropped mail waits",
	    KV_STR("queue_id", spooled->id), KV_INT("owner", spooled->uid),
	    KV_INT("rcpts", p->taken_count));
	arena_fini(&p->arena);
	buf_fini(&text);
	mem_free(p);
	return is_done;
}
