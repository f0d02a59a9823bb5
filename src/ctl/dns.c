#include <arpa/inet.h>

#include <jansson.h>

#include "ctl/word.h"
#include "resolver/resolver.h"

static const struct {
	const char *name;
	enum dns_type type;
} types[] = {
	{"A", DNS_A},       {"AAAA", DNS_AAAA},   {"MX", DNS_MX},
	{"TXT", DNS_TXT},   {"PTR", DNS_PTR},     {"SRV", DNS_SRV},
	{"TLSA", DNS_TLSA}, {"CNAME", DNS_CNAME}, {"CAA", DNS_CAA},
};

static bool find_type(struct str name, enum dns_type *type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (!str_same_nocase(name, str_c(types[i].name)))
			continue;
		*type = types[i].type;
		return true;
	}
	return false;
}

static struct str address_text(struct arena *arena, int family, struct str data)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (data.len == (family == AF_INET ? 4 : 16))
		(void)inet_ntop(family, data.ptr, text, sizeof text);
	return arena_printf(arena, "%s", text);
}

static struct str hex_text(struct arena *arena, struct str data)
{
	SCOPED(buf_fini) struct buf hex = BUF(2 * data.len + 1);
	struct str text = STR("");

	for (size_t i = 0; i < data.len; i++)
		buf_printf(&hex, "%02x", (unsigned char)data.ptr[i]);
	return arena_copy(arena, buf_str(&hex), &text) ? text : STR("");
}

/* As a zone file would have it, where we know the type. */
static struct str record_text(struct arena *arena, enum dns_type type, struct str data)
{
	struct dns_mx mx;
	struct dns_srv srv;
	struct dns_tlsa tlsa;
	struct str text;

	if (type == DNS_A)
		return address_text(arena, AF_INET, data);
	if (type == DNS_AAAA)
		return address_text(arena, AF_INET6, data);
	if (type == DNS_MX && dns_mx_read(data, arena, &mx))
		return arena_printf(arena, "%u %.*s.", mx.preference, STR_FMT(mx.host));
	if (type == DNS_SRV && dns_srv_read(data, arena, &srv))
		return arena_printf(arena, "%u %u %u %.*s.", srv.priority, srv.weight,
				    srv.port, STR_FMT(srv.host));
	if (type == DNS_TLSA && dns_tlsa_read(data, &tlsa))
		return arena_printf(arena, "%u %u %u %.*s", tlsa.usage, tlsa.selector,
				    tlsa.matching,
				    STR_FMT(hex_text(arena, tlsa.association)));
	if (type == DNS_TXT && dns_txt_read(data, arena, &text))
		return text;
	if ((type == DNS_PTR || type == DNS_CNAME) && dns_host_read(data, arena, &text))
		return arena_printf(arena, "%.*s.", STR_FMT(text));
	return hex_text(arena, data);
}

/* DNSSEC's word on it. */
static const char *safety(const struct dns_answer *answer)
{
	if (answer->outcome == DNS_BOGUS || answer->outcome == DNS_UNKNOWN)
		return "";
	return answer->is_secure ? "signed" : "not signed";
}

static void lookup(struct ctl *ctl)
{
	struct dns_answer answer;
	enum dns_type type = DNS_A;

	if (ctl->word_count > 1 && !find_type(ctl->words[1], &type)) {
		ctl_fail(ctl,
			 "\"%.*s\" is no type of record that is known here.\nNothing "
			 "was asked.\nKnown are A, AAAA, MX, TXT, PTR, SRV, TLSA, CNAME "
			 "and CAA.",
			 STR_FMT(ctl->words[1]));
		return;
	}
	resolver_ask(ctl->resolver, ctl->words[0], type, &ctl->arena, &answer);
	json_t *records = json_array();

	buf_printf(&ctl->out, "%s%s%s%s%.*s\n", dns_outcome_name(answer.outcome),
		   safety(&answer)[0] || answer.why.len > 0 ? ": " : "", safety(&answer),
		   answer.is_name_gone ? ", there is no such name" : "",
		   STR_FMT(answer.why));
	for (size_t i = 0; i < answer.count; i++) {
		struct str text = record_text(&ctl->arena, type, answer.records[i]);

		buf_printf(&ctl->out, "%.*s\n", STR_FMT(text));
		(void)json_array_append_new(records,
					    json_stringn_nocheck(text.ptr, text.len));
	}
	ctl->json = json_pack(
		"{s:s,s:b,s:I,s:s%,s:s%,s:o}", "outcome",
		dns_outcome_name(answer.outcome), "secure", (int)answer.is_secure, "ttl",
		(json_int_t)answer.ttl_s, "name", answer.name.ptr ? answer.name.ptr : "",
		answer.name.len, "why", answer.why.ptr ? answer.why.ptr : "",
		answer.why.len, "records", records);
}

static const struct ctl_verb verbs[] = {
	{"lookup", "NAME [TYPE]",
	 "Ask the DNS as the server does, and print its answer: found, none, bogus (the "
	 "signatures of DNSSEC are wrong) or unknown (nobody can tell now).",
	 1, 2, CTL_DNS, CTL_NEEDS_RESOLVER, lookup},
};

const struct ctl_word ctl_dns = {
	.name = "dns",
	.summary = "What the DNS says.",
	.examples = "  postrider dns lookup example.org MX\n"
		    "  postrider dns lookup _25._tcp.mx.example.org TLSA --dns "
		    "127.0.0.1:5353\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
