#include "mta/mx.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/rand.h"
#include "mta/mta.h"
#include "resolver/resolver.h"

/* ---- hosts ------------------------------------------------------------------------- */

void mx_sort(struct mx_host *hosts, size_t count)
{
	for (size_t i = count; i > 1; i--) { /* Fisher and Yates */
		size_t j = (size_t)rand_below(i);
		struct mx_host swapped = hosts[i - 1];

		hosts[i - 1] = hosts[j];
		hosts[j] = swapped;
	}
	for (size_t i = 1; i < count; i++) { /* stable: what is equal stays shuffled */
		struct mx_host moved = hosts[i];
		size_t at = i;

		for (; at > 0 && hosts[at - 1].preference > moved.preference; at--)
			hosts[at] = hosts[at - 1];
		hosts[at] = moved;
	}
}

size_t mx_before(const struct mx_host *hosts, size_t place)
{
	size_t first = place;

	while (first > 0 && hosts[first - 1].preference == hosts[place].preference)
		first--;
	return first;
}

size_t mx_before_own(const struct mx_host *hosts, size_t count, struct str own)
{
	for (size_t i = 0; i < count; i++)
		if (str_same_nocase(hosts[i].name, own))
			return mx_before(hosts, i);
	return count;
}

static void nowhere(struct mx_answer *answer, const char *status, struct str why)
{
	answer->outcome = MX_NOWHERE;
	answer->status = status;
	answer->why = why;
	answer->count = 0;
}

static void unknown(struct mx_answer *answer, struct str why)
{
	answer->outcome = MX_UNKNOWN;
	answer->status = "4.4.3";
	answer->why = why;
}

/* One host, at the domain itself.  RFC 5321 §5.1: the implicit MX. */
static void add_implicit(struct str domain, struct arena *arena, struct mx_answer *answer)
{
	answer->hosts = ARENA_NEW(arena, struct mx_host);
	if (!answer->hosts || !arena_copy(arena, domain, &answer->hosts[0].name)) {
		unknown(answer, STR("no room for the answer of the DNS"));
		return;
	}
	answer->count = 1;
}

/* The records, without the null MX; false if that is the only one.  RFC 7505 §3: one that
 * stands among others is ignored. */
static bool read_records(const struct dns_answer *dns, struct arena *arena,
			 struct mx_answer *answer)
{
	bool has_null = false;
	struct dns_mx mx;

	answer->hosts = ARENA_ARRAY(arena, struct mx_host, MX_HOSTS_MAX);
	for (size_t i = 0; answer->hosts && i < dns->count; i++) {
		if (!dns_mx_read(dns->records[i], arena, &mx))
			continue;
		has_null |= mx.host.len == 0;
		if (mx.host.len > 0 && answer->count < MX_HOSTS_MAX)
			answer->hosts[answer->count++] =
				(struct mx_host){mx.host, mx.preference};
	}
	return answer->count > 0 || !has_null;
}

static void take_records(const struct mta_options *mta, const struct dns_answer *dns,
			 struct arena *arena, struct mx_answer *answer)
{
	if (!read_records(dns, arena, answer)) {
		/* RFC 7505 §4.1 */
		nowhere(answer, "5.1.10", STR("The domain takes no mail (null MX)"));
		return;
	}
	if (answer->count == 0) {
		nowhere(answer, "5.4.4",
			STR("None of the domain's MX records is usable"));
		return;
	}
	mx_sort(answer->hosts, answer->count);
	answer->count = mx_before_own(answer->hosts, answer->count, mta->hostname);
	if (answer->count == 0)
		nowhere(answer, "5.4.6",
			STR("The domain's mail leads back to this server, which does not "
			    "take it"));
}

void mx_find(const struct mta_options *mta, struct str domain, struct arena *arena,
	     struct mx_answer *answer)
{
	struct dns_answer dns;

	*answer = (struct mx_answer){.outcome = MX_FOUND, .why = STR("")};
	resolver_ask(mta->resolver, domain, DNS_MX, arena, &dns);
	answer->is_secure = dns.is_secure;
	if (!str_same_nocase(dns.name, domain))
		answer->expanded = dns.name;
	switch (dns.outcome) {
	case DNS_FOUND:
		take_records(mta, &dns, arena, answer);
		return;
	case DNS_NONE:
		if (dns.is_name_gone)
			nowhere(answer, "5.1.2", STR("There is no such domain"));
		else
			add_implicit(domain, arena, answer);
		return;
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		break;
	}
	unknown(answer, arena_printf(arena, "The DNS gave no answer for %.*s: %.*s",
				     STR_FMT(domain), STR_FMT(dns.why)));
}

/* ---- addresses --------------------------------------------------------------------- */

static bool same_address(const struct address *a, const struct address *b)
{
	char a_text[ADDRESS_TEXT_BYTES], b_text[ADDRESS_TEXT_BYTES];

	return str_same(address_text_port(a, a_text), address_text_port(b, b_text));
}

static void add_address(const struct mta_options *mta, const struct address *address,
			struct mx_addresses *found)
{
	for (size_t i = 0; i < mta->own_count; i++)
		found->is_own |= same_address(address, &mta->own[i]);
	if (found->count < MX_ADDRESSES_MAX)
		found->at[found->count++] = *address;
}

static bool read_a(struct str data, uint16_t port, struct address *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&address->socket;

	*address = (struct address){.len = sizeof *in};
	if (data.len != sizeof in->sin_addr)
		return false;
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, data.ptr, data.len);
	return true;
}

static bool read_aaaa(struct str data, uint16_t port, struct address *address)
{
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->socket;

	*address = (struct address){.len = sizeof *in};
	if (data.len != sizeof in->sin6_addr)
		return false;
	in->sin6_family = AF_INET6;
	in->sin6_port = htons(port);
	memcpy(&in->sin6_addr, data.ptr, data.len);
	return true;
}

/* IPv6 first, then in turn: RFC 8305 §4. */
static void interleave(const struct mta_options *mta, const struct dns_answer *v6,
		       const struct dns_answer *v4, uint16_t port,
		       struct mx_addresses *found)
{
	struct address address;

	for (size_t i = 0; i < v6->count || i < v4->count; i++) {
		if (i < v6->count && read_aaaa(v6->records[i], port, &address))
			add_address(mta, &address, found);
		if (i < v4->count && read_a(v4->records[i], port, &address))
			add_address(mta, &address, found);
	}
}

static bool is_sure(const struct dns_answer *answer)
{
	return answer->outcome == DNS_FOUND || answer->outcome == DNS_NONE;
}

/* "192.0.2.1", "2001:db8::1", "IPv6:2001:db8::1" (RFC 5321 §4.1.3). */
static bool read_literal(struct str text, uint16_t port, struct address *address)
{
	char room[ADDRESS_TEXT_BYTES + 16];
	struct buf out = BUF(sizeof room);

	if (str_starts_nocase(text, STR("IPv6:")))
		text = str_skip(text, 5);
	bool is_v6 = str_find_byte(text, ':') < text.len;

	buf_printf(&out, is_v6 ? "[%.*s]:%u" : "%.*s:%u", STR_FMT(text), port);
	bool is_good = buf_ok(&out) && address_parse(buf_str(&out), address);

	buf_fini(&out);
	return is_good;
}

void mx_addresses_find(const struct mta_options *mta, struct str host, uint16_t port,
		       struct arena *arena, struct mx_addresses *found)
{
	struct dns_answer v6, v4;
	struct address literal;

	*found = (struct mx_addresses){.outcome = MX_FOUND, .why = STR("")};
	if (read_literal(host, port, &literal)) {
		add_address(mta, &literal, found);
		return;
	}
	resolver_ask(mta->resolver, host, DNS_AAAA, arena, &v6);
	resolver_ask(mta->resolver, host, DNS_A, arena, &v4);
	found->is_secure = v6.is_secure && v4.is_secure;
	interleave(mta, &v6, &v4, port, found);
	if (found->count > 0)
		return;
	found->outcome = is_sure(&v6) && is_sure(&v4) ? MX_NOWHERE : MX_UNKNOWN;
	found->why =
		found->outcome == MX_NOWHERE
			? arena_printf(arena, "The host %.*s has no address",
				       STR_FMT(host))
			: arena_printf(arena, "The DNS gave no answer for %.*s: %.*s",
				       STR_FMT(host),
				       STR_FMT(is_sure(&v6) ? v4.why : v6.why));
}
