/* The form that the TXT records of MTA-STS and TLS-RPT share: a version, then fields
 * "name=value" between semicolons.  RFC 8461 §3.1, RFC 8460 §3. */
#pragma once

#include "base/str.h"

enum { TLS_FIELD_NAME_MAX = 32 };

/* True for a record that begins with this version ("v=STSv1") and a semicolon; others at
 * that name are passed over. */
bool tls_record_is(struct str text, struct str version);
/* The value of the first field of that name, which the caller checks; it borrows text.
 * False if there is none or any other field does not follow the grammar. */
[[nodiscard]] bool tls_record_find(struct str text, struct str version, struct str name,
				   struct str *value);
/* sts-ext-name, sts-policy-ext-name, tlsrpt-ext-name */
bool tls_field_name_is_valid(struct str name);
/* Without spaces and tabs at both ends. */
struct str tls_trim_wsp(struct str s);
