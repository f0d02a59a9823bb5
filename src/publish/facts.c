#include "publish/facts.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "conf/hop.h"
#include "directory/dkim.h"
#include "rt/clock.h"
#include "vault/codec.h"

enum { RECORD_MAX = 4096, DAY_S = 86400, HASH_BYTES = 32 };

static const struct {
	const char *name;
	size_t listeners; /* in struct conf */
} services[] = {
	{"_submissions", offsetof(struct conf, submissions)},
	{"_submission", offsetof(struct conf, submission)},
	{"_imaps", offsetof(struct conf, imaps)},
	{"_imap", offsetof(struct conf, imap)},
	{"_pop3s", offsetof(struct conf, pop3s)},
	{"_pop3", offsetof(struct conf, pop3)},
};

/* ---- addresses --------------------------------------------------------------------- */

struct set {
	struct ip ips[PUBLISH_ADDRESSES_MAX];
	size_t count;
};

static void set_add(struct set *set, const struct ip *ip)
{
	for (size_t i = 0; i < set->count; i++)
		if (ip_same(&set->ips[i], ip))
			return;
	if (set->count < PUBLISH_ADDRESSES_MAX)
		set->ips[set->count++] = *ip;
}

/* RFC 6890: those that lead nowhere from outside. */
bool publish_is_public(const struct ip *ip)
{
	static const struct {
		const char *network;
		unsigned bits;
	} inner[] = {
		{"0.0.0.0", 8},      {"10.0.0.0", 8},     {"100.64.0.0", 10},
		{"127.0.0.0", 8},    {"169.254.0.0", 16}, {"172.16.0.0", 12},
		{"192.168.0.0", 16}, {"224.0.0.0", 3},    {"::", 96},
		{"fc00::", 7},       {"fe80::", 10},      {"ff00::", 8},
	};
	struct ip network;

	for (size_t i = 0; i < COUNT_OF(inner); i++)
		if (ip_parse(str_c(inner[i].network), &network) &&
		    ip_same_prefix(ip, &network, inner[i].bits))
			return false;
	return true;
}

static bool of_socket(const struct sockaddr *socket, struct ip *ip)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (!socket)
		return false;
	if (socket->sa_family == AF_INET) {
		memcpy(&in4, socket, sizeof in4);
		return ip_read((struct str){(const char *)&in4.sin_addr, IP4_BYTES}, ip);
	}
	if (socket->sa_family != AF_INET6)
		return false;
	memcpy(&in6, socket, sizeof in6);
	return ip_read((struct str){(const char *)&in6.sin6_addr, IP6_BYTES}, ip);
}

static void add_interfaces(struct set *set, size_t family_bytes)
{
	struct ifaddrs *list;
	struct ip ip;

	if (getifaddrs(&list) != 0)
		return; /* then the DNS knows, or nobody */
	for (const struct ifaddrs *at = list; at; at = at->ifa_next)
		if (of_socket(at->ifa_addr, &ip) && ip.len == family_bytes &&
		    publish_is_public(&ip))
			set_add(set, &ip);
	freeifaddrs(list);
}

/* Where we listen for mail, as others see it. */
static void add_listeners(const struct conf *conf, size_t family_bytes, struct set *set)
{
	struct ip ip;

	for (size_t i = 0; i < conf->smtp.count; i++) {
		struct str address = conf->smtp.at[i].address;

		if (!ip_parse(address, &ip) || ip.len != family_bytes)
			continue;
		if (str_same(address, STR("0.0.0.0")) || str_same(address, STR("::")))
			add_interfaces(set, family_bytes);
		else if (publish_is_public(&ip))
			set_add(set, &ip);
	}
}

/* What the DNS shows of one kind. */
struct showing {
	const struct dns_lookup *lookup;
	struct str host;
	enum dns_type type;
	struct arena *arena;
	struct set set;
};

static void add_shown(void *arg)
{
	struct showing *showing = arg;
	struct dns_answer answer;
	struct ip ip;

	dns_ask(showing->lookup, showing->host, showing->type, showing->arena, &answer);
	for (size_t i = 0; i < answer.count; i++)
		if (ip_read(answer.records[i], &ip))
			set_add(&showing->set, &ip);
}

/* Of what this machine has, what the DNS shows; without that all that it has; and behind
 * somebody who translates addresses, what the DNS shows. */
static void choose_addresses(const struct conf *conf, size_t family_bytes,
			     const struct set *shown, struct publish_facts *facts)
{
	struct set own = {.count = 0}, both = {.count = 0};
	const struct set *best;

	add_listeners(conf, family_bytes, &own);
	for (size_t i = 0; i < own.count; i++)
		for (size_t j = 0; j < shown->count; j++)
			if (ip_same(&own.ips[i], &shown->ips[j]))
				set_add(&both, &own.ips[i]);
	best = both.count > 0 ? &both : own.count > 0 ? &own : shown;
	for (size_t i = 0; i < best->count; i++)
		if (facts->address_count < PUBLISH_ADDRESSES_MAX)
			facts->addresses[facts->address_count++] = best->ips[i];
}

static void learn_addresses(const struct publish_sources *sources, struct arena *arena,
			    struct publish_facts *facts)
{
	struct errand list[2];
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	struct dns_errands dns = {&sources->lookup, &errands};
	const struct dns_lookup lookup = dns_errands_lookup(&dns);
	struct showing showings[] = {
		{&lookup, facts->host, DNS_A, arena, {.count = 0}},
		{&lookup, facts->host, DNS_AAAA, arena, {.count = 0}}};

	for (size_t i = 0; i < COUNT_OF(list); i++)
		list[i] = (struct errand){.run = add_shown, .arg = &showings[i]};
	errands_run(&errands);
	choose_addresses(sources->conf, IP4_BYTES, &showings[0].set, facts);
	choose_addresses(sources->conf, IP6_BYTES, &showings[1].set, facts);
}

static void learn_senders(const struct conf *conf, struct publish_facts *facts)
{
	struct str rest = conf->mta_source, word;
	struct conf_hop hop;
	struct ip ip;

	while ((word = conf_next_word(&rest)).len > 0)
		if (ip_parse(word, &ip) && publish_is_public(&ip) &&
		    facts->source_count < PUBLISH_ADDRESSES_MAX)
			facts->sources[facts->source_count++] = ip;
	if (conf->mta_smarthost.len > 0 && conf_hop_parse(conf->mta_smarthost, &hop) &&
	    hop.scheme != HOP_MX && !ip_parse(hop.host, &ip))
		facts->relay = hop.host;
}

/* ---- keys -------------------------------------------------------------------------- */

static err_t learn_dkim(const struct publish_sources *sources, struct arena *arena,
			struct publish_facts *facts)
{
	struct directory_dkim *keys;
	size_t count;
	enum store_outcome outcome =
		directory_dkim(sources->directory, &facts->domain, arena, &keys, &count);

	if (outcome == STORE_ABSENT || outcome == STORE_INVALID)
		return ERR_ABSENT;
	if (outcome != STORE_OK)
		return ERR_IO;
	for (size_t i = 0; i < count && i < PUBLISH_KEYS_MAX; i++) {
		SCOPED(buf_fini) struct buf record = BUF(RECORD_MAX);
		struct publish_key *key = &facts->keys[facts->key_count++];
		const struct vault_dkim name = {facts->domain, keys[i].selector};

		*key = (struct publish_key){
			.selector = keys[i].selector,
			.is_retired = keys[i].state == DKIM_KEY_RETIRED,
			.is_over =
				keys[i].state == DKIM_KEY_RETIRED &&
				clock_s() - keys[i].since_s > DKIM_RETIRED_DAYS * DAY_S,
		};
		if (vault_dkim_record(sources->vault, &name, &record) != VAULT_OK)
			return ERR_IO;
		if (!arena_copy(arena, buf_str(&record), &key->record))
			return ERR_LIMIT;
	}
	return OK;
}

/* SHA-256 of the SubjectPublicKeyInfo: RFC 6698 §2.1.2, §2.1.3. */
static bool pin(struct str pem, struct publish_facts *facts)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	int len = -1;

	if (bio && !key) {
		(void)BIO_seek(bio, 0);
		key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	}
	if (key)
		len = i2d_PUBKEY(key, &der);
	bool is_pinned =
		len > 0 && facts->pin_count < PUBLISH_PINS_MAX &&
		EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;

	if (is_pinned)
		memcpy(facts->pins[facts->pin_count++], digest, HASH_BYTES);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(bio);
	return is_pinned;
}

static err_t learn_pins(const struct publish_sources *sources,
			struct publish_facts *facts)
{
	SCOPED(buf_fini) struct buf chain = BUF(VAULT_PEM_MAX);
	SCOPED(buf_fini) struct buf key_id = BUF(VAULT_KEY_ID_MAX);

	if (vault_certificate(sources->vault, facts->host, &chain, &key_id) != VAULT_OK ||
	    !pin(buf_str(&chain), facts))
		return ERR_IO;
	if (sources->next_pem.len > 0 && !pin(sources->next_pem, facts))
		return ERR_SYNTAX;
	return OK;
}

/* ---- all of it --------------------------------------------------------------------- */

static bool learn_services(const struct conf *conf, struct arena *arena,
			   struct publish_facts *facts)
{
	struct publish_service *found =
		ARENA_ARRAY(arena, struct publish_service, COUNT_OF(services));

	facts->services = found;
	for (size_t i = 0; found && i < COUNT_OF(services); i++) {
		struct conf_listeners listeners;

		memcpy(&listeners, (const char *)conf + services[i].listeners,
		       sizeof listeners);
		if (listeners.count > 0)
			found[facts->service_count++] = (struct publish_service){
				services[i].name, listeners.at[0].port};
	}
	return found != NULL;
}

static err_t fail(err_t err, struct str *why, struct str sentences)
{
	*why = sentences;
	return err;
}

err_t publish_learn(const struct publish_sources *sources, struct str domain,
		    struct arena *arena, struct publish_facts *facts, struct str *why)
{
	const struct conf *conf = sources->conf;

	*facts = (struct publish_facts){.domain = domain, .host = conf->hostname};
	if (!dns_name_is_valid(facts->host) ||
	    str_find_byte(facts->host, '.') == facts->host.len)
		return fail(ERR_SYNTAX, why,
			    arena_printf(arena,
					 "This server calls itself \"%.*s\", which is no "
					 "name that others could look up.\nNothing was "
					 "asked.\nSet server.hostname to its full name.",
					 STR_FMT(facts->host)));
	err_t err = learn_dkim(sources, arena, facts);

	if (err == ERR_ABSENT)
		return fail(err, why,
			    arena_printf(arena,
					 "%.*s is not a domain of ours.\nNothing was "
					 "asked.\n\"postrider domain list\" shows those "
					 "that are.",
					 STR_FMT(domain)));
	if (err == OK)
		err = learn_pins(sources, facts);
	if (err == ERR_SYNTAX)
		return fail(err, why,
			    STR("The file given with --next holds neither a certificate "
				"nor a public key in PEM.\nNothing was asked.\nGive the "
				"certificate that is to be used next."));
	if (err != OK || !learn_services(conf, arena, facts))
		return fail(err != OK ? err : ERR_LIMIT, why,
			    STR("Keys and certificates cannot be had now.\nNothing was "
				"changed.\nThe server's log says why; try again."));
	learn_addresses(sources, arena, facts);
	learn_senders(conf, facts);
	return OK;
}
