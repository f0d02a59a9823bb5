/* What is offered at ports, and by which process. */
#pragma once

#include "conf/conf.h"
#include "control/child.h"

enum service {
	SERVICE_SMTP,
	SERVICE_SUBMISSION,
	SERVICE_SUBMISSIONS,
	SERVICE_IMAP,
	SERVICE_IMAPS,
	SERVICE_POP3,
	SERVICE_POP3S,
	SERVICE_LMTP,
};
enum { SERVICES = SERVICE_LMTP + 1 };

struct service_entry {
	const char *name;
	enum child_role role;
	uint16_t port;       /* the registered one */
	size_t conf_offset;  /* of its struct conf_listeners in struct conf */
	const char *refusal; /* what those hear who are too many */
	bool is_for_people;  /* who may have certificates */
	struct str alpn;     /* the protocols that TLS clients may want, RFC 7301 §3.1 */
};

const struct service_entry *service_entry(enum service service);
struct conf_listeners *service_listeners(struct conf *conf, enum service service);
