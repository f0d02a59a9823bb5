#include "transfer/imap_link.h"

#include <netdb.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/num.h"
#include "net/connect.h"
#include "net/tls.h"
#include "rt/offload.h"
#include "wire/imap/write.h"

enum {
	CONNECT_WAIT_S = 15,
	ANSWER_WAIT_S = 120,
	RESPONSE_MAX = 64 * 1024,
	ARENA_MAX = 512 * 1024,
	RESPONSES_MAX = 10000, /* that nobody asked for, while the server is silent */
	SHOWN_BYTES = 200,
};

static void say_why(struct imap_link *link, const char *what, struct str text)
{
	struct str shown = str_first(text, SHOWN_BYTES);

	(void)snprintf(link->why, sizeof link->why, "%s%.*s", what, STR_FMT(shown));
	for (char *c = link->why; *c; c++) /* a stranger's words on a terminal */
		if ((unsigned char)*c < 32 || (unsigned char)*c == 127)
			*c = '?';
}

/* ---- responses --------------------------------------------------------------------- */

/* len octets from the connection, into out if they fit there. */
static err_t take_octets(struct imap_link *link, uint64_t len, struct buf *out)
{
	while (len > 0) {
		struct str got;

		conn_deadline_s(link->conn, ANSWER_WAIT_S);
		TRY(conn_peek(link->conn, &got));
		got = str_first(got, len < got.len ? (size_t)len : got.len);
		if (out)
			buf_add(out, got);
		conn_take(link->conn, got.len);
		len -= got.len;
	}
	return OK;
}

static err_t take_literal(struct imap_link *link, uint64_t len, bool is_message)
{
	if (!is_message) {
		if (len > RESPONSE_MAX)
			return ERR_SYNTAX;
		return take_octets(link, len, &link->line);
	}
	struct buf *out = link->message;

	link->is_too_long = !out || len > out->max;
	if (out)
		buf_reset(out);
	return take_octets(link, len, link->is_too_long ? NULL : out);
}

/* A line, and on while literals are announced. */
static err_t gather(struct imap_link *link)
{
	buf_reset(&link->line);
	for (;;) {
		struct str line;
		uint64_t len;
		bool is_message;

		conn_deadline_s(link->conn, ANSWER_WAIT_S);
		err_t err = conn_line(link->conn, RESPONSE_MAX, true, &line);

		if (err != OK)
			return err == ERR_LIMIT ? ERR_SYNTAX : err;
		buf_add(&link->line, line);
		bool goes_on =
			imap_response_literal(buf_str(&link->line), &len, &is_message);

		buf_add(&link->line, STR("\r\n"));
		if (!buf_ok(&link->line))
			return ERR_SYNTAX;
		if (!goes_on)
			return OK;
		TRY(take_literal(link, len, is_message));
	}
}

err_t imap_link_next(struct imap_link *link, struct imap_response *response)
{
	arena_reset(&link->arena);
	TRY(gather(link));
	struct imap_in in = imap_in_over(buf_str(&link->line), &link->arena);

	if (!imap_response(&in, response)) {
		say_why(link, "the server does not speak IMAP: ", in.reason);
		return ERR_SYNTAX;
	}
	if (response->capabilities.len > 0) {
		buf_reset(&link->capabilities);
		buf_add(&link->capabilities, response->capabilities);
	}
	if (response->kind == IMAP_SAYS_STATUS && response->condition == IMAP_IS_BYE) {
		say_why(link, "the server ended it: ", response->text);
		return ERR_CLOSED;
	}
	return OK;
}

/* ---- commands ---------------------------------------------------------------------- */

void imap_link_send(struct imap_link *link, const char *format, ...)
{
	SCOPED(buf_fini) struct buf command = BUF(RESPONSE_MAX);
	va_list args;

	va_start(args, format);
	buf_printf(&command, "p%u ", ++link->sent);
	buf_vprintf(&command, format, args);
	va_end(args);
	buf_add_c(&command, "\r\n");
	conn_add(link->conn, buf_str(&command));
	explicit_bzero(command.ptr, command.len); /* it may be the log-in */
}

static bool is_tag(const struct imap_link *link, struct str tag)
{
	uint64_t number;

	return str_starts(tag, STR("p")) &&
	       num_parse(str_skip(tag, 1), UINT32_MAX, &number) &&
	       number == link->done + 1;
}

err_t imap_link_await(struct imap_link *link,
		      void (*each)(void *arg, const struct imap_response *), void *arg)
{
	for (;;) {
		struct imap_response response;

		TRY(imap_link_next(link, &response));
		if (response.kind == IMAP_SAYS_CONTINUE)
			continue;
		if (response.kind != IMAP_SAYS_DONE) {
			if (each)
				each(arg, &response);
			continue;
		}
		if (!is_tag(link, response.tag))
			return ERR_SYNTAX;
		link->done++;
		if (response.condition == IMAP_IS_OK)
			return OK;
		say_why(link, "the server refuses it: ", response.text);
		return ERR_DENIED;
	}
}

bool imap_link_can(const struct imap_link *link, struct str capability)
{
	return imap_has_word(buf_str(&link->capabilities), capability);
}

/* ---- connecting -------------------------------------------------------------------- */

struct lookup {
	char host[256], port[16];
	struct addrinfo *found;
	int error;
};

/* In a thread: it blocks. */
static void look_up(void *arg)
{
	struct lookup *lookup = arg;
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM};

	lookup->error = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
}

static err_t connect_any(struct imap_link *link, const struct imap_source *source)
{
	struct lookup lookup = {.found = NULL};
	err_t err = ERR_CLOSED;

	if (!str_to_c(source->host, lookup.host, sizeof lookup.host) ||
	    !str_to_c(source->port, lookup.port, sizeof lookup.port)) {
		say_why(link, "that is no host: ", source->host);
		return ERR_DENIED;
	}
	offload(look_up, &lookup);
	if (lookup.error) {
		say_why(link, "its address cannot be found: ",
			str_c(gai_strerror(lookup.error)));
		return lookup.error == EAI_AGAIN ? ERR_TIMEOUT : ERR_DENIED;
	}
	for (struct addrinfo *at = lookup.found; at && err != OK; at = at->ai_next) {
		struct address to = {.len = at->ai_addrlen};

		memcpy(&to.socket, at->ai_addr, at->ai_addrlen);
		err = conn_connect(&to, NULL, deadline_s(CONNECT_WAIT_S), &link->conn);
	}
	freeaddrinfo(lookup.found);
	if (err != OK)
		say_why(link, "nobody answers there", STR(""));
	return err;
}

static err_t make_safe(struct imap_link *link, const struct imap_source *source)
{
	conn_deadline_s(link->conn, CONNECT_WAIT_S);
	err_t err = conn_starttls_client(link->conn, source->tls, source->host);

	buf_reset(&link->capabilities); /* RFC 9051 §6.2.1: MUST be forgotten */
	if (err == OK)
		return OK;
	say_why(link,
		"no TLS can be made with it: its certificate is not good for the "
		"name, or signed by nobody we trust",
		STR(""));
	return ERR_DENIED;
}

static err_t ask_capabilities(struct imap_link *link)
{
	if (link->capabilities.len > 0)
		return OK;
	imap_link_send(link, "CAPABILITY");
	return imap_link_await(link, NULL, NULL);
}

static err_t start(struct imap_link *link, const struct imap_source *source)
{
	struct imap_response greeting;

	if (source->security == IMAP_TLS)
		TRY(make_safe(link, source));
	TRY(imap_link_next(link, &greeting));
	if (greeting.kind != IMAP_SAYS_STATUS) {
		say_why(link, "that is no IMAP server", STR(""));
		return ERR_DENIED;
	}
	TRY(ask_capabilities(link));
	if (source->security == IMAP_TLS)
		return OK;
	if (imap_link_can(link, STR("STARTTLS"))) {
		imap_link_send(link, "STARTTLS");
		TRY(imap_link_await(link, NULL, NULL));
		TRY(make_safe(link, source));
		return ask_capabilities(link);
	}
	if (source->may_be_plain)
		return OK;
	say_why(link, "it offers no TLS", STR(""));
	return ERR_DENIED;
}

/* ---- logging in -------------------------------------------------------------------- */

static void wipe(struct buf *secret)
{
	if (secret->ptr)
		explicit_bzero(secret->ptr, secret->room);
	buf_fini(secret);
}

/* RFC 4616 §2: [authzid] NUL authcid NUL passwd. */
static err_t log_in_plain(struct imap_link *link, const struct imap_source *source)
{
	SCOPED(wipe) struct buf plain = BUF(4096);
	SCOPED(wipe) struct buf coded = BUF(8192);
	struct imap_response response;

	/* their memory does not move, so that no copy is left behind */
	if (!buf_room(&plain, 4096) || !buf_room(&coded, 8192))
		return ERR_LIMIT;
	if (source->master.len > 0)
		buf_add(&plain, source->user);
	buf_add_byte(&plain, '\0');
	buf_add(&plain, source->master.len > 0 ? source->master : source->user);
	buf_add_byte(&plain, '\0');
	buf_add(&plain, source->password);
	base64_add(&coded, buf_str(&plain));
	if (!buf_ok(&plain) || !buf_ok(&coded))
		return ERR_LIMIT;
	if (imap_link_can(link, STR("SASL-IR"))) { /* RFC 4959 */
		imap_link_send(link, "AUTHENTICATE PLAIN %.*s", STR_FMT(buf_str(&coded)));
		return imap_link_await(link, NULL, NULL);
	}
	imap_link_send(link, "AUTHENTICATE PLAIN");
	for (int i = 0; i < RESPONSES_MAX; i++) {
		TRY(imap_link_next(link, &response));
		if (response.kind == IMAP_SAYS_DONE) {
			say_why(link, "the server refuses the log-in: ", response.text);
			return ERR_DENIED;
		}
		if (response.kind != IMAP_SAYS_CONTINUE)
			continue;
		conn_add(link->conn, buf_str(&coded));
		conn_add(link->conn, STR("\r\n"));
		return imap_link_await(link, NULL, NULL);
	}
	return ERR_SYNTAX;
}

/* Deviates: octets above 127 go as they are, where RFC 9051 §4.3 wants a literal; servers
 * with such passwords and without AUTH=PLAIN take them so. */
static err_t log_in_old(struct imap_link *link, const struct imap_source *source)
{
	SCOPED(wipe) struct buf words = BUF(8192);

	if (!buf_room(&words, 8192))
		return ERR_LIMIT;
	imap_write_quoted(&words, source->user);
	buf_add_byte(&words, ' ');
	imap_write_quoted(&words, source->password);
	imap_link_send(link, "LOGIN %.*s", STR_FMT(buf_str(&words)));
	return imap_link_await(link, NULL, NULL);
}

static bool is_sayable(struct str text)
{
	return text.len > 0 && !memchr(text.ptr, 0, text.len) &&
	       !memchr(text.ptr, '\r', text.len) && !memchr(text.ptr, '\n', text.len);
}

static err_t log_in(struct imap_link *link, const struct imap_source *source)
{
	err_t err = ERR_DENIED;

	if (!is_sayable(source->user) || !is_sayable(source->password))
		say_why(link, "such a name or password cannot be sent", STR(""));
	else if (imap_link_can(link, STR("AUTH=PLAIN")) || source->master.len > 0)
		err = log_in_plain(link, source);
	else if (!imap_link_can(link, STR("LOGINDISABLED"))) /* RFC 9051 §6.2.3 */
		err = log_in_old(link, source);
	else
		say_why(link, "it offers no way to log in that we know", STR(""));
	if (err != OK)
		return err;
	buf_reset(&link->capabilities); /* there may be others now */
	return ask_capabilities(link);
}

err_t imap_link_open(struct imap_link *link, const struct imap_source *source)
{
	*link = (struct imap_link){.line = BUF(2 * RESPONSE_MAX),
				   .capabilities = BUF(RESPONSE_MAX)};
	arena_init(&link->arena, ARENA_MAX);
	TRY(connect_any(link, source));
	TRY(start(link, source));
	return log_in(link, source);
}

void imap_link_close(struct imap_link *link)
{
	if (link->conn && !conn_is_broken(link->conn)) {
		conn_deadline_s(link->conn, 1);
		imap_link_send(link, "LOGOUT");
		(void)conn_flush(link->conn); /* it is over in any case */
	}
	conn_free(&link->conn);
	buf_fini(&link->line);
	buf_fini(&link->capabilities);
	arena_fini(&link->arena);
}
