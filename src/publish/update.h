/* Putting records into a zone: dynamic update (RFC 2136), signed with TSIG (RFC 8945).
 *
 * The operator names the server and gives the key, so this runs where the operator's
 * command runs.  Messages are made and read by libldns, which is small, kept by the
 * authors of libunbound, and does both update and TSIG.  What the server answers counts
 * only if the key has signed it.
 *
 * Each set of records is asked for first.  The update says what was there, so that the
 * server refuses it if somebody else has changed that meanwhile.  Only what is ours is
 * taken away: texts of the same version, keys at our selectors, TLSA records of keys that
 * this server has no more once its own are in the DNS, and services that lead to it.
 */
#pragma once

#include "net/address.h"
#include "publish/check.h"

struct update;

struct update_key {
	struct str name, secret; /* the secret in base64 */
};
enum { UPDATE_KEY_FILE_MAX = 16 * 1024 };

/* The key of a file as tsig-keygen and ddns-confgen write it, or as "ALGORITHM:NAME:
 * SECRET", which may follow a "#".  Slices live in arena.  False: there is none in it, or
 * its algorithm is not hmac-sha256. */
[[nodiscard]] bool update_key_parse(struct str text, struct arena *arena,
				    struct update_key *key);

/* Each may suspend, for some seconds; on failure *why is a sentence, in arena. */

/* Asks the server for the zone that the name is in.  The key outlives *update. */
[[nodiscard]] err_t update_open(const struct address *server,
				const struct update_key *key, struct str name,
				struct arena *arena, struct update **update,
				struct str *why);
void update_close(struct update **update);
/* Finds out what has to change. */
[[nodiscard]] err_t update_prepare(struct update *update, const struct publish_plan *plan,
				   const struct publish_report *report,
				   struct arena *arena, struct str *why);
/* How many records come and go. */
size_t update_count(const struct update *update);
/* "+ ..." and "- ...", a line each. */
void update_print(const struct update *update, struct buf *out);
/* Makes the change, all of it or nothing.  ERR_DENIED: the server refuses, or
 * somebody else was faster, and nothing has happened; *why says which.  After any other
 * failure nobody knows whether it was made. */
[[nodiscard]] err_t update_send(struct update *update, struct arena *arena,
				struct str *why);
