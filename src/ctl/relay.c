#include "ctl/relay.h"

#include "net/address.h"
#include "net/connect.h"
#include "net/tls.h"
#include "wire/smtp/reply.h"

enum {
	CONNECT_WAIT_S = 10,
	REPLY_WAIT_S = 30, /* longer than any delay after a failed log-in */
	LINE_MAX_BYTES = 4096,
	TEXT_MAX = 4096,
	SAID_MAX = 200,
	REPLIES_MAX = 20, /* to one trick */
};

static const char name[] = "postrider-relay-test", others[] = "example.com";

/* One dialogue. */
struct talk {
	const struct relay_door *door;
	struct conn *conn;
	struct smtp_reply reply;
	struct buf text; /* of the last reply */
};

/* ---- saying and hearing ------------------------------------------------------------ */

static struct str value_of(const struct relay_door *door, char letter,
			   char room[ADDRESS_TEXT_BYTES])
{
	switch (letter) {
	case 'd':
		return door->domain;
	case 'h':
		return door->host.len > 0 ? door->host : door->domain;
	case 'a':
		return address_text(door->at, room);
	case 'v':
		return str_c(name);
	case 'x':
		return str_c(others);
	default: /* a letter, no enum */
		break;
	}
	ASSERT(false);
}

/* The line with what it says in braces, and its CRLF. */
static void say(struct talk *talk, struct str line)
{
	SCOPED(buf_fini) struct buf out = BUF(LINE_MAX_BYTES);
	char room[ADDRESS_TEXT_BYTES];

	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] != '{') {
			buf_add_byte(&out, line.ptr[i]);
			continue;
		}
		buf_add(&out, value_of(talk->door, line.ptr[i + 1], room));
		i += 2;
	}
	buf_add(&out, STR("\r\n"));
	conn_add(talk->conn, buf_str(&out));
}

static bool hear(struct talk *talk)
{
	struct str line;

	talk->reply = (struct smtp_reply){0};
	buf_reset(&talk->text);
	conn_deadline_s(talk->conn, REPLY_WAIT_S);
	while (!talk->reply.is_whole)
		if (conn_line(talk->conn, LINE_MAX_BYTES, false, &line) != OK ||
		    smtp_reply_line(&talk->reply, line, &talk->text) != SMTP_REPLY_OK)
			return false;
	return true;
}

static bool is_good(struct talk *talk)
{
	return hear(talk) && talk->reply.code / 100 == 2;
}

static struct str last_said(struct talk *talk, struct arena *arena)
{
	struct str text = str_first(buf_str(&talk->text), SAID_MAX);

	if (talk->reply.code == 0)
		return STR("the connection was closed");
	for (size_t i = 0; i < text.len; i++)
		if (talk->text.ptr[i] == '\n')
			talk->text.ptr[i] = ' ';
	return arena_printf(arena, "%d %.*s", talk->reply.code, STR_FMT(text));
}

/* ---- connecting -------------------------------------------------------------------- */

static bool start(struct talk *talk, const struct relay_door *door)
{
	*talk = (struct talk){.door = door, .text = BUF(TEXT_MAX)};
	if (conn_connect(door->at, NULL, deadline_s(CONNECT_WAIT_S), &talk->conn) != OK)
		return false;
	conn_deadline_s(talk->conn, REPLY_WAIT_S);
	return !door->is_tls_first ||
	       conn_starttls_client(talk->conn, door->tls, STR("localhost")) == OK;
}

static void end(struct talk *talk)
{
	conn_free(&talk->conn);
	buf_fini(&talk->text);
}

static bool hello(struct talk *talk)
{
	say(talk, STR("EHLO relay-test.example.net"));
	return is_good(talk);
}

/* False: TLS is not to be had. */
static bool make_safe(struct talk *talk)
{
	say(talk, STR("STARTTLS"));
	return is_good(talk) &&
	       conn_starttls_client(talk->conn, talk->door->tls, STR("localhost")) == OK;
}

/* ---- what the server is ------------------------------------------------------------ */

static bool look(struct talk *talk, struct relay_door *door, struct arena *arena)
{
	if (!is_good(talk))
		return false;
	struct str words = buf_str(&talk->text);

	if (!arena_copy(arena, str_cut(&words, ' '), &door->host) || !hello(talk))
		return false;
	say(talk, STR("MAIL FROM:<>"));
	if (!hear(talk))
		return false;
	say(talk, STR("RCPT TO:<{v}@{d}>"));
	if (!hear(talk))
		return false;
	door->takes_all = talk->reply.code / 100 == 2;
	return true;
}

bool relay_look(struct relay_door *door, struct arena *arena, struct str *why)
{
	struct talk talk;
	bool is_there = start(&talk, door);

	if (!is_there)
		*why = STR("nobody answers there");
	else if (!(is_there = look(&talk, door, arena)))
		*why = last_said(&talk, arena);
	end(&talk);
	return is_there;
}

/* ---- a trick ----------------------------------------------------------------------- */

/* What was typed behind STARTTLS must be forgotten (RFC 3207 §4.2): else the replies to
 * it come before that to EHLO. */
static bool inject(struct talk *talk, const struct relay_trick *trick)
{
	say(talk, STR("STARTTLS"));
	say(talk, trick->line);
	if (!is_good(talk) ||
	    conn_starttls_client(talk->conn, talk->door->tls, STR("localhost")) != OK)
		return false;
	say(talk, STR("EHLO relay-test.example.net"));
	return true;
}

/* Until MAIL may be said: ACCEPTED. */
static enum relay_outcome prepare(struct talk *talk, const struct relay_trick *trick)
{
	if (trick->steps & RELAY_FIRST)
		say(talk, trick->line);
	if (!is_good(talk))
		return trick->steps & RELAY_FIRST ? RELAY_REFUSED : RELAY_UNSURE;
	if (trick->steps & RELAY_FIRST) {
		say(talk, STR("EHLO relay-test.example.net"));
		return RELAY_ACCEPTED;
	}
	if (trick->steps & RELAY_HELLO) {
		say(talk, trick->line);
		return hear(talk) ? RELAY_ACCEPTED : RELAY_REFUSED;
	}
	if (!hello(talk))
		return RELAY_UNSURE;
	if ((trick->steps & RELAY_TLS) && (!make_safe(talk) || !hello(talk)))
		return RELAY_SKIPPED;
	if ((trick->steps & RELAY_INJECT) && !inject(talk, trick))
		return RELAY_SKIPPED;
	return RELAY_ACCEPTED;
}

/* Of the replies before that to QUIT the last is the recipient's, or the last but one. */
static enum relay_outcome judge(struct talk *talk, bool is_last_but_one,
				struct arena *arena, struct str *said)
{
	int code = 0, before = 0;

	for (int i = 0; i < REPLIES_MAX && hear(talk) && talk->reply.code != 221; i++) {
		before = code;
		code = talk->reply.code;
		*said = last_said(talk, arena);
	}
	if (is_last_but_one)
		code = before;
	if (code / 100 == 2)
		return RELAY_ACCEPTED;
	return code / 100 == 4 && code != 421 ? RELAY_UNSURE : RELAY_REFUSED;
}

static enum relay_outcome play(struct talk *talk, const struct relay_trick *trick,
			       struct arena *arena, struct str *said)
{
	bool is_alone = trick->steps & (RELAY_TOGETHER | RELAY_INJECT);
	enum relay_outcome outcome = prepare(talk, trick);

	*said = last_said(talk, arena);
	if (outcome != RELAY_ACCEPTED)
		return outcome;
	if (trick->steps & RELAY_THEN)
		say(talk, trick->line);
	if (trick->mail.len > 0)
		say(talk, trick->mail);
	if (!is_alone && !hear(talk))
		return RELAY_REFUSED; /* it hung up */
	if (trick->rcpt.len > 0)
		say(talk, trick->rcpt);
	say(talk, STR("QUIT"));
	return judge(talk, trick->steps & RELAY_INJECT, arena, said);
}

enum relay_outcome relay_try(const struct relay_door *door,
			     const struct relay_trick *trick, struct arena *arena,
			     struct str *said)
{
	struct talk talk;
	enum relay_outcome outcome = RELAY_UNSURE;

	*said = STR("nobody answers there any more");
	if ((trick->steps & RELAY_TLS) && door->is_tls_first)
		return RELAY_SKIPPED; /* all tricks are */
	if (start(&talk, door))
		outcome = play(&talk, trick, arena, said);
	end(&talk);
	if (outcome == RELAY_ACCEPTED && (trick->steps & RELAY_OURS) && door->takes_all)
		return RELAY_SKIPPED;
	return outcome;
}
