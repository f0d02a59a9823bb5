/* A whole message with its envelope: handed over to the deliverd process. */
#pragma once

struct draft;
struct session;

/* The draft's text is whole and without fault.  Makes the one reply, or in LMTP one for
 * each recipient; 250 only after the commit is durable. */
void incoming_accept(struct session *s, struct draft *draft);
