/* A whole message with its envelope: judged, completed and committed. */
#pragma once

struct buf;
struct draft;
struct session;

/* text is the message without dots, in CRLF lines.  Makes the one reply; 250 only after
 * the commit is durable. */
void incoming_accept(struct session *s, struct draft *draft, struct buf *text);
