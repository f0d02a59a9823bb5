/* The messages between the others and the fetchd process.  Decoders take any octets. */
#pragma once

#include "base/codec.h"
#include "fetch/fetch.h"

enum fetch_message {
	FETCH_ASK = 1,
	FETCH_ANSWER = 64,
};

enum { FETCH_MESSAGE_MAX = 300 * 1024, FETCH_WAIT_MAX_S = 300 };

void fetch_encode_request(struct buf *body, const struct fetch_request *request);
/* Borrows body. */
[[nodiscard]] bool fetch_decode_request(struct str body, struct fetch_request *request);
void fetch_encode_reply(struct buf *body, const struct fetch_reply *reply);
/* Borrows body. */
[[nodiscard]] bool fetch_decode_reply(struct str body, struct fetch_reply *reply);
