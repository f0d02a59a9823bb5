/* The data of DNS records as libunbound hands it over: in wire form, names written out.
 * RFC 1035 §3.3, and the RFC of each type.
 *
 * A name becomes text in lower case without the final dot ("" is the root).  One with
 * octets that no host or mail name has (a dot within a label, controls, spaces) is
 * refused, with the record.
 */
#pragma once

#include "base/arena.h"

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_TLSA = 52,
	DNS_CAA = 257,
};

enum { DNS_NAME_MAX = 255, DNS_LABEL_MAX = 63 };

/* Each reads one whole record's data; false if it is not such a record, or the arena is
 * full. */

struct dns_mx { /* RFC 1035 §3.3.9; host "" is the null MX of RFC 7505 */
	uint16_t preference;
	struct str host;
};
[[nodiscard]] bool dns_mx_read(struct str data, struct arena *arena, struct dns_mx *mx);

struct dns_srv { /* RFC 2782 */
	uint16_t priority, weight, port;
	struct str host;
};
[[nodiscard]] bool dns_srv_read(struct str data, struct arena *arena,
				struct dns_srv *srv);

struct dns_tlsa { /* RFC 6698 §2.1; association borrows data */
	uint8_t usage, selector, matching;
	struct str association;
};
[[nodiscard]] bool dns_tlsa_read(struct str data, struct dns_tlsa *tlsa);

struct dns_caa { /* RFC 8659 §4.1; borrows data; all of it plain ASCII */
	uint8_t flags;
	struct str tag, value;
};
[[nodiscard]] bool dns_caa_read(struct str data, struct dns_caa *caa);

/* PTR, CNAME */
[[nodiscard]] bool dns_host_read(struct str data, struct arena *arena, struct str *host);
/* The strings of a TXT record run together: RFC 7208 §3.3, RFC 6376 §3.6.2.2. */
[[nodiscard]] bool dns_txt_read(struct str data, struct arena *arena, struct str *text);

/* The text as a question may carry it: labels of 1 to 63 octets, 253 in all, a final dot
 * allowed.  Underscores are fine. */
bool dns_name_is_valid(struct str name);
/* The same, but spaces and double quotes may stand in it, too: macros of SPF make such
 * names (RFC 7208 §7.1, "%_").  Nobody is found there who is a host. */
bool dns_name_is_askable(struct str name);
