/* The messages of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides; only their text: who
 * hashes and compares is elsewhere (vault).  RFC 5802, RFC 7677, RFC 9266.
 *
 * The server's side:
 *   scram_client_first_parse(), scram_binding_check(), scram_server_first_add(),
 *   scram_client_final_parse(), scram_final_check(), scram_auth_message_add(),
 *   [the proof], scram_server_final_add() or scram_error_add()
 *
 * What is parsed borrows from the message, and what had to be decoded is in the arena.
 * Messages are without their base64 here (sasl_line_decode()). */
#pragma once

#include "wire/auth/gs2.h"

enum {
	SCRAM_HASH_BYTES = 32,          /* SHA-256 */
	SCRAM_ITERATIONS_MAX = 1 << 24, /* more, and a server wants to keep us busy */
};

/* server-error-value of RFC 5802 §7. */
enum scram_error {
	SCRAM_FINE,
	SCRAM_INVALID_ENCODING,
	SCRAM_EXTENSIONS_NOT_SUPPORTED,
	SCRAM_INVALID_PROOF,
	SCRAM_BINDINGS_DONT_MATCH,
	SCRAM_SERVER_DOES_SUPPORT_BINDING,
	SCRAM_BINDING_NOT_SUPPORTED,
	SCRAM_UNSUPPORTED_BINDING_TYPE,
	SCRAM_UNKNOWN_USER,
	SCRAM_INVALID_USERNAME_ENCODING,
	SCRAM_NO_RESOURCES,
	SCRAM_OTHER_ERROR, /* and every value we do not know */
};

enum scram_mechanism { SCRAM_SHA_256, SCRAM_SHA_256_PLUS };

struct scram_client_first {
	struct gs2_header gs2;
	struct str bare;     /* all after the header, for the AuthMessage */
	struct str username; /* not prepared; UTF-8, not empty */
	struct str nonce;    /* what the client made of it */
};

struct scram_client_final {
	struct str binding;       /* base64 of what scram_final_check() expects */
	struct str nonce;         /* client's and server's */
	struct str without_proof; /* for the AuthMessage */
	unsigned char proof[SCRAM_HASH_BYTES];
};

struct scram_server_first {
	struct str nonce, salt;
	uint32_t iterations;
};

struct scram_server_final {
	enum scram_error error; /* SCRAM_FINE: there is a signature */
	unsigned char signature[SCRAM_HASH_BYTES];
};

/* printable = %x21-2B / %x2D-7E, one or more.  RFC 5802 §7. */
bool scram_nonce_is_valid(struct str nonce);

/* The server's side.  Anything but SCRAM_FINE ends the exchange; *first is unchanged. */
enum scram_error scram_client_first_parse(struct str message, struct arena *arena,
					  struct scram_client_first *first);
/* Whether the client's wish to bind goes with the mechanism it chose and with what we
 * offered: offered is SCRAM_SHA_256_PLUS if that was in the list.  RFC 5802 §6. */
enum scram_error scram_binding_check(const struct scram_client_first *first,
				     enum scram_mechanism chosen,
				     enum scram_mechanism offered);
/* salt is raw; nonces are printable ASCII without commas. */
void scram_server_first_add(struct buf *buf, struct str client_nonce,
			    struct str server_nonce, struct str salt,
			    uint32_t iterations);
enum scram_error scram_client_final_parse(struct str message,
					  struct scram_client_final *final);
/* Whether the nonce is the one we sent (both parts) and the binding is the header of the
 * first message with the octets of the channel; channel_data is "" without binding.
 * RFC 5802 §5.1, §6. */
enum scram_error scram_final_check(const struct scram_client_final *final,
				   const struct scram_client_first *first,
				   struct str nonce, struct str channel_data);
void scram_server_final_add(struct buf *buf,
			    const unsigned char signature[SCRAM_HASH_BYTES]);
/* error is not SCRAM_FINE. */
void scram_error_add(struct buf *buf, enum scram_error error);

/* Both sides: AuthMessage, which the proof and the signature are made over. */
void scram_auth_message_add(struct buf *buf, struct str client_first_bare,
			    struct str server_first, struct str final_without_proof);

/* The client's side.  The header is gs2_header_add()'s; client-first-message is the
 * header and then the bare part. */
void scram_client_first_bare_add(struct buf *buf, struct str username, struct str nonce);
/* Anything but SCRAM_FINE, also a nonce that does not go on after ours, ends it. */
enum scram_error scram_server_first_parse(struct str message, struct str client_nonce,
					  struct arena *arena,
					  struct scram_server_first *first);
/* nonce is the server's whole one; channel_data is "" without binding. */
void scram_final_without_proof_add(struct buf *buf, struct str gs2_header,
				   struct str channel_data, struct str nonce);
/* Appended to the above, it makes the client-final-message. */
void scram_proof_add(struct buf *buf, const unsigned char proof[SCRAM_HASH_BYTES]);
/* False if the message is neither a signature nor an error. */
[[nodiscard]] bool scram_server_final_parse(struct str message,
					    struct scram_server_final *final);
