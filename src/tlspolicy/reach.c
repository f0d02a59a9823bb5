#include "tlspolicy/reach.h"

#include "base/buf.h"
#include "resolver/resolver.h"

enum { V4_OCTETS = 4, V6_OCTETS = 16, TEXT_MAX = 64 };

static struct str address_text(struct arena *arena, struct str data)
{
	const unsigned char *octets = (const unsigned char *)data.ptr;
	SCOPED(buf_fini) struct buf text = BUF(TEXT_MAX);
	struct str copy = STR("");

	for (size_t i = 0; i < data.len && data.len == V4_OCTETS; i++)
		buf_printf(&text, "%s%u", i > 0 ? "." : "", octets[i]);
	for (size_t i = 0; i < data.len && data.len == V6_OCTETS; i += 2)
		buf_printf(&text, "%s%x", i > 0 ? ":" : "",
			   octets[i] << 8 | octets[i + 1]);
	return arena_copy(arena, buf_str(&text), &copy) ? copy : STR("");
}

bool reach(struct resolver *resolver, struct str host, deadline_t until,
	   struct arena *arena, struct fetch_request *request)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const struct dns_question question = {host, types[i], until};
		struct dns_answer answer;

		resolver_ask_until(resolver, &question, arena, &answer);
		for (size_t j = 0; j < answer.count; j++) {
			struct str text = address_text(arena, answer.records[j]);

			if (text.len > 0 && request->address_count < FETCH_ADDRESSES_MAX)
				request->addresses[request->address_count++] = text;
		}
	}
	return request->address_count > 0;
}
