/* Content-Transfer-Encoding: decoding whole bodies, and encoding them.  RFC 2045 §6. */
#pragma once

#include "base/buf.h"

enum mail_transfer {
	MAIL_TRANSFER_7BIT,
	MAIL_TRANSFER_8BIT,
	MAIL_TRANSFER_BINARY,
	MAIL_TRANSFER_QP,
	MAIL_TRANSFER_BASE64,
	MAIL_TRANSFER_UNKNOWN, /* the body is to be taken as octets, RFC 2045 §6.4 */
};

/* The mechanism a field's value names; none (an empty value) is 7bit.  Comments and a
 * stray semicolon are passed over. */
enum mail_transfer mail_transfer_of(struct str value);
/* The name as RFC 2045 writes it; "" for unknown. */
struct str mail_transfer_name(enum mail_transfer transfer);

/* Appends the body decoded; never more octets than the body has.  Anything is decoded as
 * far as it goes: in quoted-printable a "=" that begins nothing stays (RFC 2045 §6.7
 * note 2), white space before a line end goes (rule 3), other octets stay as they are. */
void mail_transfer_decode(enum mail_transfer transfer, struct str body, struct buf *out);

/* Appends text as quoted-printable in lines of at most 76 octets with CRLF ends, the
 * text's line ends being CRLF or LF.  A "." and a "From " that begin a line are encoded,
 * so that nothing on the way changes them. */
void mail_qp_add(struct buf *buf, struct str text);
/* Appends bytes as base64 in lines of 76 letters, each with its CRLF. */
void mail_base64_add(struct buf *buf, struct str bytes);
