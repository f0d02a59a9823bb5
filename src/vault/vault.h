/* The vault as the others see it: "is this the password?", "sign this handshake", "which
 * ticket keys?".  It holds all secrets and gives none away; what it gives are grants.
 * Calls may suspend, except vault_sign().
 */
#pragma once

#include "base/buf.h"
#include "rt/task.h"

struct vault;

enum vault_outcome {
	VAULT_OK,
	VAULT_REFUSED, /* wrong password, no password, or frozen: never says which */
	VAULT_LATER,   /* too busy, restarting, or the disk refuses: try again */
	VAULT_DENIED,  /* this channel may not ask that */
};

/* fd is a channel to the vault process, owned from here on; -1: not yet. */
struct vault *vault_open(int fd);
void vault_close(struct vault **vault);
void vault_reconnect(struct vault *vault, int fd);

/* Is this the account's password?  account 0 stands for a name that does not exist and
 * costs the same time.  peer is the client's address, for fair queueing.  On OK a grant
 * for this door's channel and session is appended to grant.  A recent success is answered
 * from memory in microseconds, else it costs one Argon2id. */
enum vault_outcome vault_verify(struct vault *vault, uint32_t account,
				struct str password, struct str peer, uint64_t session,
				struct buf *grant);

/* Durable when OK.  Raises the credential generation, so grants made before die. */
enum vault_outcome vault_set_password(struct vault *vault, uint32_t account,
				      struct str password);
/* The account gets the same stored hash as from_account, without hashing again. */
enum vault_outcome vault_share_password(struct vault *vault, uint32_t account,
					uint32_t from_account);
/* Forgets the account's secrets and raises its generation. */
enum vault_outcome vault_forget(struct vault *vault, uint32_t account);

/* The certificate chain (PEM) for a host name, with the id of its key.  The vault makes a
 * self-signed one if it has none for that name. */
enum vault_outcome vault_certificate(struct vault *vault, struct str host,
				     struct buf *chain_pem, struct buf *key_id);
/* Takes over a certificate and private key (PEM) for a host name. */
enum vault_outcome vault_import_certificate(struct vault *vault, struct str host,
					    struct str chain_pem, struct str key_pem);
/* The session-ticket keys of now and of before (80 octets each: name 16, AES 32, HMAC
 * 32); they rotate, so ask again every hour. */
enum vault_outcome vault_ticket_keys(struct vault *vault, struct buf *keys);

/* How to sign: the octets given are a digest for ECDSA, a padded block for RSA. */
enum vault_sign_kind { VAULT_SIGN_ECDSA, VAULT_SIGN_RSA_RAW };
/* Signs with the key of that id; false if refused or gone.  Blocks (at most 5 s) on a
 * socket of its own, sign_fd, since a TLS handshake cannot suspend. */
bool vault_sign(int sign_fd, struct str key_id, enum vault_sign_kind kind,
		struct str input, struct buf *signature);
