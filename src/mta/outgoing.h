/* A message's text on its way out: what it needs of the server, and sending it.  Small
 * ones are read from the store once, others twice: to look, and to send. */
#pragma once

#include "base/buf.h"
#include "store/store.h"

struct conn;

struct outgoing {
	struct store *store;
	const struct queue_row *row;
	struct buf text; /* trace and body, if is_whole */
	bool is_whole;
	uint64_t bytes;

	bool has_8bit, has_8bit_header, has_nul;
	bool has_long_line; /* over 998 octets: RFC 5321 §4.5.3.1.6 */

	/* inside */
	size_t line_len;
	bool is_in_body, is_after_cr;
};

/* May suspend: reads and looks.  Other than OK: the store's, nothing is known. */
enum store_outcome outgoing_open(struct outgoing *message, struct store *store,
				 const struct queue_row *row);
void outgoing_close(struct outgoing *message);
/* May suspend: all of it in text. */
enum store_outcome outgoing_whole(struct outgoing *message);
/* May suspend.  Sends the text, with dots and the end mark (DATA), or as it is (BDAT).
 * Each 64 KiB may take wait_s.  False: it was not sent whole, and the connection must
 * end. */
[[nodiscard]] bool outgoing_send(struct outgoing *message, struct conn *conn,
				 unsigned wait_s, bool has_dots);

/* Looks at the next piece; for tests. */
void outgoing_look_at(struct outgoing *message, struct str piece);
