#include "vaultd/tickets.h"

#include <string.h>

#include "base/rand.h"

void tickets_renew(struct tickets *tickets, uint64_t now_ms)
{
	if (tickets->renew_ms > now_ms)
		return;
	if (tickets->renew_ms == 0)
		rand_bytes(tickets->keys[0], TICKET_KEY_BYTES);
	memcpy(tickets->keys[1], tickets->keys[0], TICKET_KEY_BYTES);
	rand_bytes(tickets->keys[0], TICKET_KEY_BYTES);
	tickets->renew_ms = now_ms + TICKET_SECONDS * 1000ull;
}
