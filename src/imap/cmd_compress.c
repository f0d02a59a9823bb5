/* COMPRESS.  RFC 4978.
 *
 * Deviates: TLS does not compress here, as RFC 4978 §1 would have it besides (SHOULD): it
 * is known to give secrets away, and TLS 1.3 has no such thing (RFC 9325 §3.3).  This
 * begins after log-in, when passwords have been said. */
#include "base/log.h"
#include "imap/session.h"

err_t on_compress(struct session *s, const struct imap_command *command)
{
	if (!str_same_nocase(command->mechanism, STR("DEFLATE")))
		return reply_bad(s, command, "DEFLATE is all there is");
	if (conn_is_compressed(s->conn))
		return reply_bad(s, command,
				 "[COMPRESSIONACTIVE] DEFLATE is at work already");
	/* RFC 4978 §3: the client MUST NOT say more before it has our answer, so that
	 * nobody has to guess which octets are compressed. */
	if (conn_has_input(s->conn))
		return reply_bad(s, command, "wait for the answer to COMPRESS");
	TRY(reply_ok(s, command, "DEFLATE from here on"));
	return s->is_done ? OK : conn_compress(s->conn);
}
