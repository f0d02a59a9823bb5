#include "daemon/door.h"
#include "net/conn.h"

static void offer_smtp(struct offer *offer, enum smtpd_kind kind)
{
	const struct door *door = offer->door;
	const struct conf *conf = &door->self->conf;

	offer->smtp = (struct smtpd_service){
		.kind = kind,
		.hostname = conf->hostname,
		.tls = door->tls[offer->service],
		.login = door->login,
		.deliver = door->deliver,
		.message_bytes_max = conf->message_bytes_max,
		.recipients_max = conf->recipients_max,
		.is_dev = door->self->is_dev,
	};
}

static void offer_imap(struct offer *offer)
{
	const struct door *door = offer->door;

	offer->imap = (struct imap_service){
		.hostname = door->self->conf.hostname,
		.tls = door->tls[offer->service],
		.login = door->login,
		.message_bytes_max = door->self->conf.message_bytes_max,
		.command_messages_max = door->self->conf.command_messages_max,
		.copy_messages_max = door->self->conf.copy_messages_max,
		.extract =
			door->self->conf.are_attachments_searched ? door->extract : NULL,
		.is_dev = door->self->is_dev,
	};
}

static void offer_pop3(struct offer *offer, bool is_tls_first)
{
	const struct door *door = offer->door;

	offer->pop3 = (struct pop3_service){
		.hostname = door->self->conf.hostname,
		.tls = door->tls[offer->service],
		.login = door->login,
		.is_tls_first = is_tls_first,
		.is_dev = door->self->is_dev,
	};
}

static void offer(struct offer *offer)
{
	switch (offer->service) {
	case SERVICE_SMTP:
		offer_smtp(offer, SMTPD_MX);
		break;
	case SERVICE_SUBMISSION:
		offer_smtp(offer, SMTPD_SUBMISSION);
		break;
	case SERVICE_SUBMISSIONS:
		offer_smtp(offer, SMTPD_SUBMISSIONS);
		break;
	case SERVICE_IMAP:
	case SERVICE_IMAPS:
		offer_imap(offer);
		break;
	case SERVICE_POP3:
		offer_pop3(offer, false);
		break;
	case SERVICE_POP3S:
		offer_pop3(offer, true);
		break;
	case SERVICE_LMTP:
		offer_smtp(offer, SMTPD_LMTP);
		break;
	}
}

void door_offer_all(struct door *door)
{
	for (unsigned i = 0; i < SERVICES; i++) {
		door->offers[i].door = door;
		door->offers[i].service = (enum service)i;
		offer(&door->offers[i]);
	}
}

void door_session(struct conn *conn, void *arg)
{
	const struct offer *offer = arg;

	switch (offer->service) {
	case SERVICE_SMTP:
	case SERVICE_SUBMISSION:
	case SERVICE_SUBMISSIONS:
	case SERVICE_LMTP:
		smtpd_session(conn, &offer->smtp);
		return;
	case SERVICE_IMAPS:
		if (conn_tls_first(conn, offer->door->tls[SERVICE_IMAPS]) != OK)
			return;
		imap_session(conn, &offer->imap);
		return;
	case SERVICE_IMAP:
		imap_session(conn, &offer->imap);
		return;
	case SERVICE_POP3:
	case SERVICE_POP3S:
		pop3_session(conn, &offer->pop3);
		return;
	}
}
