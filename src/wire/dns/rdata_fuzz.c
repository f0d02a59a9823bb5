#include "wire/dns/rdata.h"

/* What is read lies within the input's size, in plain letters; what is a host of a record
 * may be asked for. */
static struct arena arena;

static void check_host(struct str host)
{
	ASSERT(host.len <= DNS_NAME_MAX);
	for (size_t i = 0; i < host.len; i++)
		ASSERT(host.ptr[i] > ' ' && host.ptr[i] < 127);
	ASSERT(host.len == 0 || host.len > DNS_NAME_MAX - 2 || dns_name_is_valid(host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	struct dns_mx mx;
	struct dns_srv srv;
	struct dns_tlsa tlsa;
	struct dns_caa caa;
	struct str text;

	arena_init(&arena, 256 * 1024);
	if (dns_mx_read(input, &arena, &mx))
		check_host(mx.host);
	if (dns_srv_read(input, &arena, &srv))
		check_host(srv.host);
	if (dns_host_read(input, &arena, &text))
		check_host(text);
	if (dns_txt_read(input, &arena, &text))
		ASSERT(text.len <= len);
	if (dns_tlsa_read(input, &tlsa))
		ASSERT(tlsa.association.len + 3 == len);
	if (dns_caa_read(input, &caa))
		ASSERT(caa.tag.len > 0 && caa.tag.len + caa.value.len + 2 == len);
	if (dns_name_is_valid(input))
		ASSERT(dns_name_is_askable(input));
	arena_fini(&arena);
	return 0;
}
