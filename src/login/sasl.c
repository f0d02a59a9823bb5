#include "login/sasl.h"

#include "base/base64.h"
#include "base/log.h"
#include "net/conn.h"
#include "net/tls_proof.h"

enum {
	MESSAGE_MAX = 16 * 1024, /* a line of AUTH */
	ARENA_MAX = 128 * 1024,
	BINDING_MAX = 128,
};

bool login_offers_external(const struct conn *conn)
{
	struct tls_proof proof;

	return conn_tls_proof(conn, &proof);
}

const char *login_mechanisms(const struct conn *conn)
{
	if (login_offers_external(conn))
		return "EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN";
	return conn_is_tls(conn) ? "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"
				 : "SCRAM-SHA-256 PLAIN LOGIN";
}

enum sasl_mechanism login_mechanism_find(const struct conn *conn, struct str name)
{
	enum sasl_mechanism found = sasl_mechanism_find(name);

	if ((found == SASL_SCRAM_SHA_256_PLUS && !conn_is_tls(conn)) ||
	    (found == SASL_EXTERNAL && !login_offers_external(conn)))
		return SASL_OTHER;
	return found;
}

const char *login_refusal(enum sasl_mechanism mechanism)
{
	return mechanism == SASL_EXTERNAL
		       ? "Your certificate is not registered for that account; log in "
			 "with your password"
		       : "Name or password is wrong; check both and try again";
}

static bool is_scram(const struct login_sasl *x)
{
	return x->mechanism == SASL_SCRAM_SHA_256 ||
	       x->mechanism == SASL_SCRAM_SHA_256_PLUS;
}

void login_sasl_init(struct login_sasl *x, const struct login_service *service,
		     const struct login_client *client, enum sasl_mechanism mechanism)
{
	*x = (struct login_sasl){.service = service,
				 .client = *client,
				 .mechanism = mechanism,
				 .challenge = "",
				 .message = BUF(MESSAGE_MAX),
				 .text = BUF(2 * MESSAGE_MAX)};
	arena_init(&x->arena, ARENA_MAX);
	sasl_init(&x->plain, mechanism);
}

void login_sasl_fini(struct login_sasl *x)
{
	sasl_fini(&x->plain);
	buf_fini(&x->message); /* SCRAM sends no secret */
	buf_fini(&x->text);
	arena_fini(&x->arena);
}

/* ---- PLAIN and LOGIN --------------------------------------------------------------- */

static enum login_state plain_state(struct login_sasl *x, enum sasl_state state)
{
	switch (state) {
	case SASL_ASK:
		x->challenge = x->plain.challenge;
		return LOGIN_ASK;
	case SASL_READY:
		x->outcome = login_try(x->service, x->plain.name, x->plain.password,
				       &x->client, &x->login);
		return LOGIN_OVER;
	case SASL_CANCELED:
		return LOGIN_CANCELED;
	case SASL_NOT_BASE64:
		return LOGIN_NOT_BASE64;
	case SASL_MALFORMED:
		return LOGIN_MALFORMED;
	case SASL_FOR_OTHER:
		break;
	}
	return LOGIN_FOR_OTHER;
}

/* ---- SCRAM ------------------------------------------------------------------------- */

static enum login_state ask(struct login_sasl *x, struct str message)
{
	buf_reset(&x->text);
	base64_add(&x->text, message);
	buf_add_byte(&x->text, '\0');
	x->challenge = buf_ok(&x->text) ? x->text.ptr : "";
	return LOGIN_ASK;
}

static enum login_state over(struct login_sasl *x, enum login_outcome outcome)
{
	x->outcome = outcome;
	return LOGIN_OVER;
}

static enum scram_mechanism offered(const struct login_sasl *x)
{
	return conn_is_tls(x->client.conn) ? SCRAM_SHA_256_PLUS : SCRAM_SHA_256;
}

/* The binding does not fit: somebody may be between us, or took -PLUS out of our list. */
static enum login_state unbound(struct login_sasl *x)
{
	LOG(WARN, "login refused", KV_INT("session", x->client.session),
	    KV_STR("peer", conn_peer(x->client.conn)), KV("why", "channel binding"));
	return over(x, LOGIN_REFUSED);
}

/* client-first-message -> server-first-message. */
static enum login_state scram_first(struct login_sasl *x)
{
	struct scram_client_first *first = &x->first;
	struct vault_scram begun;
	struct str message;

	if (!arena_copy(&x->arena, buf_str(&x->message), &message) ||
	    scram_client_first_parse(message, &x->arena, first) != SCRAM_FINE)
		return LOGIN_MALFORMED;
	if (first->gs2.authzid.len > 0 &&
	    !str_same_nocase(first->gs2.authzid, first->username))
		return LOGIN_FOR_OTHER;
	if (scram_binding_check(first,
				x->mechanism == SASL_SCRAM_SHA_256_PLUS
					? SCRAM_SHA_256_PLUS
					: SCRAM_SHA_256,
				offered(x)) != SCRAM_FINE)
		return unbound(x);
	enum login_outcome outcome = login_scram_begin(x->service, first->username,
						       &x->client, &x->account, &begun);

	if (outcome != LOGIN_OK)
		return over(x, outcome);
	struct str ours = {begun.nonce, sizeof begun.nonce};

	x->nonce =
		arena_printf(&x->arena, "%.*s%.*s", STR_FMT(first->nonce), STR_FMT(ours));
	if (x->nonce.len == 0)
		return LOGIN_MALFORMED;
	buf_reset(&x->message);
	scram_server_first_add(&x->message, first->nonce, ours,
			       (struct str){begun.salt, sizeof begun.salt},
			       begun.iterations);
	x->step = SCRAM_AT_FINAL;
	return ask(x, buf_str(&x->message));
}

/* The octets of the channel that the client must have seen as well. */
static bool channel_data(const struct login_sasl *x, struct buf *out)
{
	if (x->first.gs2.binding != GS2_BINDING_USED)
		return true;
	switch (x->first.gs2.channel) {
	case GS2_TLS_EXPORTER:
		return conn_tls_exporter(x->client.conn, out);
	case GS2_TLS_SERVER_END_POINT:
		return conn_tls_end_point(x->client.conn, out);
	case GS2_CHANNEL_OTHER:
		break;
	}
	return false;
}

/* client-final-message -> server-final-message. */
static enum login_state scram_final(struct login_sasl *x)
{
	SCOPED(buf_fini) struct buf channel = BUF(BINDING_MAX);
	SCOPED(buf_fini) struct buf signature = BUF(VAULT_SCRAM_PROOF_BYTES);
	struct scram_client_final final;
	struct str message;

	if (!arena_copy(&x->arena, buf_str(&x->message), &message) ||
	    scram_client_final_parse(message, &final) != SCRAM_FINE)
		return LOGIN_MALFORMED;
	if (!channel_data(x, &channel) ||
	    scram_final_check(&final, &x->first, x->nonce, buf_str(&channel)) !=
		    SCRAM_FINE)
		return unbound(x);
	const struct vault_scram_proof said = {
		.client_first_bare = x->first.bare,
		.nonce = x->nonce,
		.final_without_proof = final.without_proof,
		.proof = {(const char *) final.proof, sizeof final.proof}};

	x->outcome = login_scram_prove(x->service, x->first.username, &x->client,
				       x->account, &said, &signature, &x->login);
	if (x->outcome != LOGIN_OK || signature.len != VAULT_SCRAM_PROOF_BYTES)
		return LOGIN_OVER;
	buf_reset(&x->message);
	unsigned char shown[VAULT_SCRAM_PROOF_BYTES];

	memcpy(shown, signature.ptr, sizeof shown);
	scram_server_final_add(&x->message, shown);
	x->step = SCRAM_AT_END;
	return ask(x, buf_str(&x->message));
}

/* The client has seen our signature and says nothing more; one that does not like it
 * gives up, and is not logged in. */
static enum login_state scram_end(struct login_sasl *x)
{
	if (x->message.len == 0)
		return LOGIN_OVER;
	login_end(x->service, &x->login);
	return LOGIN_MALFORMED;
}

static enum login_state scram_line(struct login_sasl *x, enum sasl_line line)
{
	switch (line) {
	case SASL_LINE_DATA:
		break;
	case SASL_LINE_CANCEL:
		login_end(x->service, &x->login);
		return LOGIN_CANCELED;
	case SASL_LINE_BAD:
		login_end(x->service, &x->login);
		return LOGIN_NOT_BASE64;
	}
	switch (x->step) {
	case SCRAM_AT_FIRST:
		return scram_first(x);
	case SCRAM_AT_FINAL:
		return scram_final(x);
	case SCRAM_AT_END:
		break;
	}
	return scram_end(x);
}

/* ---- EXTERNAL ---------------------------------------------------------------------- */

static enum login_state external(struct login_sasl *x)
{
	struct str authzid = buf_str(&x->message);
	struct tls_proof proof;

	if (!sasl_external_is_valid(authzid))
		return LOGIN_MALFORMED;
	if (!conn_tls_proof(x->client.conn, &proof))
		return over(x, LOGIN_REFUSED);
	return over(x,
		    login_external(x->service, authzid, &x->client, &proof, &x->login));
}

static enum login_state external_line(struct login_sasl *x, enum sasl_line line)
{
	switch (line) {
	case SASL_LINE_DATA:
		return external(x);
	case SASL_LINE_CANCEL:
		return LOGIN_CANCELED;
	case SASL_LINE_BAD:
		break;
	}
	return LOGIN_NOT_BASE64;
}

static enum login_state taken(struct login_sasl *x, enum sasl_line line)
{
	return is_scram(x) ? scram_line(x, line) : external_line(x, line);
}

static bool is_plain(const struct login_sasl *x)
{
	return x->mechanism == SASL_PLAIN || x->mechanism == SASL_LOGIN;
}

enum login_state login_sasl_first(struct login_sasl *x, struct str initial)
{
	if (is_plain(x))
		return plain_state(x, sasl_first(&x->plain, initial));
	if (initial.len == 0)
		return LOGIN_ASK;
	return taken(x, sasl_initial_decode(initial, &x->message));
}

enum login_state login_sasl_answer(struct login_sasl *x, struct str line)
{
	if (is_plain(x))
		return plain_state(x, sasl_answer(&x->plain, line));
	return taken(x, sasl_line_decode(line, &x->message));
}
