#include "wire/smtp/param.h"

#include "base/civil.h"
#include "base/num.h"
#include "base/utf8.h"

enum { ENVID_MAX = 100, ORCPT_MAX = 500, AUTH_MAX = 500 }; /* RFC 3461 §4.2, §4.4 */

/* What the parameters of one command are parsed into; one of the two is set. */
struct target {
	struct smtp_mail_params *mail;
	struct smtp_rcpt_params *rcpt;
	struct arena *arena;
};

bool smtp_xtext_decode(struct str text, struct buf *out)
{
	size_t len = out->len;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char b = (unsigned char)text.ptr[i];

		if (b == '+') {
			int high = i + 1 < text.len ? num_hex(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? num_hex(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				break;
			b = (unsigned char)(high << 4 | low);
			i += 2;
			if (b < 32 || b == 127)
				break;
		} else if (b < 33 || b == 127 || b == '=') {
			break;
		}
		buf_add_byte(out, (char)b);
		if (i + 1 == text.len && buf_ok(out))
			return true;
	}
	buf_cut(out, len);
	return text.len == 0;
}

void smtp_xtext_add(struct buf *out, struct str plain)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < plain.len; i++) {
		unsigned char b = (unsigned char)plain.ptr[i];

		if (b > 32 && b < 127 && b != '+' && b != '=') {
			buf_add_byte(out, (char)b);
			continue;
		}
		buf_add_byte(out, '+');
		buf_add_byte(out, digits[b >> 4]);
		buf_add_byte(out, digits[b & 15]);
	}
}

void smtp_date_time_add(struct buf *out, int64_t unix_s)
{
	struct civil at = civil_from_unix(unix_s, 0);

	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", at.year, at.month, at.day,
		   at.hour, at.minute, at.second);
}

/* The decoded value in the arena. */
static enum smtp_fault xtext(struct str value, struct arena *arena, struct str *decoded)
{
	SCOPED(buf_fini) struct buf buf = BUF(ORCPT_MAX);

	if (!smtp_xtext_decode(value, &buf) || !utf8_valid(buf_str(&buf)))
		return SMTP_FAULT_PARAM;
	return arena_copy(arena, buf_str(&buf), decoded) ? SMTP_FAULT_NONE
							 : SMTP_FAULT_MEMORY;
}

/* size-value = 1*20DIGIT.  RFC 1870 §3.  More than 64 bits is just very much. */
static enum smtp_fault on_size(struct str value, struct target *to)
{
	for (size_t i = 0; i < value.len; i++)
		if (!is_ascii_digit((unsigned char)value.ptr[i]))
			return SMTP_FAULT_PARAM;
	if (value.len == 0 || value.len > 20)
		return SMTP_FAULT_PARAM;
	if (!num_parse(value, UINT64_MAX, &to->mail->size))
		to->mail->size = UINT64_MAX;
	return SMTP_FAULT_NONE;
}

static enum smtp_fault on_body(struct str value, struct target *to)
{
	if (str_same_nocase(value, STR("7BIT")))
		to->mail->body = SMTP_BODY_7BIT;
	else if (str_same_nocase(value, STR("8BITMIME")))
		to->mail->body = SMTP_BODY_8BITMIME;
	else if (str_same_nocase(value, STR("BINARYMIME")))
		to->mail->body = SMTP_BODY_BINARYMIME;
	else
		return SMTP_FAULT_PARAM;
	return SMTP_FAULT_NONE;
}

/* SMTPUTF8, REQUIRETLS: to be there is all. */
static enum smtp_fault on_flag(struct str value, struct target *to)
{
	(void)to;
	return value.len == 0 ? SMTP_FAULT_NONE : SMTP_FAULT_PARAM;
}

/* AUTH=mailbox as xtext, or "<>".  RFC 4954 §5. */
static enum smtp_fault on_auth(struct str value, struct target *to)
{
	if (value.len == 0 || value.len > AUTH_MAX)
		return SMTP_FAULT_PARAM;
	return xtext(value, to->arena, &to->mail->auth);
}

static enum smtp_fault on_ret(struct str value, struct target *to)
{
	if (str_same_nocase(value, STR("HDRS")))
		to->mail->ret = SMTP_RET_HDRS;
	else if (!str_same_nocase(value, STR("FULL")))
		return SMTP_FAULT_PARAM;
	return SMTP_FAULT_NONE;
}

/* Before encoding only printable ASCII.  RFC 3461 §4.4. */
static enum smtp_fault on_envid(struct str value, struct target *to)
{
	if (value.len == 0 || value.len > ENVID_MAX)
		return SMTP_FAULT_PARAM;
	enum smtp_fault fault = xtext(value, to->arena, &to->mail->envid);

	if (fault == SMTP_FAULT_NONE &&
	    utf8_ascii_len(to->mail->envid) < to->mail->envid.len)
		return SMTP_FAULT_PARAM;
	return fault;
}

/* NEVER stands alone.  RFC 3461 §4.1. */
static enum smtp_fault on_notify(struct str value, struct target *to)
{
	static const struct {
		struct str word;
		enum smtp_notify bit;
	} words[] = {{STR("NEVER"), SMTP_NOTIFY_NEVER},
		     {STR("SUCCESS"), SMTP_NOTIFY_SUCCESS},
		     {STR("FAILURE"), SMTP_NOTIFY_FAILURE},
		     {STR("DELAY"), SMTP_NOTIFY_DELAY}};
	unsigned notify = 0;
	bool is_last;

	do {
		is_last = str_find_byte(value, ',') == value.len;
		struct str word = str_cut(&value, ',');
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT_OF(words); i++)
			if (str_same_nocase(word, words[i].word))
				bit = words[i].bit;
		if (bit == 0)
			return SMTP_FAULT_PARAM;
		notify |= bit;
	} while (!is_last);
	if ((notify & SMTP_NOTIFY_NEVER) && notify != SMTP_NOTIFY_NEVER)
		return SMTP_FAULT_PARAM;
	to->rcpt->notify = notify;
	return SMTP_FAULT_NONE;
}

/* addr-type ";" xtext.  RFC 3461 §4.2; with type "utf-8" also plain UTF-8, RFC 6533 §3.
 */
static enum smtp_fault on_orcpt(struct str value, struct target *to)
{
	if (value.len > ORCPT_MAX)
		return SMTP_FAULT_PARAM;
	struct str type = str_first(value, str_find_byte(value, ';'));
	struct str address = str_skip(value, type.len + 1);
	struct cursor c = cur_over(type);

	if (cur_run(&c, CSET_ATEXT) == 0 || !cur_done(c) || address.len == 0)
		return SMTP_FAULT_PARAM;
	to->rcpt->orcpt_type = type;
	if (utf8_ascii_len(address) < address.len && !str_same_nocase(type, STR("utf-8")))
		return SMTP_FAULT_PARAM;
	return xtext(address, to->arena, &to->rcpt->orcpt);
}

static enum smtp_fault on_hold_for(struct str value, struct target *to)
{
	uint64_t number;

	if (!num_parse(value, 999999999, &number) || number == 0)
		return SMTP_FAULT_PARAM;
	to->mail->hold_s = (uint32_t)number;
	return SMTP_FAULT_NONE;
}

/* One number of a date and what stands after it. */
static bool date_part(struct cursor *c, size_t digits, const char *stops, int *part)
{
	uint64_t number;

	if ((size_t)(c->end - c->at) < digits + 1 ||
	    !num_parse((struct str){c->at, digits}, 9999, &number))
		return false;
	c->at += digits;
	*part = (int)number;
	for (; *stops; stops++)
		if (cur_byte(c, *stops))
			return true;
	return false;
}

/* Internet-style-date-time-UTC: "2026-08-01T12:00:00Z".  RFC 4865 §3, RFC 3339 §5.6. */
static enum smtp_fault on_hold_until(struct str value, struct target *to)
{
	struct cursor c = cur_over(value);
	struct civil at = {0};

	if (!date_part(&c, 4, "-", &at.year) || !date_part(&c, 2, "-", &at.month) ||
	    !date_part(&c, 2, "Tt", &at.day) || !date_part(&c, 2, ":", &at.hour) ||
	    !date_part(&c, 2, ":", &at.minute) || !date_part(&c, 2, ".Zz", &at.second))
		return SMTP_FAULT_PARAM;
	if (c.at[-1] == '.') { /* parts of a second are of no use here */
		if (cur_run(&c, CSET_LET_DIG) < 2 || ascii_lower(c.at[-1]) != 'z')
			return SMTP_FAULT_PARAM;
	}
	if (!cur_done(c) || !civil_is_valid(at))
		return SMTP_FAULT_PARAM;
	to->mail->hold_until = civil_to_unix(at);
	return SMTP_FAULT_NONE;
}

/* by-value = by-time ";" by-mode [by-trace].  RFC 2852 §4. */
static enum smtp_fault on_by(struct str value, struct target *to)
{
	bool is_negative = str_starts(value, STR("-"));
	uint64_t number;

	if (is_negative || str_starts(value, STR("+")))
		value = str_skip(value, 1);
	if (!num_parse(str_cut(&value, ';'), 999999999, &number))
		return SMTP_FAULT_PARAM;
	to->mail->by_s = is_negative ? -(int32_t)number : (int32_t)number;
	to->mail->by_trace = value.len == 2 && ascii_upper(value.ptr[1]) == 'T';
	if (value.len != (to->mail->by_trace ? 2 : 1))
		return SMTP_FAULT_PARAM;
	if (ascii_upper(value.ptr[0]) == 'R')
		to->mail->by_mode = SMTP_BY_RETURN;
	else if (ascii_upper(value.ptr[0]) != 'N')
		return SMTP_FAULT_PARAM;
	if (to->mail->by_mode == SMTP_BY_RETURN && to->mail->by_s <= 0)
		return SMTP_FAULT_PARAM;
	return SMTP_FAULT_NONE;
}

/* priority-value = (["-"] NZDIGIT) / "0".  RFC 6710 §6. */
static enum smtp_fault on_priority(struct str value, struct target *to)
{
	bool is_negative = str_starts(value, STR("-"));

	if (is_negative)
		value = str_skip(value, 1);
	if (value.len != 1 || !is_ascii_digit((unsigned char)value.ptr[0]) ||
	    (is_negative && value.ptr[0] == '0'))
		return SMTP_FAULT_PARAM;
	to->mail->priority = (value.ptr[0] - '0') * (is_negative ? -1 : 1);
	return SMTP_FAULT_NONE;
}

struct known {
	struct str keyword;
	enum smtp_param bit;
	bool has_value;
	enum smtp_fault (*on_value)(struct str value, struct target *to);
};

static const struct known mail_known[] = {
	{STR("SIZE"), SMTP_PARAM_SIZE, true, on_size},
	{STR("BODY"), SMTP_PARAM_BODY, true, on_body},
	{STR("SMTPUTF8"), SMTP_PARAM_SMTPUTF8, false, on_flag},
	{STR("AUTH"), SMTP_PARAM_AUTH, true, on_auth},
	{STR("RET"), SMTP_PARAM_RET, true, on_ret},
	{STR("ENVID"), SMTP_PARAM_ENVID, true, on_envid},
	{STR("REQUIRETLS"), SMTP_PARAM_REQUIRETLS, false, on_flag},
	{STR("HOLDFOR"), SMTP_PARAM_HOLDFOR, true, on_hold_for},
	{STR("HOLDUNTIL"), SMTP_PARAM_HOLDUNTIL, true, on_hold_until},
	{STR("BY"), SMTP_PARAM_BY, true, on_by},
	{STR("MT-PRIORITY"), SMTP_PARAM_MT_PRIORITY, true, on_priority},
};

static const struct known rcpt_known[] = {
	{STR("NOTIFY"), SMTP_PARAM_NOTIFY, true, on_notify},
	{STR("ORCPT"), SMTP_PARAM_ORCPT, true, on_orcpt},
};

static const struct known *known_find(const struct known *known, size_t count,
				      struct str keyword)
{
	for (size_t i = 0; i < count; i++)
		if (str_same_nocase(known[i].keyword, keyword))
			return &known[i];
	return NULL;
}

/* esmtp-keyword ["=" esmtp-value].  RFC 5321 §4.1.2. */
static enum smtp_fault one_param(struct str word, const struct known *known, size_t count,
				 unsigned *given, struct target *to)
{
	size_t equals = str_find_byte(word, '=');
	const struct known *found = known_find(known, count, str_first(word, equals));

	if (!found)
		return SMTP_FAULT_PARAM_UNKNOWN;
	if ((*given & found->bit) || found->has_value != (equals < word.len))
		return SMTP_FAULT_PARAM;
	*given |= found->bit;
	return found->on_value(str_skip(word, equals + 1), to);
}

static enum smtp_fault params_parse(struct cursor *c, const struct known *known,
				    size_t count, unsigned *given, struct target *to)
{
	struct str rest = {c->at, (size_t)(c->end - c->at)};

	if (rest.len > 0 && rest.ptr[0] != ' ')
		return SMTP_FAULT_ARGUMENTS;
	while (rest.len > 0) {
		struct str word = str_cut(&rest, ' ');

		if (word.len == 0)
			continue; /* lenient: several spaces between parameters */
		enum smtp_fault fault = one_param(word, known, count, given, to);

		if (fault != SMTP_FAULT_NONE)
			return fault;
	}
	c->at = c->end;
	return SMTP_FAULT_NONE;
}

enum smtp_fault smtp_mail_params_parse(struct cursor *c, struct arena *arena,
				       struct smtp_mail_params *params)
{
	struct target to = {.mail = params, .arena = arena};

	*params = (struct smtp_mail_params){0};
	enum smtp_fault fault =
		params_parse(c, mail_known, COUNT_OF(mail_known), &params->given, &to);

	if ((params->given & SMTP_PARAM_HOLDFOR) &&
	    (params->given & SMTP_PARAM_HOLDUNTIL))
		return SMTP_FAULT_PARAM; /* only one of them.  RFC 4865 §4 */
	return fault;
}

enum smtp_fault smtp_rcpt_params_parse(struct cursor *c, struct arena *arena,
				       struct smtp_rcpt_params *params)
{
	struct target to = {.rcpt = params, .arena = arena};

	*params = (struct smtp_rcpt_params){0};
	return params_parse(c, rcpt_known, COUNT_OF(rcpt_known), &params->given, &to);
}
