/* Whole SMTP sessions with any input, in any order.  The first octet chooses the port and
 * how commits end.  What must hold whatever the client says:
 * - every line we send is a line of a reply;
 * - "Accepted" is said once for each commit that was durable, and never else;
 * - nothing for another domain is taken from who has not logged in;
 * - what is stored has only whole lines and no NUL, unless it is binary, and no
 *   Return-Path of the client's. */
#include "base/log.h"
#include "deliver/codec.h"
#include "deliverd/accept.h"
#include "door/door.h"
#include "policy/message.h"
#include "smtpd/smtpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct conn conn;
static struct smtpd_service service;
static enum store_outcome ends_as;
static unsigned stored_count;
static bool may_be_binary; /* the input says so somewhere */

static bool says_binary(struct str input)
{
	for (; input.len > 0; input = str_skip(input, 1))
		if (str_starts_nocase(input, STR("BINARYMIME")))
			return true;
	return false;
}

static void check_lines(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		ASSERT(text.ptr[i] != 0);
		ASSERT(text.ptr[i] != '\n' || (i > 0 && text.ptr[i - 1] == '\r'));
		ASSERT(text.ptr[i] != '\r' ||
		       (i + 1 < text.len && text.ptr[i + 1] == '\n'));
	}
}

static void check_text(struct str text)
{
	if (!may_be_binary)
		check_lines(text);
	ASSERT(message_look(text, STR("mx.example.org")).foreign_count == 0);
}

static void check_queue(const struct op_queue_add *add, account_t account)
{
	check_text(add->body.raw);
	ASSERT(add->count >= 1 && add->id.len > 0 && add->id.len <= 32);
	for (size_t i = 0; i < add->count; i++)
		ASSERT(add->recipients[i].kind == QUEUE_LOCAL || account != 0);
}

static enum store_outcome on_commit(const struct store_commit *commit)
{
	ASSERT(commit->count == 1 && commit->key.len > 0);
	if (commit->ops[0].kind == OP_QUEUE_ADD) {
		check_queue(&commit->ops[0].queue_add, commit->account);
	} else {
		const struct op_append *append = &commit->ops[0].append;

		ASSERT(commit->ops[0].kind == OP_APPEND && commit->account != 0);
		ASSERT(append->mailbox == MAILBOX_INBOX);
		ASSERT(str_starts(append->trace, STR("Return-Path: <")));
		check_lines(append->trace);
		check_text(append->body.raw);
	}
	if (ends_as == STORE_OK)
		stored_count++;
	return ends_as;
}

static void check_replies(struct str out)
{
	unsigned accepted_count = 0;

	while (out.len > 0) {
		size_t end = str_find(out, STR("\r\n"));
		struct str line = str_first(out, end);

		ASSERT(end < out.len && line.len >= 4 && line.len <= 510);
		ASSERT(line.ptr[0] >= '2' && line.ptr[0] <= '5');
		ASSERT(line.ptr[3] == ' ' || line.ptr[3] == '-');
		accepted_count += str_starts(line, STR("250 2.0.0 Accepted"));
		out = str_skip(out, end + 2);
	}
	ASSERT(accepted_count == stored_count);
}

/* As if the deliverd process were here: what goes over the channel arrives. */
void deliver_mail(struct deliver *deliver, const struct deliver_mail *mail,
		  struct arena *arena, struct deliver_answer *answers)
{
	const struct deliverd_options options = {
		.policy = {.hostname = service.hostname}};
	struct buf octets = BUF(DELIVER_FIELDS_MAX), reply = BUF(DELIVER_ANSWERS_BYTES);
	size_t count = deliver_answers(mail);
	struct deliver_mail got;

	(void)deliver;
	deliver_encode_mail(&octets, mail);
	ASSERT(deliver_decode_mail(buf_str(&octets), mail->text, arena, &got) &&
	       deliver_answers(&got) == count);
	accept_mail(&options, &got, NULL, arena, answers);
	deliver_encode_answers(&reply, answers, count);
	ASSERT(deliver_decode_answers(buf_str(&reply), arena, answers, count));
	buf_fini(&octets);
	buf_fini(&reply);
}

void deliver_ahead(struct deliver *deliver, struct deliver_ahead *ahead, struct str text)
{
	(void)deliver;
	ASSERT(ahead->is_lost || text.len >= ahead->text); /* it only grows */
	ahead->text = text.len;
}

void deliver_ahead_drop(struct deliver_ahead *ahead)
{
	*ahead = (struct deliver_ahead){.is_lost = true};
}

static void session(void)
{
	smtpd_session(&conn, &service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int tls;

	if (len == 0)
		return 0;
	log_level_max = LOG_ERROR;
	enum smtpd_kind other = data[0] & 32 ? SMTPD_LMTP : SMTPD_MX;

	service = (struct smtpd_service){
		.kind = data[0] & 1 ? SMTPD_SUBMISSION : other,
		.hostname = STR("mx.example.org"),
		.tls = (struct tls_server *)(void *)&tls, /* never looked into */
		.message_bytes_max = 4000,
		.recipients_max = 5,
		.is_dev = true,
	};
	ends_as = data[0] & 2 ? (enum store_outcome)(data[0] >> 2 & 7) : STORE_OK;
	stored_count = 0;
	may_be_binary = says_binary((struct str){(const char *)data, len});
	door_on_commit = on_commit;
	door_conn(&conn, (struct str){(const char *)data + 1, len - 1}, data[0] & 1);
	door_run(session);
	ASSERT(buf_ok(&conn.output));
	check_replies(buf_str(&conn.output));
	buf_fini(&conn.output);
	return 0;
}
