/* The ESMTP parameters that follow the path of MAIL and RCPT.  RFC 5321 §4.1.2.
 *
 * The parser knows every parameter listed here, whether a door offers it or not; the door
 * refuses with 555 what it did not offer by looking at "given". */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "wire/smtp/path.h"

enum smtp_param {
	SMTP_PARAM_SIZE = 1 << 0,         /* RFC 1870 */
	SMTP_PARAM_BODY = 1 << 1,         /* RFC 6152, RFC 3030 */
	SMTP_PARAM_SMTPUTF8 = 1 << 2,     /* RFC 6531 */
	SMTP_PARAM_AUTH = 1 << 3,         /* RFC 4954 §5 */
	SMTP_PARAM_RET = 1 << 4,          /* RFC 3461 §4.3 */
	SMTP_PARAM_ENVID = 1 << 5,        /* RFC 3461 §4.4 */
	SMTP_PARAM_NOTIFY = 1 << 6,       /* RFC 3461 §4.1 */
	SMTP_PARAM_ORCPT = 1 << 7,        /* RFC 3461 §4.2 */
	SMTP_PARAM_REQUIRETLS = 1 << 8,   /* RFC 8689 */
	SMTP_PARAM_HOLDFOR = 1 << 9,      /* RFC 4865 */
	SMTP_PARAM_HOLDUNTIL = 1 << 10,   /* RFC 4865 */
	SMTP_PARAM_BY = 1 << 11,          /* RFC 2852 */
	SMTP_PARAM_MT_PRIORITY = 1 << 12, /* RFC 6710 */
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };
enum smtp_ret { SMTP_RET_FULL, SMTP_RET_HDRS };
enum smtp_by_mode { SMTP_BY_NOTIFY, SMTP_BY_RETURN };
enum smtp_notify {
	SMTP_NOTIFY_NEVER = 1,
	SMTP_NOTIFY_SUCCESS = 2,
	SMTP_NOTIFY_FAILURE = 4,
	SMTP_NOTIFY_DELAY = 8
};

struct smtp_mail_params {
	unsigned given; /* enum smtp_param; the fields of others are zero */
	uint64_t size;  /* UINT64_MAX also for what is larger */
	enum smtp_body body;
	struct str auth; /* decoded: a mailbox, or "<>" */
	enum smtp_ret ret;
	struct str envid; /* decoded, printable */
	uint32_t hold_s;
	int64_t hold_until; /* Unix time */
	int32_t by_s;
	enum smtp_by_mode by_mode;
	bool by_trace;
	int priority; /* -9 to 9 */
};

struct smtp_rcpt_params {
	unsigned given;
	unsigned notify;              /* enum smtp_notify */
	struct str orcpt_type, orcpt; /* orcpt decoded: no controls, well-formed UTF-8 */
};

enum smtp_fault {
	SMTP_FAULT_NONE,
	SMTP_FAULT_VERB,          /* no such command */
	SMTP_FAULT_LENGTH,        /* the line is too long */
	SMTP_FAULT_OCTETS,        /* control characters, or octets that are no UTF-8 */
	SMTP_FAULT_ARGUMENTS,     /* missing, or where none belong */
	SMTP_FAULT_PATH,          /* no address where one must stand */
	SMTP_FAULT_PARAM,         /* a known parameter with a bad value, or given twice */
	SMTP_FAULT_PARAM_UNKNOWN, /* a parameter nobody here knows (555) */
	SMTP_FAULT_MEMORY,        /* the arena's bound */
};

/* Parameters that may follow a path, each after a space, to the end of the input. Decoded
 * values live in the arena, others borrow from the input. */
enum smtp_fault smtp_mail_params_parse(struct cursor *c, struct arena *arena,
				       struct smtp_mail_params *params);
enum smtp_fault smtp_rcpt_params_parse(struct cursor *c, struct arena *arena,
				       struct smtp_rcpt_params *params);

/* xtext: "+3D" is "=".  False if it is not xtext, or decodes to a control character.
 * RFC 3461 §4.  Appends to out. */
[[nodiscard]] bool smtp_xtext_decode(struct str text, struct buf *out);
void smtp_xtext_add(struct buf *out, struct str plain);
/* Appends the moment as HOLDUNTIL writes it, "2026-08-01T12:00:00Z".  Years 1 to 9999. */
void smtp_date_time_add(struct buf *out, int64_t unix_s);
