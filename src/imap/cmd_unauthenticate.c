/* UNAUTHENTICATE: back to where nobody is logged in, on the same connection.  RFC 8437.
 */
#include "base/log.h"
#include "imap/session.h"

/* There is no NO: the client may have sent its next log-in already (RFC 8437 §3). */
err_t on_unauthenticate(struct session *s, const struct imap_command *command)
{
	LOG(INFO, "logged out", KV_INT("session", s->id),
	    KV_STR("address", s->login.address));
	session_forget(s);
	TRY(reply_only_ok(s, command, "Nobody is logged in"));
	return conn_is_compressed(s->conn) ? conn_uncompress(s->conn) : OK;
}
