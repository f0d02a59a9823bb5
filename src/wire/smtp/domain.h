/* Domain names and address literals as SMTP writes them.  RFC 5321 §4.1.2, §4.1.3. */
#pragma once

#include "wire/cursor.h"

/* Whether octets beyond ASCII may stand in an address: only where the transaction said
 * SMTPUTF8.  RFC 6531 §3.3. */
enum smtp_charset { SMTP_ASCII, SMTP_UTF8 };

enum { SMTP_DOMAIN_MAX = 255, SMTP_LABEL_MAX = 63 }; /* RFC 5321 §4.5.3.1.2 */

/* Each takes what it names and moves past it; false, and nothing moved, if it is not
 * there. */
[[nodiscard]] bool smtp_domain_take(struct cursor *c, enum smtp_charset charset);
[[nodiscard]] bool smtp_literal_take(struct cursor *c);
/* Takes one character beyond ASCII, well-formed UTF-8 and not a C1 control. */
[[nodiscard]] bool smtp_utf8_take(struct cursor *c);
/* True if the whole text is a domain or an address literal of at most 255 octets. */
bool smtp_host_is_valid(struct str text);
/* True if the whole text is such an address: "192.0.2.1", "2001:db8::1". */
bool smtp_ipv4_is_valid(struct str text);
bool smtp_ipv6_is_valid(struct str text);
