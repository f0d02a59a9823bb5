/* Logging in at a server of the settings by SCRAM-SHA-256, bound to the TLS connection
 * where both sides can: the password itself is never said, and the server must show that
 * it knows it.  RFC 5802, RFC 7677, RFC 9266, RFC 4954 §4. */
#pragma once

#include "mta/client.h"

/* May suspend.  Of what the server has offered, -PLUS first.  CLIENT_LOST with text where
 * the server cannot be believed. */
enum client_outcome scram_login(struct client *client);

/* The keys of one exchange, for its test: from the password to the proof.  False if
 * OpenSSL cannot. */
struct scram_proof {
	unsigned char proof[32], signature[32]; /* ours; what the server must show */
};
[[nodiscard]] bool scram_prove(struct str password, struct str salt, uint32_t iterations,
			       struct str auth_message, struct scram_proof *proof);
