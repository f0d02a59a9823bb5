/* Handing mail over, to the process that commits it, over the real store: once, whatever
 * is lost in between. */
#include <unistd.h>

#include "deliver/codec.h"
#include "deliver/deliver.h"
#include "deliverd/accept.h"
#include "deliverd/deliverd.h"
#include "directory/directory.h"
#include "directory/dkim_mail.h"
#include "directory/srs_keys.h"
#include "mailauth/fake_dns.h"
#include "net/networks.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "storaged/world.h"

static struct handing {
	struct directory directory;
	struct reporter reporter;
	struct deliverd_options options;
	struct deliverd *deliverd;
	struct deliver *deliver;
	unsigned lost_count;
	void (*test)(void);
} h;

static int serving(void)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	deliverd_serve(h.deliverd, fds[1]);
	return fds[0];
}

static void handing_test(void)
{
	h.directory = (struct directory){w.deliverd, STR("example.org")};
	h.reporter = (struct reporter){.store = w.deliverd,
				       .directory = &h.directory,
				       .hostname = STR("mx.example.org")};
	h.options = (struct deliverd_options){
		.store = w.deliverd,
		.policy = {.hostname = STR("mx.example.org"), .directory = &h.directory},
		.reporter = &h.reporter,
		.held_bytes_max = 4 << 20};
	h.deliverd = deliverd_open(&h.options);
	h.deliver = deliver_open(serving());
	h.test();
	deliver_close(&h.deliver);
	task_yield(); /* the other side notices */
	CHECK(task_sleep_ms(10) == OK);
	deliverd_close(&h.deliverd);
}

static void handing_run(void (*test)(void))
{
	h = (struct handing){.test = test};
	world_run(handing_test);
}

static const struct queue_recipient ann[] = {{.kind = QUEUE_LOCAL,
					      .address = STR("ann@example.org"),
					      .original = STR("ann@example.org"),
					      .account = ANN}};
static const struct queue_recipient both[] = {{.kind = QUEUE_LOCAL,
					       .address = STR("ann@example.org"),
					       .original = STR("ann@example.org"),
					       .account = ANN},
					      {.kind = QUEUE_LOCAL,
					       .address = STR("bob@example.org"),
					       .original = STR("bob@example.org"),
					       .account = BOB}};
static const struct deliver_rcpt rcpts[] = {{STR("ann@example.org"), 0, 1},
					    {STR("bob@example.org"), 1, 1}};

static struct deliver_mail mail_to_ann(struct str text)
{
	return (struct deliver_mail){.peer = STR("192.0.2.1"),
				     .client = STR("mail.example.net"),
				     .is_host_valid = true,
				     .protocol = STR("ESMTP"),
				     .id = STR("0123456789abcdef"),
				     .received_at = clock_s(),
				     .sender = STR("x@example.net"),
				     .rcpts = rcpts,
				     .rcpt_count = 1,
				     .places = ann,
				     .place_count = 1,
				     .text = text};
}

static const struct str hello = {"From: <x@example.net>\r\n\r\nhello\r\n", 31};

/* ---- small and big ----------------------------------------------------------------- */

static void in_one_or_in_parts(void)
{
	static const size_t sizes[] = {0, 100, 300 * 1024, 700 * 1024, 3000 * 1024};
	struct buf text = BUF(4 << 20);
	struct deliver_answer answer;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct deliver_mail mail = mail_to_ann(STR(""));
		struct mailbox_row row = {0};

		mail.id = arena_printf(&w.arena, "id%zu", i);
		while (text.len < sizes[i])
			buf_printf(&text, "line %zu\r\n", text.len);
		mail.text = buf_str(&text);
		deliver_mail(h.deliver, &mail, &w.arena, &answer);
		CHECK(answer.code == 250);
		CHECK(str_starts(answer.text, STR("Accepted as id")));
		CHECK(store_mailbox(w.ctl, ANN, MAILBOX_INBOX, &w.arena, &row) ==
		      STORE_OK);
		CHECK(row.exists == i + 1);
	}
	struct buf body = BUF(4 << 20);
	struct message_row *rows;
	uint32_t next;
	size_t count;

	CHECK(store_rows(w.ctl, ANN, MAILBOX_INBOX, (struct uid_range){5, 5}, ROW_MESSAGE,
			 &w.arena, &rows, &count, &next) == STORE_OK &&
	      count == 1);
	CHECK(store_body(w.ctl, ANN, MESSAGE_REF(rows[0].message), &body) == STORE_OK);
	CHECK_STR(buf_str(&body), buf_str(&text));
	buf_fini(&body);
	buf_fini(&text);
}

TEST(a_mail_of_any_size_is_handed_over)
{
	handing_run(in_one_or_in_parts);
}

/* The text grows, and goes ahead; what the mail is then is what was stored. */
static void goes_ahead(bool is_lost_between, const char *id)
{
	struct deliver_ahead ahead = {0};
	struct deliver_mail mail = mail_to_ann(STR(""));
	struct buf text = BUF(4 << 20), body = BUF(4 << 20);
	struct message_row *rows;
	struct deliver_answer answer;
	uint32_t next;
	size_t count;

	buf_add(&text, hello);
	for (unsigned i = 0; i < 30; i++) {
		while (text.len < (i + 1) * 50 * 1024)
			buf_printf(&text, "%s line %zu\r\n", id, text.len);
		deliver_ahead(h.deliver, &ahead, buf_str(&text));
		CHECK(ahead.is_lost || text.len - ahead.text <= DELIVER_PART_BYTES);
		if (i == 15 && is_lost_between)
			deliver_reconnect(h.deliver, serving());
	}
	CHECK(ahead.is_lost == is_lost_between);
	mail.id = str_c(id);
	mail.text = buf_str(&text);
	mail.ahead = &ahead;
	deliver_mail(h.deliver, &mail, &w.arena, &answer);
	CHECK(answer.code == 250);
	CHECK(store_rows(w.ctl, ANN, MAILBOX_INBOX, (struct uid_range){1, 9}, ROW_MESSAGE,
			 &w.arena, &rows, &count, &next) == STORE_OK);
	CHECK(store_body(w.ctl, ANN, MESSAGE_REF(rows[count - 1].message), &body) ==
	      STORE_OK);
	CHECK_STR(buf_str(&body), buf_str(&text));
	deliver_ahead_drop(&ahead);
	buf_fini(&body);
	buf_fini(&text);
}

static void ahead(void)
{
	struct deliver_ahead dropped = {0};
	struct buf text = BUF(4 << 20);

	goes_ahead(false, "first");
	goes_ahead(true, "second");
	while (text.len < 900 * 1024)
		buf_add(&text, hello);
	for (unsigned i = 0; i < 10; i++) { /* more than may be held */
		dropped = (struct deliver_ahead){0};
		deliver_ahead(h.deliver, &dropped, buf_str(&text));
		CHECK(!dropped.is_lost && dropped.text > 0);
		deliver_ahead_drop(&dropped);
	}
	buf_fini(&text);
}

TEST(a_text_goes_ahead_while_it_comes)
{
	handing_run(ahead);
}

/* ---- lost answers ------------------------------------------------------------------ */

static int losing(void);

/* Commits, and dies before it answers. */
static void lose(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct deliver_answer answers[2];
	struct deliver_mail mail;
	struct arena arena;

	(void)arg;
	CHECK(message->type == DELIVER_MAIL);
	arena_init(&arena, 1 << 20);
	struct dec dec = dec_over(str_skip(message->body, 8));
	struct str fields = dec_bytes(&dec, dec_u32(&dec));

	CHECK(deliver_decode_mail(fields, dec.rest, &arena, &mail));
	CHECK(mail.is_again == (h.lost_count > 0));
	accept_mail(&h.options, &mail, NULL, &arena, answers);
	CHECK(answers[0].code == 250);
	arena_fini(&arena);
	h.lost_count++;
	ipc_close(&ipc);
	deliver_reconnect(h.deliver, h.lost_count < 3 ? losing() : serving());
}

static int losing(void)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	(void)ipc_open("loses", fds[1], lose, NULL, NULL);
	return fds[0];
}

static void answers_lost(void)
{
	struct deliver_answer answers[2];
	struct deliver_mail mail = mail_to_ann(hello);

	deliver_reconnect(h.deliver, losing());
	deliver_mail(h.deliver, &mail, &w.arena, answers);
	CHECK(h.lost_count == 3 && answers[0].code == 250);
	CHECK(exists(ANN) == 1);

	h.lost_count = 0;
	mail.places = both;
	mail.rcpt_count = mail.place_count = 2;
	mail.is_each = true;
	mail.source = DELIVER_LMTP;
	mail.id = STR("another");
	deliver_reconnect(h.deliver, losing());
	deliver_mail(h.deliver, &mail, &w.arena, answers);
	CHECK(h.lost_count == 3 && answers[0].code == 250 && answers[1].code == 250);
	CHECK(exists(ANN) == 2 && exists(BOB) == 1);
}

TEST(a_mail_whose_answer_is_lost_is_delivered_once)
{
	handing_run(answers_lost);
}

/* ---- what cannot be told ----------------------------------------------------------- */

static void verdicts(void)
{
	struct deliver_answer answer;
	struct deliver_mail mail = mail_to_ann(hello);

	mail.source = DELIVER_PERSON;
	mail.account = ANN;
	deliver_mail(h.deliver, &mail, &w.arena, &answer);
	CHECK(answer.code == 550); /* nobody's address */
	mail.is_again = true;
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 0); /* it may have been theirs when it was committed */
	mail.text = STR("Subject: x\r\n\r\n");
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 550); /* it never had a From field */
	CHECK(exists(ANN) == 0);
}

TEST(a_verdict_of_now_does_not_answer_for_then)
{
	handing_run(verdicts);
}

static void nobody_there(void)
{
	struct deliver_answer answer;
	struct deliver_mail mail = mail_to_ann(hello);
	struct deliver *alone = deliver_open(-1);

	deliver_mail(alone, &mail, &w.arena, &answer);
	CHECK(answer.code == 451);
	deliver_close(&alone);
}

TEST(mail_is_deferred_while_nobody_takes_it)
{
	clock_test_start((int64_t)1800000000 * 1000000);
	handing_run(nobody_there);
	clock_test_stop();
}

/* ---- grants ------------------------------------------------------------------------ */

static void people(void)
{
	enum { SMTPD = 40 };
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant grant = {ANN, GRANT_ALL, SMTPD, 1, clock_s() + 3600, 1};
	struct deliver_answer answer;
	struct deliver_mail mail = mail_to_ann(hello);
	struct account_summary summary;

	grant_make(grant_key, &grant, &bytes);
	mail.source = DELIVER_PROGRAM; /* so that From is not looked at */
	mail.places = both;
	mail.rcpt_count = mail.place_count = 2;
	mail.account = ANN;
	mail.grant = buf_str(&bytes);
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 451); /* the door that it was made for is not there */
	struct store *smtpd = store_open(channel_to(GATE_SMTPD, SMTPD));

	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 250);
	CHECK(store_enter(w.deliverd, ANN, mail.grant) == STORE_OK);
	CHECK(store_summary(w.deliverd, ANN, &summary) == STORE_DENIED);
	store_leave(w.deliverd, ANN);
	mail.account = BOB; /* it is not his */
	mail.id = STR("another");
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 451);
	store_close(&smtpd);
	buf_fini(&bytes);
}

TEST(a_person_sends_while_the_door_is_there)
{
	handing_run(people);
}

/* ---- passed on --------------------------------------------------------------------- */

static const struct queue_recipient ann_and_out[] = {
	{.kind = QUEUE_LOCAL,
	 .address = STR("ann@example.org"),
	 .original = STR("info@example.org"),
	 .account = ANN},
	{.kind = QUEUE_REMOTE,
	 .address = STR("eve@far.example"),
	 .original = STR("info@example.org")}};
static const struct deliver_rcpt info[] = {{STR("info@example.org"), 0, 2}};

static struct queue_row *queued(size_t *count)
{
	struct queue_place place = {0};
	struct queue_row *rows = NULL;

	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &place, 50, &w.arena,
			       &rows, count) == STORE_OK);
	return rows;
}

static struct deliver_mail mail_to_info(struct str text)
{
	struct deliver_mail mail = mail_to_ann(text);

	mail.rcpts = info;
	mail.places = ann_and_out;
	mail.place_count = 2;
	return mail;
}

static void passed_on(void)
{
	struct directory ctl = {w.ctl, STR("example.org")};
	struct deliver_mail mail = mail_to_info(hello);
	struct deliver_answer answer;
	size_t count;

	CHECK(directory_add_domain(&ctl, STR("example.org")) == STORE_OK);
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 451); /* there is no key for senders yet */
	CHECK(directory_renew_srs_keys(&h.directory, clock_s()) == STORE_OK);
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 250);
	struct queue_row *rows = queued(&count);

	CHECK(count == 2);
	for (size_t i = 0; i < count; i++) {
		bool is_out = rows[i].recipient.kind == QUEUE_REMOTE;
		struct str field = STR("Delivered-To: info@example.org\r\nReceived: ");

		CHECK(is_out == str_starts(rows[i].trace, field));
		if (!is_out)
			CHECK_STR(rows[i].sender, STR("x@example.net"));
		else
			CHECK(str_starts(rows[i].sender, STR("SRS0=")) &&
			      str_ends(rows[i].sender,
				       STR("=example.net=x@example.org")));
	}
}

TEST(what_leads_out_leaves_with_a_sender_of_ours_and_the_rest_as_it_came)
{
	handing_run(passed_on);
}

static void goes_round(void)
{
	struct deliver_mail mail = mail_to_info(
		STR("Delivered-To: INFO@example.org\r\nFrom: x@example.net\r\n\r\n"));
	struct deliver_answer answer;
	size_t count;

	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 554 && str_same(str_c(answer.enhanced), STR("5.4.6")));
	mail.source = DELIVER_PROGRAM; /* sends it itself */
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 250);
	CHECK_STR(queued(&count)[0].sender, STR("x@example.net"));
	mail.source = DELIVER_STRANGER;
	mail.sender = STR(""); /* a report stays one */
	mail.text = hello;
	mail.id = STR("another");
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	CHECK(answer.code == 250);
	struct queue_row *rows = queued(&count);

	CHECK(count == 4);
	for (size_t i = 0; i < count; i++)
		CHECK(str_same(rows[i].id, mail.id) == (rows[i].sender.len == 0));
}

TEST(what_was_passed_on_before_goes_round_no_more)
{
	handing_run(goes_round);
}

/* ---- an author who gives way ------------------------------------------------------- */

static const struct queue_recipient two_out[] = {{.kind = QUEUE_LOCAL,
						  .address = STR("ann@example.org"),
						  .original = STR("info@example.org"),
						  .account = ANN},
						 {.kind = QUEUE_REMOTE,
						  .address = STR("eve@far.example"),
						  .original = STR("info@example.org")},
						 {.kind = QUEUE_REMOTE,
						  .address = STR("sales@far.example"),
						  .original = STR("sales@example.org")}};
static const struct deliver_rcpt info_and_sales[] = {{STR("info@example.org"), 0, 2},
						     {STR("sales@example.org"), 2, 1}};
static const struct fake_record policies[] = {
	{"_dmarc.reject.example", DNS_TXT, "v=DMARC1; p=reject"},
	{"_dmarc.none.example", DNS_TXT, "v=DMARC1; p=none"},
	{"_dmarc.slow.example", DNS_TXT, NULL},
	{"_dmarc.forged.example", DNS_TXT, "v=DMARC1; p=reject"},
	{"_dmarc.unsure.example", DNS_TXT, "v=DMARC1; p=reject"},
	{"unsure.example", DNS_TXT, NULL},
	{"reject.example", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all"},
	{"none.example", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all"},
};
static struct fake_dns dns;
static const struct networks no_friends;

/* From somebody there, by SPF. */
static unsigned from(const char *domain, const char *id)
{
	struct deliver_mail mail =
		mail_to_ann(arena_printf(&w.arena, "From: X <x@%s>\r\n\r\n", domain));
	struct deliver_answer answer;

	mail.id = str_c(id);
	mail.sender = arena_printf(&w.arena, "x@%s", domain);
	mail.rcpts = info_and_sales;
	mail.rcpt_count = 2;
	mail.places = two_out;
	mail.place_count = 3;
	accept_mail(&h.options, &mail, NULL, &w.arena, &answer);
	return answer.code;
}

static bool has_body(uint64_t message, struct str part)
{
	SCOPED(buf_fini) struct buf body = BUF(1 << 16);

	CHECK(store_body(w.ctl, ACCOUNT_SYSTEM, MESSAGE_REF(message), &body) == STORE_OK);
	return str_find(buf_str(&body), part) < body.len;
}

static void check_rows(const char *id, bool is_rewritten)
{
	size_t count, seen = 0;
	struct queue_row *rows = queued(&count);

	for (size_t i = 0; i < count; i++) {
		const struct queue_row *row = &rows[i];
		bool is_out = row->recipient.kind == QUEUE_REMOTE;
		struct str ours = arena_printf(&w.arena, "\r\n <%.*s>\r\n",
					       STR_FMT(row->recipient.original));

		if (!str_same(row->id, str_c(id)))
			continue;
		seen++;
		CHECK(has_body(row->message, STR("via example.org")) ==
		      (is_out && is_rewritten));
		CHECK(has_body(row->message, ours) == (is_out && is_rewritten));
		CHECK(has_body(row->message, STR("X-Original-From: X <x@")) ==
		      (is_out && is_rewritten));
		if (is_out)
			CHECK(str_starts(
				      row->trace,
				      arena_printf(&w.arena, "Delivered-To: %.*s\r\n",
						   STR_FMT(row->recipient.original))) ||
			      !is_rewritten);
	}
	CHECK(seen == 3);
}

static void gives_way(void)
{
	struct directory ctl = {w.ctl, STR("example.org")};
	struct dkim_mailer mailer = {&h.directory, NULL};

	dns = (struct fake_dns){.records = policies, .count = COUNT_OF(policies)};
	CHECK(directory_add_domain(&ctl, STR("example.org")) == STORE_OK);
	CHECK(directory_renew_srs_keys(&h.directory, clock_s()) == STORE_OK);
	h.options.policy.dns = fake_dns_lookup(&dns);
	h.options.policy.friends = &no_friends;
	h.options.policy.is_dmarc_obeyed = true;
	h.options.rewriter = &mailer;
	CHECK(from("reject.example", "one") == 250);
	check_rows("one", true);
	CHECK(from("none.example", "two") == 250);
	check_rows("two", false);
	CHECK(from("nothing.example", "three") == 250);
	check_rows("three", false);
	CHECK(from("slow.example", "four") == 451); /* nobody knows */
	/* what nothing proves does not leave in our name, even if it comes in */
	h.options.policy.is_dmarc_obeyed = false;
	CHECK(from("forged.example", "forged") == 250);
	check_rows("forged", false);
	CHECK(from("unsure.example", "unsure") == 451);
	h.options.policy.exceptions = STR("192.0.2.1");
	CHECK(from("forged.example", "excused") == 250);
	check_rows("excused", true);
	h.options.rewriter = NULL;
	CHECK(from("reject.example", "five") == 250);
	check_rows("five", false);
	CHECK(from("slow.example", "six") == 250);
	check_rows("six", false);
}

TEST(an_author_gives_way_where_others_would_refuse_the_mail_and_only_there)
{
	handing_run(gives_way);
}

/* ---- a broken-in door -------------------------------------------------------------- */

static uint16_t say(struct ipc *ipc, uint16_t type, struct buf *body)
{
	struct buf reply = BUF(1000);
	uint16_t reply_type = 0;

	CHECK(ipc_call(ipc, type, buf_str(body), -1, deadline_s(10), &reply_type, &reply,
		       NULL) == OK);
	buf_fini(body);
	buf_fini(&reply);
	return reply_type;
}

static uint16_t say_part(struct ipc *ipc, uint64_t number, uint8_t is_fields,
			 uint64_t before, size_t len)
{
	struct buf body = BUF(400 * 1024);

	enc_u64(&body, number);
	enc_u8(&body, is_fields);
	enc_u64(&body, before);
	while (len-- > 0)
		buf_add_byte(&body, 'x');
	return say(ipc, DELIVER_PART, &body);
}

static uint16_t say_last(struct ipc *ipc, uint16_t type, uint64_t number)
{
	struct buf body = BUF(1000);

	enc_u64(&body, number);
	enc_u32(&body, 3);
	buf_add(&body, STR("nonsense"));
	return say(ipc, type, &body);
}

static void nonsense(void)
{
	struct ipc *ipc = ipc_open("broken in", serving(), NULL, NULL, NULL);
	struct buf cut = BUF(100);
	uint64_t before = 0;

	CHECK(say_part(ipc, 0, 0, 0, 6) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 0, 6, 6) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 2, 0, 6) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 0, 0, 0) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 0, 0, 6) == DELIVER_TAKEN);
	CHECK(say_part(ipc, 1, 0, 0, 6) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 0, 5, 6) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 1, 6, 6) == DELIVER_MALFORMED);
	CHECK(say_part(ipc, 1, 1, 0, 6) == DELIVER_TAKEN);
	CHECK(say_part(ipc, 1, 0, 6, 6) == DELIVER_TAKEN);
	enc_u64(&cut, 0);
	CHECK(say(ipc, DELIVER_MAIL, &cut) == DELIVER_MALFORMED);
	CHECK(say_last(ipc, DELIVER_MAIL, 1) == DELIVER_MALFORMED);
	CHECK(say_last(ipc, DELIVER_MAIL, 1) == DELIVER_MALFORMED); /* it has gone */
	CHECK(say_last(ipc, DELIVER_MAIL, 2) == DELIVER_MALFORMED);
	CHECK(say_last(ipc, DELIVER_MAIL, 0) == DELIVER_MALFORMED);
	CHECK(say_last(ipc, DELIVER_REPORT, 0) == DELIVER_MALFORMED);
	CHECK(say_last(ipc, DELIVER_ANSWERS, 0) == DELIVER_MALFORMED);
	for (unsigned i = 0; i < 16; i++, before += 256 * 1024)
		CHECK(say_part(ipc, 10, 0, before, 256 * 1024) == DELIVER_TAKEN);
	CHECK(say_part(ipc, 10, 0, before, 1) == DELIVER_FULL);
	CHECK(say_part(ipc, 11, 0, 0, 1) == DELIVER_FULL);
	ipc_close(&ipc);
	CHECK(task_sleep_ms(10) == OK);
	struct deliver_mail mail = mail_to_ann(hello);
	struct deliver_answer answer;

	deliver_mail(h.deliver, &mail, &w.arena, &answer);
	CHECK(answer.code == 250);
}

TEST(parts_that_do_not_fit_are_refused)
{
	handing_run(nonsense);
}

/* ---- reports ----------------------------------------------------------------------- */

static void reports(void)
{
	const struct deliver_refused refused[] = {{.original = STR("no@example.org"),
						   .status = {5, 1, 1},
						   .said = STR("550 5.1.1 No")}};
	const struct deliver_report report = {.id = STR("0123456789abcdef"),
					      .received_at = clock_s(),
					      .sender = STR("x@example.net"),
					      .refused = refused,
					      .count = 1,
					      .header = STR("Subject: x\r\n")};
	struct queue_place place = {0};
	struct queue_row *rows;
	size_t count;

	CHECK(deliver_report(h.deliver, &report));
	CHECK(deliver_report(h.deliver, &report)); /* told already */
	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &place, 10, &w.arena,
			       &rows, &count) == STORE_OK);
	CHECK(count == 1);
	CHECK_STR(rows[0].recipient.address, STR("x@example.net"));
}

TEST(a_refusal_is_reported_once)
{
	handing_run(reports);
}
