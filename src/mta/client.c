#include "mta/client.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/num.h"
#include "mta/scram_login.h"
#include "net/conn.h"

enum { REPLY_LINE_BYTES = 4096, EHLO_TEXT_MAX = 8192 };

/* ---- replies ----------------------------------------------------------------------- */

void client_deadline(struct client *client, unsigned wait_s)
{
	conn_deadline_s(client->conn,
			(unsigned)num_min(wait_s, client->options.patience_s));
}

static void say(struct client *client, const char *text)
{
	buf_reset(&client->text);
	buf_add_c(&client->text, text);
	client->reply = (struct smtp_reply){0};
	client->has_failed = true;
}

static err_t lost(struct client *client, err_t err)
{
	if (err == ERR_TIMEOUT)
		say(client, "The server took too long to answer");
	else
		say(client, "The connection was lost");
	return err;
}

/* A whole reply with its text into a buffer of the caller's.  RFC 5321 §4.2.1. */
static err_t read_reply(struct client *client, unsigned wait_s, struct buf *text)
{
	struct str line;

	client->reply = (struct smtp_reply){0};
	buf_reset(text);
	client_deadline(client, wait_s); /* for all its lines */
	while (!client->reply.is_whole) {
		err_t err = conn_line(client->conn, REPLY_LINE_BYTES, false, &line);

		if (err == ERR_LIMIT)
			line = STR("");
		else if (err != OK)
			return lost(client, err);
		switch (smtp_reply_line(&client->reply, line, text)) {
		case SMTP_REPLY_OK:
			break;
		case SMTP_REPLY_BAD:
			say(client, "The server does not speak SMTP");
			return ERR_SYNTAX;
		case SMTP_REPLY_LONG:
			say(client, "The server's reply has no end");
			return ERR_LIMIT;
		}
	}
	/* RFC 5321 §3.8: it closes the channel.  The reply counts nevertheless. */
	client->has_failed |= client->reply.code == 421;
	return OK;
}

err_t client_reply(struct client *client, unsigned wait_s)
{
	err_t err = read_reply(client, wait_s, &client->text);

	for (size_t i = 0; i < client->text.len; i++)
		if (client->text.ptr[i] == '\n')
			client->text.ptr[i] = ' ';
	return err;
}

struct smtp_enhanced client_status(const struct client *client)
{
	const struct smtp_reply *reply = &client->reply;

	if (reply->enhanced.class != 0)
		return reply->enhanced;
	if (reply->code == 0) /* RFC 3463 §3.5: bad connection */
		return (struct smtp_enhanced){4, 4, 2};
	return (struct smtp_enhanced){(uint16_t)(reply->code / 100), 0, 0};
}

static enum client_outcome command(struct client *client, unsigned wait_s)
{
	if (client_reply(client, wait_s) != OK)
		return CLIENT_LOST;
	return client->reply.code / 100 == 2 ? CLIENT_READY : CLIENT_REFUSED;
}

/* ---- EHLO -------------------------------------------------------------------------- */

static unsigned auth_of(struct str words)
{
	unsigned offers = OFFER_AUTH;

	while (words.len > 0) {
		struct str word = str_cut(&words, ' ');

		if (str_same_nocase(word, STR("PLAIN")))
			offers |= OFFER_AUTH_PLAIN;
		if (str_same_nocase(word, STR("LOGIN")))
			offers |= OFFER_AUTH_LOGIN;
		if (str_same_nocase(word, STR("SCRAM-SHA-256")))
			offers |= OFFER_AUTH_SCRAM;
		if (str_same_nocase(word, STR("SCRAM-SHA-256-PLUS")))
			offers |= OFFER_AUTH_SCRAM_PLUS;
	}
	return offers;
}

static uint64_t hash_of(struct str domain)
{
	char lower[DNS_NAME_MAX];
	size_t len = num_min(domain.len, sizeof lower);

	for (size_t i = 0; i < len; i++)
		lower[i] = ascii_lower(domain.ptr[i]);
	return hash64((struct str){lower, len});
}

bool client_may_name(struct client *client, struct str domain)
{
	size_t most = client->bounds.limits.domain_max;

	if (most == 0)
		return true;
	uint64_t hash = hash_of(domain);

	for (size_t i = 0; i < client->domain_count; i++) {
		if (client->domains[i] == hash)
			return true;
	}
	if (client->domain_count == num_min(most, CLIENT_DOMAINS_MAX))
		return false;
	client->domains[client->domain_count++] = hash;
	return true;
}

unsigned client_offer_of(struct str line, struct client_bounds *bounds)
{
	static const struct {
		struct str word;
		unsigned offer;
	} words[] = {
		{STR("PIPELINING"), OFFER_PIPELINING},
		{STR("8BITMIME"), OFFER_8BITMIME},
		{STR("SMTPUTF8"), OFFER_SMTPUTF8},
		{STR("CHUNKING"), OFFER_CHUNKING},
		{STR("BINARYMIME"), OFFER_BINARYMIME},
		{STR("DSN"), OFFER_DSN},
		{STR("STARTTLS"), OFFER_STARTTLS},
		{STR("REQUIRETLS"), OFFER_REQUIRETLS},
	};
	struct str rest = line;
	struct str word = str_cut(&rest, ' ');

	if (str_same_nocase(word, STR("SIZE"))) { /* RFC 1870 §3 */
		if (!num_parse(str_trim(rest), UINT64_MAX, &bounds->size_max))
			bounds->size_max = 0;
		return OFFER_SIZE;
	}
	if (str_same_nocase(word, STR("LIMITS"))) {
		smtp_limits_parse(rest, &bounds->limits);
		return 0;
	}
	if (str_same_nocase(word, STR("DELIVERBY"))) {
		bounds->by_min_s = smtp_by_min_parse(rest);
		return OFFER_DELIVERBY;
	}
	if (str_same_nocase(word, STR("AUTH")))
		return auth_of(rest);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_same_nocase(word, words[i].word))
			return words[i].offer;
	return 0;
}

/* The first line of the reply names the server.  RFC 5321 §4.1.1.1. */
static enum client_outcome take_offers(struct client *client, struct str text)
{
	struct str first = str_cut(&text, '\n');
	struct str name = str_cut(&first, ' ');

	client->offers = 0;
	client->bounds = (struct client_bounds){0}; /* RFC 9422 §3.6 */
	while (text.len > 0)
		client->offers |= client_offer_of(str_cut(&text, '\n'), &client->bounds);
	if (!client->options.is_lmtp && str_same_nocase(name, client->options.hostname))
		return CLIENT_IS_SELF;
	return CLIENT_READY;
}

/* EHLO, or HELO where that is not known.  RFC 5321 §3.2. */
static enum client_outcome hello(struct client *client)
{
	SCOPED(buf_fini) struct buf text = BUF(EHLO_TEXT_MAX);
	struct str name = client->options.hello;

	conn_printf(client->conn, "%s %.*s\r\n",
		    client->options.is_lmtp ? "LHLO" : "EHLO", STR_FMT(name));
	if (read_reply(client, WAIT_HELLO, &text) != OK)
		return CLIENT_LOST;
	if (client->reply.code / 100 == 2)
		return take_offers(client, buf_str(&text));
	bool is_old = client->reply.code / 100 == 5 && !client->options.is_lmtp;

	buf_reset(&client->text);
	buf_add(&client->text, str_first(buf_str(&text), CLIENT_TEXT_MAX));
	if (!is_old)
		return CLIENT_REFUSED;
	client->offers = 0;
	conn_printf(client->conn, "HELO %.*s\r\n", STR_FMT(name));
	return command(client, WAIT_HELLO);
}

/* ---- TLS --------------------------------------------------------------------------- */

static enum client_outcome handshake(struct client *client)
{
	const struct client_options *options = &client->options;
	struct tls_outcome *outcome = &client->tls;

	client_deadline(client, WAIT_HELLO);
	client->is_tls_known = true;
	if (conn_starttls_peer(client->conn, options->tls, &options->demand.peer,
			       outcome) == OK)
		return CLIENT_READY;
	say(client, "The TLS handshake failed");
	if (outcome->why[0])
		buf_printf(&client->text, ": %s", outcome->why);
	if (outcome->flaw == TLS_FLAW_NONE)
		outcome->flaw = TLS_FLAW_VALIDATION;
	return CLIENT_NO_TLS;
}

static enum client_outcome unmet(struct client *client, const char *why)
{
	say(client, why);
	return CLIENT_TLS_UNMET;
}

static void not_offered(struct client *client)
{
	client->is_tls_known = true;
	client->tls.flaw = TLS_FLAW_NOT_OFFERED;
}

/* RFC 3207 §4.1, §4.2: after TLS everything begins anew. */
static enum client_outcome starttls(struct client *client)
{
	bool is_needed = client->options.demand.need != TLS_MAY;

	if (client->options.is_tls_implicit || client->options.is_tls_avoided)
		return CLIENT_READY;
	if (!(client->offers & OFFER_STARTTLS))
		not_offered(client);
	if (!(client->offers & OFFER_STARTTLS))
		return is_needed ? unmet(client, "TLS is required, and the server does "
						 "not offer it")
				 : CLIENT_READY;
	conn_add(client->conn, STR("STARTTLS\r\n"));
	enum client_outcome outcome = command(client, WAIT_HELLO);

	if (outcome == CLIENT_REFUSED)
		not_offered(client);
	if (outcome == CLIENT_REFUSED && is_needed)
		return unmet(client, "TLS is required, and the server refused to begin "
				     "it");
	if (outcome == CLIENT_REFUSED && !client->has_failed)
		return CLIENT_READY;
	if (outcome == CLIENT_READY)
		outcome = handshake(client);
	return outcome == CLIENT_READY ? hello(client) : outcome;
}

/* RFC 8689 §4.2.1: it must be offered after TLS. */
static enum client_outcome check_requiretls(struct client *client)
{
	if (!client->options.demand.is_requiretls || (client->offers & OFFER_REQUIRETLS))
		return CLIENT_READY;
	say(client, "The server does not support REQUIRETLS");
	return CLIENT_NO_REQUIRETLS;
}

/* ---- AUTH -------------------------------------------------------------------------- */

static void add_secret(struct client *client, const char *before, struct str secret)
{
	struct buf line = BUF(2048);

	buf_add_c(&line, before);
	base64_add(&line, secret);
	buf_add(&line, STR("\r\n"));
	conn_add(client->conn, buf_str(&line));
	explicit_bzero(line.ptr, line.len);
	buf_fini(&line);
}

/* RFC 4616 §2. */
static enum client_outcome auth_plain(struct client *client)
{
	const struct client_login *login = &client->options.login;
	struct buf secret = BUF(1024);

	buf_add_byte(&secret, '\0');
	buf_add(&secret, login->name);
	buf_add_byte(&secret, '\0');
	buf_add(&secret, login->password);
	add_secret(client, "AUTH PLAIN ", buf_str(&secret));
	explicit_bzero(secret.ptr, secret.len);
	buf_fini(&secret);
	return command(client, WAIT_HELLO);
}

/* An old draft that many servers know; both challenges are answered whatever they say. */
static enum client_outcome auth_login(struct client *client)
{
	const struct client_login *login = &client->options.login;

	conn_add(client->conn, STR("AUTH LOGIN\r\n"));
	if (client_reply(client, WAIT_HELLO) != OK)
		return CLIENT_LOST;
	if (client->reply.code != 334)
		return CLIENT_REFUSED;
	add_secret(client, "", login->name);
	if (client_reply(client, WAIT_HELLO) != OK)
		return CLIENT_LOST;
	if (client->reply.code != 334)
		return CLIENT_REFUSED;
	add_secret(client, "", login->password);
	return command(client, WAIT_HELLO);
}

/* A password goes over TLS only, or to this same machine. */
static enum client_outcome authenticate(struct client *client)
{
	if (client->options.login.name.len == 0)
		return CLIENT_READY;
	if (!conn_is_tls(client->conn))
		return unmet(client, "A password is set for this server, and it does not "
				     "offer TLS");
	if (client->offers & OFFER_AUTH_SCRAM)
		return scram_login(client);
	if (client->offers & OFFER_AUTH_PLAIN)
		return auth_plain(client);
	if (client->offers & OFFER_AUTH_LOGIN)
		return auth_login(client);
	return unmet(client, "A password is set for this server, and it offers none of "
			     "AUTH SCRAM-SHA-256, PLAIN and LOGIN");
}

/* ---- all of it --------------------------------------------------------------------- */

enum client_outcome client_open(struct client *client, struct conn *conn, struct str host,
				const struct client_options *options)
{
	enum client_outcome outcome = CLIENT_READY;

	*client = (struct client){.conn = conn, .host = host, .options = *options};
	client->text = BUF(REPLY_LINE_BYTES);
	if (options->is_tls_implicit)
		outcome = handshake(client);
	if (outcome == CLIENT_READY)
		outcome = command(client, WAIT_GREETING);
	if (outcome == CLIENT_READY)
		outcome = hello(client);
	if (outcome == CLIENT_READY)
		outcome = starttls(client);
	if (outcome == CLIENT_READY)
		outcome = check_requiretls(client);
	if (outcome == CLIENT_READY)
		outcome = authenticate(client);
	return outcome;
}

void client_close(struct client *client)
{
	if (!client->conn)
		return;
	if (!client->has_failed)
		conn_add(client->conn, STR("QUIT\r\n"));
	conn_free(&client->conn);
	buf_fini(&client->text);
}
