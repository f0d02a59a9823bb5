#include "fetch/codec.h"

/* What is decoded, encoded again, is the same octets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf again = BUF(1 << 20);
	struct str input = {(const char *)data, len}, host;
	struct fetch_request request, twice;
	struct fetch_reply reply;
	uint16_t port;

	if (fetch_decode_request(input, &request)) {
		fetch_encode_request(&again, &request);
		ASSERT(fetch_decode_request(buf_str(&again), &twice));
		ASSERT(str_same(twice.url, request.url) && twice.port == request.port);
	}
	if (fetch_decode_reply(input, &reply)) {
		buf_reset(&again);
		fetch_encode_reply(&again, &reply);
		ASSERT(fetch_decode_reply(buf_str(&again), &reply));
	}
	if (fetch_url_split(input, &host, &port))
		ASSERT(host.len > 0 && port > 0 &&
		       host.ptr + host.len <= input.ptr + len);
	return 0;
}
