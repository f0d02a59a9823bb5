#include "mta/scram_login.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/rand.h"
#include "net/conn.h"
#include "text/saslprep.h"
#include "wire/auth/scram.h"

enum {
	NONCE_RAW = 18,
	LETTERS_MAX = 4096, /* of a message in base64 */
	MESSAGE_MAX = 3 * 1024,
	ITERATIONS_MAX = 200000, /* a tenth of a second, in which nothing else happens */
	ARENA_BYTES = 16 * 1024,
};

static void hmac(const unsigned char key[SCRAM_HASH_BYTES], struct str text,
		 unsigned char out[SCRAM_HASH_BYTES])
{
	unsigned len = 0;

	ASSERT(HMAC(EVP_sha256(), key, SCRAM_HASH_BYTES, (const unsigned char *)text.ptr,
		    text.len, out, &len) &&
	       len == SCRAM_HASH_BYTES);
}

/* RFC 5802 §3. */
bool scram_prove(struct str password, struct str salt, uint32_t iterations,
		 struct str auth_message, struct scram_proof *proof)
{
	unsigned char salted[SCRAM_HASH_BYTES], key[SCRAM_HASH_BYTES];
	unsigned char stored[SCRAM_HASH_BYTES];

	if (PKCS5_PBKDF2_HMAC(password.ptr, (int)password.len,
			      (const unsigned char *)salt.ptr, (int)salt.len,
			      (int)iterations, EVP_sha256(), SCRAM_HASH_BYTES,
			      salted) != 1)
		return false;
	hmac(salted, STR("Client Key"), key);
	(void)SHA256(key, sizeof key, stored);
	hmac(stored, auth_message, proof->proof);
	for (size_t i = 0; i < SCRAM_HASH_BYTES; i++)
		proof->proof[i] ^= key[i];
	hmac(salted, STR("Server Key"), key);
	hmac(key, auth_message, proof->signature);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(key, sizeof key);
	return true;
}

/* One exchange; all in the arena or in buffers of scram_login(). */
struct exchange {
	struct client *client;
	struct arena *arena;
	struct buf header, bare, final, channel; /* header: GS2's */
	struct str nonce;                        /* ours */
	struct scram_proof proof;
};

static enum client_outcome fail(struct client *client, const char *why)
{
	buf_reset(&client->text);
	buf_add_c(&client->text, why);
	client->has_failed = true;
	return CLIENT_LOST;
}

static void say(struct exchange *x, const char *before, struct str message)
{
	SCOPED(buf_fini) struct buf line = BUF(LETTERS_MAX);

	buf_add_c(&line, before);
	base64_add(&line, message);
	buf_add(&line, STR("\r\n"));
	conn_add(x->client->conn, buf_str(&line));
}

/* What is in a 334 reply. */
static bool hear(struct exchange *x, struct str *message)
{
	SCOPED(buf_fini) struct buf out = BUF(MESSAGE_MAX);

	return client_reply(x->client, WAIT_HELLO) == OK &&
	       x->client->reply.code == 334 &&
	       base64_decode(buf_str(&x->client->text), &out) &&
	       arena_copy(x->arena, buf_str(&out), message);
}

/* "y" tells a server that somebody took its -PLUS out of the list.  RFC 5802 §6. */
static void begin(struct exchange *x)
{
	bool can_bind = conn_tls_exporter(x->client->conn, &x->channel);
	bool is_bound = can_bind && (x->client->offers & OFFER_AUTH_SCRAM_PLUS);
	enum gs2_binding binding = GS2_NO_BINDING;
	SCOPED(buf_fini) struct buf first = BUF(MESSAGE_MAX);

	if (is_bound)
		binding = GS2_BINDING_USED;
	else if (can_bind)
		binding = GS2_BINDING_UNSEEN;
	if (!is_bound)
		buf_reset(&x->channel);
	gs2_header_add(&x->header, binding, GS2_TLS_EXPORTER, STR(""));
	scram_client_first_bare_add(&x->bare, x->client->options.login.name, x->nonce);
	buf_add(&first, buf_str(&x->header));
	buf_add(&first, buf_str(&x->bare));
	say(x, is_bound ? "AUTH SCRAM-SHA-256-PLUS " : "AUTH SCRAM-SHA-256 ",
	    buf_str(&first));
}

static bool prove(struct exchange *x, struct str server_first,
		  const struct scram_server_first *first)
{
	SCOPED(buf_fini) struct buf password = BUF(1024), message = BUF(MESSAGE_MAX * 3);
	struct str given = x->client->options.login.password;

	scram_final_without_proof_add(&x->final, buf_str(&x->header),
				      buf_str(&x->channel), first->nonce);
	scram_auth_message_add(&message, buf_str(&x->bare), server_first,
			       buf_str(&x->final));
	if (!saslprep_add(&password, given)) { /* then as it is */
		buf_reset(&password);
		buf_add(&password, given);
	}
	bool is_made = buf_ok(&password) && buf_ok(&message) && buf_ok(&x->final) &&
		       scram_prove(buf_str(&password), first->salt, first->iterations,
				   buf_str(&message), &x->proof);

	if (password.ptr)
		explicit_bzero(password.ptr, password.room);
	if (is_made)
		scram_proof_add(&x->final, x->proof.proof);
	return is_made && buf_ok(&x->final);
}

/* The server's signature, and then 235.  RFC 4954 §4: it comes in a 334 of its own. */
static enum client_outcome finish(struct exchange *x)
{
	struct client *client = x->client;
	struct scram_server_final final;
	struct str message;

	if (!hear(x, &message)) /* refused, or lost */
		return client->reply.code >= 400
			       ? CLIENT_REFUSED
			       : fail(client, "The server breaks off the "
					      "log-in");
	if (!scram_server_final_parse(message, &final))
		return fail(client, "The server breaks off the log-in");
	if (final.error == SCRAM_FINE &&
	    !str_same_secret(
		    (struct str){(const char *) final.signature, SCRAM_HASH_BYTES},
		    (struct str){(const char *)x->proof.signature, SCRAM_HASH_BYTES}))
		return fail(client, "The server does not know the password that is set "
				    "for it; it may be another's");
	conn_add(client->conn, STR("\r\n"));
	if (client_reply(client, WAIT_HELLO) != OK)
		return CLIENT_LOST;
	return client->reply.code / 100 == 2 && final.error == SCRAM_FINE
		       ? CLIENT_READY
		       : CLIENT_REFUSED;
}

static enum client_outcome run(struct exchange *x)
{
	struct client *client = x->client;
	struct scram_server_first first;
	struct str server_first;

	begin(x);
	if (!hear(x, &server_first))
		return client->reply.code >= 400
			       ? CLIENT_REFUSED
			       : fail(client, "The server breaks off the "
					      "log-in");
	if (scram_server_first_parse(server_first, x->nonce, x->arena, &first) !=
	    SCRAM_FINE)
		return fail(client, "The server's log-in cannot be understood");
	if (first.iterations > ITERATIONS_MAX)
		return fail(client, "The server wants more work for a log-in than we do");
	if (!prove(x, server_first, &first))
		return fail(client, "The log-in cannot be computed");
	say(x, "", buf_str(&x->final));
	return finish(x);
}

enum client_outcome scram_login(struct client *client)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf nonce = BUF(64);
	unsigned char chance[NONCE_RAW];
	struct exchange x = {.client = client,
			     .arena = &arena,
			     .header = BUF(64),
			     .bare = BUF(MESSAGE_MAX),
			     .final = BUF(MESSAGE_MAX),
			     .channel = BUF(64)};

	arena_init(&arena, ARENA_BYTES);
	rand_bytes(chance, sizeof chance);
	base64_add(&nonce, (struct str){(const char *)chance, sizeof chance});
	x.nonce = buf_str(&nonce);
	enum client_outcome outcome = run(&x);

	buf_fini(&x.header);
	buf_fini(&x.bare);
	buf_fini(&x.final);
	buf_fini(&x.channel);
	return outcome;
}
