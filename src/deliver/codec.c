#include "deliver/codec.h"

#include "store/codec.h"

enum {
	WORD_MAX = 300,   /* a host name, a cipher */
	CLIENT_MAX = 2048 /* a line */
};

static struct str dec_bounded(struct dec *dec, size_t max)
{
	struct str value = dec_str(dec);

	if (value.len <= max)
		return value;
	dec->failed = true;
	return STR("");
}

static bool dec_bool(struct dec *dec)
{
	return dec_var_max(dec, 1) == 1;
}

/* ---- a mail ------------------------------------------------------------------------ */

static void enc_params(struct buf *buf, const struct smtp_mail_params *params)
{
	enc_var(buf, params->given);
	enc_u8(buf, (uint8_t)params->body);
	enc_u8(buf, (uint8_t)params->ret);
	enc_str(buf, params->envid);
	enc_u32(buf, params->hold_s);
	enc_u64(buf, (uint64_t)params->hold_until);
	enc_u8(buf, (uint8_t)params->by_mode);
	enc_u8(buf, params->by_trace);
}

static void dec_params(struct dec *dec, struct smtp_mail_params *params)
{
	*params = (struct smtp_mail_params){
		.given = (unsigned)dec_var_max(dec, 2 * SMTP_PARAM_MT_PRIORITY - 1)};
	params->body = (enum smtp_body)dec_var_max(dec, SMTP_BODY_BINARYMIME);
	params->ret = (enum smtp_ret)dec_var_max(dec, SMTP_RET_HDRS);
	params->envid = dec_bounded(dec, QUEUE_ENVID_MAX);
	params->hold_s = dec_u32(dec);
	params->hold_until = (int64_t)dec_u64(dec);
	params->by_mode = (enum smtp_by_mode)dec_var_max(dec, SMTP_BY_RETURN);
	params->by_trace = dec_bool(dec);
}

/* RCPT by RCPT, so that what all its places share goes once. */
static void enc_rcpt(struct buf *buf, const struct deliver_mail *mail,
		     const struct deliver_rcpt *rcpt)
{
	const struct queue_recipient *places = &mail->places[rcpt->first];

	enc_str(buf, rcpt->address);
	enc_var(buf, rcpt->count);
	if (rcpt->count == 0)
		return;
	enc_str(buf, places[0].orcpt);
	enc_u8(buf, places[0].notify);
	for (size_t i = 0; i < rcpt->count; i++) {
		enc_u8(buf, (uint8_t)places[i].kind);
		enc_var(buf, places[i].account);
		enc_str(buf, places[i].address);
	}
}

void deliver_encode_mail(struct buf *fields, const struct deliver_mail *mail)
{
	enc_u8(fields, mail->is_again);
	enc_u8(fields, (uint8_t)mail->source);
	enc_u64(fields, mail->session);
	enc_str(fields, mail->peer);
	enc_str(fields, mail->client);
	enc_u8(fields, mail->is_host_valid);
	enc_str(fields, mail->protocol);
	enc_str(fields, mail->tls);
	enc_var(fields, mail->account);
	enc_str(fields, mail->grant);
	enc_u32(fields, mail->uid);
	enc_str(fields, mail->id);
	enc_u64(fields, (uint64_t)mail->received_at);
	enc_str(fields, mail->sender);
	enc_params(fields, &mail->params);
	enc_u64(fields, (uint64_t)mail->deliver_by);
	enc_u8(fields, mail->is_each);
	enc_var(fields, mail->place_count);
	enc_var(fields, mail->rcpt_count);
	for (size_t i = 0; i < mail->rcpt_count; i++)
		enc_rcpt(fields, mail, &mail->rcpts[i]);
}

static void dec_rcpt(struct dec *dec, struct deliver_rcpt *rcpt,
		     struct queue_recipient *places, size_t room)
{
	struct queue_recipient shared = {.kind = QUEUE_LOCAL};

	rcpt->address = shared.original = dec_bounded(dec, QUEUE_ADDRESS_MAX);
	rcpt->count = dec_var_max(dec, room);
	if (rcpt->count == 0 || !dec_ok(dec))
		return;
	shared.orcpt = dec_bounded(dec, QUEUE_ORCPT_MAX);
	shared.notify = dec_u8(dec);
	for (size_t i = 0; i < rcpt->count && dec_ok(dec); i++) {
		places[i] = shared;
		places[i].kind = (enum queue_kind)dec_var_max(dec, QUEUE_REMOTE);
		places[i].account = (account_t)dec_var_max(dec, UINT32_MAX);
		places[i].address = dec_bounded(dec, QUEUE_ADDRESS_MAX);
	}
}

static bool dec_rcpts(struct dec *dec, struct arena *arena, struct deliver_mail *mail)
{
	mail->place_count = dec_var_max(dec, DELIVER_PLACES_MAX);
	mail->rcpt_count = dec_var_max(dec, DELIVER_RCPTS_MAX);
	if (!dec_ok(dec) || mail->rcpt_count == 0 || mail->place_count == 0)
		return false;
	struct deliver_rcpt *rcpts =
		ARENA_ARRAY(arena, struct deliver_rcpt, mail->rcpt_count);
	struct queue_recipient *places =
		ARENA_ARRAY(arena, struct queue_recipient, mail->place_count);
	size_t used = 0;

	if (!rcpts || !places)
		return false;
	for (size_t i = 0; i < mail->rcpt_count && dec_ok(dec); i++) {
		rcpts[i].first = used;
		dec_rcpt(dec, &rcpts[i], places + used, mail->place_count - used);
		used += rcpts[i].count;
	}
	mail->rcpts = rcpts;
	mail->places = places;
	return dec_ok(dec) && used == mail->place_count;
}

/* A person has an account, and nobody else; who answers for each recipient has places for
 * each. */
static bool is_sound(const struct deliver_mail *mail)
{
	bool is_person = mail->source == DELIVER_PERSON;

	if (is_person != (mail->account != ACCOUNT_SYSTEM) || mail->id.len == 0 ||
	    mail->text.len > DELIVER_TEXT_MAX)
		return false;
	for (size_t i = 0; mail->is_each && i < mail->rcpt_count; i++)
		if (mail->rcpts[i].count == 0)
			return false;
	return true;
}

bool deliver_decode_mail(struct str fields, struct str text, struct arena *arena,
			 struct deliver_mail *mail)
{
	struct dec dec = dec_over(fields);

	*mail = (struct deliver_mail){.is_again = dec_bool(&dec)};
	mail->source = (enum deliver_source)dec_var_max(&dec, DELIVER_LMTP);
	mail->session = dec_u64(&dec);
	mail->peer = dec_bounded(&dec, WORD_MAX);
	mail->client = dec_bounded(&dec, CLIENT_MAX);
	mail->is_host_valid = dec_bool(&dec);
	mail->protocol = dec_bounded(&dec, WORD_MAX);
	mail->tls = dec_bounded(&dec, WORD_MAX);
	mail->account = (account_t)dec_var_max(&dec, UINT32_MAX);
	mail->grant = dec_bounded(&dec, GRANT_BYTES_MAX);
	mail->uid = dec_u32(&dec);
	mail->id = dec_bounded(&dec, QUEUE_ID_BYTES);
	mail->received_at = (int64_t)dec_u64(&dec);
	mail->sender = dec_bounded(&dec, QUEUE_ADDRESS_MAX);
	dec_params(&dec, &mail->params);
	mail->deliver_by = (int64_t)dec_u64(&dec);
	mail->is_each = dec_bool(&dec);
	if (!dec_rcpts(&dec, arena, mail))
		return false;
	mail->text = text;
	return dec.rest.len == 0 && is_sound(mail);
}

/* ---- a report ---------------------------------------------------------------------- */

void deliver_encode_report(struct buf *fields, const struct deliver_report *report)
{
	enc_str(fields, report->id);
	enc_u64(fields, (uint64_t)report->received_at);
	enc_str(fields, report->sender);
	enc_str(fields, report->envid);
	enc_u8(fields, report->body_kind);
	enc_var(fields, report->count);
	for (size_t i = 0; i < report->count; i++) {
		const struct deliver_refused *refused = &report->refused[i];

		enc_str(fields, refused->original);
		enc_str(fields, refused->orcpt);
		enc_u8(fields, refused->notify);
		enc_u16(fields, refused->status.class);
		enc_u16(fields, refused->status.subject);
		enc_u16(fields, refused->status.detail);
		enc_str(fields, str_first(refused->said, DELIVER_SAID_MAX));
	}
}

bool deliver_decode_report(struct str fields, struct str header, struct arena *arena,
			   struct deliver_report *report)
{
	struct dec dec = dec_over(fields);

	*report = (struct deliver_report){.id = dec_bounded(&dec, QUEUE_ID_BYTES)};
	report->received_at = (int64_t)dec_u64(&dec);
	report->sender = dec_bounded(&dec, QUEUE_ADDRESS_MAX);
	report->envid = dec_bounded(&dec, QUEUE_ENVID_MAX);
	report->body_kind = dec_u8(&dec);
	report->count = dec_var_max(&dec, DELIVER_RCPTS_MAX);
	struct deliver_refused *list =
		ARENA_ARRAY(arena, struct deliver_refused, report->count);

	if (!dec_ok(&dec) || report->count == 0 || !list)
		return false;
	for (size_t i = 0; i < report->count && dec_ok(&dec); i++) {
		list[i].original = dec_bounded(&dec, QUEUE_ADDRESS_MAX);
		list[i].orcpt = dec_bounded(&dec, QUEUE_ORCPT_MAX);
		list[i].notify = dec_u8(&dec);
		list[i].status.class = dec_u16(&dec);
		list[i].status.subject = dec_u16(&dec);
		list[i].status.detail = dec_u16(&dec);
		list[i].said = dec_bounded(&dec, DELIVER_SAID_MAX);
	}
	report->refused = list;
	report->header = header;
	return dec_ok(&dec) && dec.rest.len == 0 && report->id.len > 0;
}

/* ---- answers ----------------------------------------------------------------------- */

void deliver_encode_answers(struct buf *body, const struct deliver_answer *answers,
			    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enc_u16(body, (uint16_t)answers[i].code);
		enc_str(body, str_c(answers[i].enhanced));
		enc_str(body, answers[i].text);
	}
}

bool deliver_decode_answers(struct str body, struct arena *arena,
			    struct deliver_answer *answers, size_t count)
{
	struct dec dec = dec_over(body);

	for (size_t i = 0; i < count && dec_ok(&dec); i++) {
		struct smtp_enhanced unused;

		answers[i].code = dec_u16(&dec);
		struct str enhanced = dec_bounded(&dec, sizeof answers[i].enhanced - 1);
		struct str text = dec_bounded(&dec, DELIVER_SAID_MAX);

		if (answers[i].code != 0 &&
		    (answers[i].code < 200 || answers[i].code > 599 ||
		     !smtp_enhanced_parse(enhanced, &unused)))
			return false;
		if (!str_to_c(enhanced, answers[i].enhanced,
			      sizeof answers[i].enhanced) ||
		    !arena_copy(arena, text, &answers[i].text))
			return false;
	}
	return dec_done(&dec);
}
