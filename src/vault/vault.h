/* The vault as the others see it: "is this the password?", "sign this handshake", "which
 * ticket keys?".  It holds all secrets and gives none away; what it gives are grants.
 * Calls may suspend, except vault_sign().
 */
#pragma once

#include "base/buf.h"
#include "net/tally.h"

struct vault;
struct tls_proof;

enum vault_outcome {
	VAULT_OK,
	VAULT_REFUSED, /* wrong password, no password, or frozen: never says which */
	VAULT_LATER,   /* too busy, restarting, or the disk refuses: try again */
	VAULT_DENIED,  /* this channel may not ask that */
	VAULT_BANNED,  /* too many failures lately, there or for this account */
	VAULT_CROWDED, /* the secret is right, but the account has too many sessions */
};
enum { VAULT_OUTCOME_LAST = VAULT_CROWDED, VAULT_COUNTS_MAX = 1000 };

/* Somebody who tries to log in. */
struct vault_caller {
	uint32_t account; /* a number that no account has, for a name that does not exist:
			   * all costs the same then */
	struct str peer;  /* the client's address, as text */
	uint64_t session;
};

/* What a secret that was shown came to. */
struct vault_answer {
	struct buf *grant;     /* on OK: for this door's channel and session; appended */
	struct buf *signature; /* on OK, of SCRAM: the server's; appended */
	uint64_t delay_ms;     /* on REFUSED: how late to say so */
};

/* fd is a channel to the vault process, owned from here on; -1: not yet. */
struct vault *vault_open(int fd);
void vault_close(struct vault **vault);
void vault_reconnect(struct vault *vault, int fd);

/* Is this the account's password?  A recent success is answered from memory in
 * microseconds, else it costs one Argon2id.  Failures are counted by address and by
 * account (vaultd/throttle.h); sessions too, as vault_counts() tells of them. */
enum vault_outcome vault_verify(struct vault *vault, const struct vault_caller *caller,
				struct str password, struct vault_answer *answer);

/* SCRAM-SHA-256, RFC 5802: what the server's first message holds.  A name without such
 * keys (account 0, or an account without password) gets a salt as good as any, always the
 * same. */
enum {
	VAULT_SCRAM_SALT_BYTES = 16,
	VAULT_SCRAM_NONCE_BYTES = 48,
	VAULT_SCRAM_PROOF_BYTES = 32,
};
struct vault_scram {
	uint32_t iterations;
	char salt[VAULT_SCRAM_SALT_BYTES];
	char nonce[VAULT_SCRAM_NONCE_BYTES]; /* the server's part */
};
/* What has been said, for the AuthMessage (RFC 5802 §3). */
struct vault_scram_proof {
	struct str client_first_bare;
	struct str nonce; /* client's and server's */
	struct str final_without_proof;
	struct str proof; /* 32 octets */
};
enum vault_outcome vault_scram_begin(struct vault *vault,
				     const struct vault_caller *caller, struct str name,
				     struct vault_scram *begun);
/* Like vault_verify().  Only a nonce that this session was given for this account in the
 * last two minutes is good. The door has compared the channel binding. */
enum vault_outcome vault_scram_prove(struct vault *vault,
				     const struct vault_caller *caller,
				     const struct vault_scram_proof *proof,
				     struct vault_answer *answer);

/* The place where all doors' counts come together.  Tells up to VAULT_COUNTS_MAX counts
 * of this door; on OK each is replaced by what the other doors have of that key.  What
 * was told is forgotten when the channel ends: after vault_reconnect() all is to be told.
 */
enum vault_outcome vault_counts(struct vault *vault, struct tally_item *items,
				size_t count);
/* Waits for what other doors have much of (TALLY_MUCH) and this one has not heard of yet:
 * *count of them, at most VAULT_COUNTS_MAX; also none, after a while. */
enum vault_outcome vault_hot_counts(struct vault *vault, struct tally_item *items,
				    size_t *count);
/* The key by which an account's sessions are counted. */
struct tally_key vault_account_key(uint32_t account);

/* Whose TLS client was this (net/tls_proof.h)?  The vault knows only certificates that
 * were registered, each for one account, and checks itself that the client has signed
 * with its key and that it has not run out.  On OK like vault_verify(). */
enum vault_outcome vault_prove_certificate(struct vault *vault,
					   const struct tls_proof *proof,
					   const struct vault_caller *caller,
					   uint32_t *account,
					   struct vault_answer *answer);
/* Registers the first certificate of the PEM text, or forgets it, which raises the
 * credential generation.  REFUSED: there is none in it; it is another account's, or the
 * account has a hundred; or it was not there. */
enum vault_outcome vault_add_certificate(struct vault *vault, uint32_t account,
					 struct str pem);
enum vault_outcome vault_remove_certificate(struct vault *vault, uint32_t account,
					    struct str pem);
/* Appends the SHA-256 of each, 32 octets. */
enum { VAULT_FINGERPRINT_BYTES = 32 };
enum vault_outcome vault_list_certificates(struct vault *vault, uint32_t account,
					   struct buf *fingerprints);

/* Durable when OK.  Raises the credential generation, so grants made before die. REFUSED:
 * it cannot be a password (text/saslprep.h).  SCRAM's clients prepare it likewise. */
enum vault_outcome vault_set_password(struct vault *vault, uint32_t account,
				      struct str password);
/* The account gets the same stored hash and keys as from_account, without hashing again.
 */
enum vault_outcome vault_share_password(struct vault *vault, uint32_t account,
					uint32_t from_account);
/* Forgets the account's secrets and certificates and raises its generation. */
enum vault_outcome vault_forget(struct vault *vault, uint32_t account);

/* Writes all that the vault keeps, as it keeps it, to fd (a file; it stays the caller's):
 * for a backup by who may read its folder anyway. */
enum vault_outcome vault_copy(struct vault *vault, int fd);

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

/* DKIM keys, one for each domain and selector (both in ASCII).  The private half never
 * leaves the vault. */
enum vault_dkim_kind { VAULT_DKIM_RSA, VAULT_DKIM_ED25519 };
struct vault_dkim {
	struct str domain, selector;
};
enum { VAULT_DKIM_HASH_BYTES = 32 };
/* Makes one, RSA of 2,048 bits; durable when OK.  Appends the TXT record to be published
 * at SELECTOR._domainkey.DOMAIN.  REFUSED: that selector has one, or there is no such
 * name. */
enum vault_outcome vault_make_dkim(struct vault *vault, const struct vault_dkim *name,
				   enum vault_dkim_kind kind, struct buf *record);
/* Appends the record of a key that is there; REFUSED if it is not. */
enum vault_outcome vault_dkim_record(struct vault *vault, const struct vault_dkim *name,
				     struct buf *record);
/* For whom: somebody who has logged in and hands in a mail.  The author is LOCAL at the
 * domain that signs; an address of it must lead to the account. */
struct vault_author {
	uint32_t account; /* 0: nobody; a mail of this server, or of a program here */
	struct str grant; /* that the account's door was given */
	struct str local;
};
/* Appends the signature over the hash (RFC 6376 §3.3, RFC 8463 §3); REFUSED without such
 * a key; DENIED if the author is not the account's, or may not send now.  author NULL:
 * nobody.  For who carries mail. */
enum vault_outcome vault_sign_dkim(struct vault *vault, const struct vault_dkim *name,
				   const struct vault_author *author,
				   const unsigned char hash[VAULT_DKIM_HASH_BYTES],
				   struct buf *signature);
/* Deletes a key; durable when OK, also if there was none. */
enum vault_outcome vault_forget_dkim(struct vault *vault, const struct vault_dkim *name);

/* How to sign: the octets given are a digest for ECDSA, a padded block for RSA. */
enum vault_sign_kind { VAULT_SIGN_ECDSA, VAULT_SIGN_RSA_RAW };
/* Signs with the key of that id; false if refused or gone.  Blocks (at most 5 s) on a
 * socket of its own, sign_fd, since a TLS handshake cannot suspend. */
bool vault_sign(int sign_fd, struct str key_id, enum vault_sign_kind kind,
		struct str input, struct buf *signature);
