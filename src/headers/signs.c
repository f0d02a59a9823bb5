#include "headers/part.h"
#include "mailauth/dmarc_walk.h"
#include "wire/mail/message_id.h"

#define NOTE(work, weight, code, ...)                                                    \
	headers_note_add(work, weight, code, arena_printf((work)->arena, __VA_ARGS__))

static bool has(const struct work *work, const char *name)
{
	return mail_header_find(&work->header, str_c(name)) != NULL;
}

/* ---- addresses --------------------------------------------------------------------- */

static struct str domain_in(struct work *work, struct str address)
{
	size_t at = str_rfind_byte(address, '@');
	struct str domain;

	if (at == address.len ||
	    !dmarc_domain(str_skip(address, at + 1), work->arena, &domain))
		return STR("");
	return domain;
}

/* "ann@bank.example" <eve@elsewhere.example> */
static void look_at_name(struct work *work)
{
	const struct mail_address *author =
		mail_first_mailbox(&work->envelope.lists[MAIL_FROM_LIST]);
	struct str name = work->headers->from, whole = work->headers->from_address;
	size_t angle = str_rfind_byte(name, '<'), at;

	if (!author || angle == name.len)
		return;
	name = str_first(name, angle);
	at = str_find_byte(name, '@');
	if (at == name.len)
		return;
	size_t begin = at, end = at + 1;

	while (begin > 0 && !memchr(" \t\"'<([", name.ptr[begin - 1], 7))
		begin--;
	while (end < name.len && !memchr(" \t\"'>)],;", name.ptr[end], 9))
		end++;
	struct str shown = {name.ptr + begin, end - begin};
	struct str domain = domain_in(work, shown);

	if (begin == at || domain.len == 0 || str_same_nocase(shown, whole))
		return;
	NOTE(work,
	     headers_are_kin(domain, work->headers->from_domain) ? HEADERS_INFO
								 : HEADERS_ALARM,
	     "name-is-address",
	     "The name of the sender looks like the address %.*s, but the mail is from "
	     "%.*s.",
	     STR_FMT(shown), STR_FMT(whole));
}

static void look_at_reply_to(struct work *work)
{
	const struct mail_address *reply =
		mail_first_mailbox(&work->envelope.lists[MAIL_REPLY_TO_LIST]);
	struct str domain;

	if (!reply || !dmarc_domain(reply->domain, work->arena, &domain) ||
	    headers_are_kin(domain, work->headers->from_domain) ||
	    str_same_nocase(domain, work->headers->from_domain))
		return;
	NOTE(work, work->headers->is_list ? HEADERS_INFO : HEADERS_ODD,
	     "reply-to-differs", "Answers go to another domain than the sender's: %.*s.",
	     STR_FMT(domain));
}

static void look_at_return_path(struct work *work)
{
	struct headers *headers = work->headers;
	struct str domain = domain_in(work, headers->return_path);

	if (headers->has_return_path && headers->return_path.len == 0)
		NOTE(work, HEADERS_INFO, "return-path-null",
		     "The envelope's sender is empty: this is a report, or an automatic "
		     "answer.");
	if (domain.len == 0 || headers_are_kin(domain, headers->from_domain) ||
	    str_same_nocase(domain, headers->from_domain))
		return;
	NOTE(work, HEADERS_INFO, "return-path-differs",
	     "The envelope's sender is of another domain than From: %.*s%s.",
	     STR_FMT(domain), headers->is_list ? ", as with mailing lists" : "");
}

static void look_at_message_id(struct work *work)
{
	struct mail_ids ids = mail_ids_parse(work->arena, work->envelope.message_id, 1);
	struct str domain = ids.count > 0 ? domain_in(work, ids.items[0]) : STR("");

	if (!has(work, "Message-ID")) {
		NOTE(work, HEADERS_ODD, "no-message-id", "There is no Message-ID.");
		return;
	}
	if (ids.count == 0)
		NOTE(work, HEADERS_ODD, "message-id-malformed",
		     "The Message-ID does not follow the grammar.");
	else if (domain.len > 0 && !headers_are_kin(domain, work->headers->from_domain))
		NOTE(work, HEADERS_INFO, "message-id-differs",
		     "The Message-ID was made by another domain than the sender's: %.*s.",
		     STR_FMT(domain));
}

/* ---- fields ------------------------------------------------------------------------ */

/* RFC 5322 §3.6: each MUST stand there once, or at most once. */
static void look_at_counts(struct work *work)
{
	static const char *const once[] = {"From",       "Date",        "Subject",
					   "To",         "Sender",      "Reply-To",
					   "Message-ID", "In-Reply-To", "References"};

	for (size_t i = 0; i < COUNT_OF(once); i++) {
		size_t count = headers_count(work, once[i]);

		if (count > 1)
			NOTE(work, i == 0 ? HEADERS_ALARM : HEADERS_ODD, "field-repeated",
			     "The field %s stands there %zu times.", once[i], count);
	}
	if (!has(work, "From"))
		NOTE(work, HEADERS_ODD, "no-from", "There is no From field.");
	else if (work->headers->from_domain.len == 0)
		NOTE(work, HEADERS_ODD, "from-without-address",
		     "From holds no address with a domain.");
	if (work->headers->mended > 0)
		NOTE(work, HEADERS_INFO, "mended",
		     "The header was not as mail has it; %zu lines were put right.",
		     work->headers->mended);
	if (work->headers->is_cut)
		NOTE(work, HEADERS_ODD, "cut",
		     "The header is very long; not all of it was looked at.");
}

static void look_at_date(struct work *work)
{
	const struct headers *headers = work->headers;
	const struct headers_hop *last = NULL;
	int64_t ahead;

	for (size_t i = headers->hop_count; i > 0 && !last; i--) {
		if (headers->hops[i - 1].received.has_date)
			last = &headers->hops[i - 1];
	}
	if (!work->envelope.has_date) {
		NOTE(work, HEADERS_ODD, has(work, "Date") ? "date-malformed" : "no-date",
		     has(work, "Date") ? "Date holds no date." : "There is no Date.");
		return;
	}
	if (!last)
		return;
	ahead = work->envelope.date.unix_s - last->received.date.unix_s;
	if (ahead > 3600)
		NOTE(work, HEADERS_ODD, "date-ahead",
		     "Date is %lld minutes after the mail's arrival.",
		     (long long)(ahead / 60));
	if (ahead < -7 * 86400)
		NOTE(work, HEADERS_INFO, "date-behind",
		     "Date is %lld days before the mail's arrival.",
		     (long long)(-ahead / 86400));
}

static void look_at_hops(struct work *work)
{
	const struct headers *headers = work->headers;

	if (headers->hop_count == 0)
		NOTE(work, HEADERS_ODD, "no-received",
		     "There is no Received field: nothing is known of its way.");
	if (headers->not_understood > 0)
		NOTE(work, HEADERS_INFO, "received-not-understood",
		     "%zu Received fields could not be understood.",
		     headers->not_understood);
	for (size_t i = 0; i < headers->hop_count; i++) {
		if (!headers->hops[i].is_skewed)
			continue;
		NOTE(work, HEADERS_INFO, "clock-skew",
		     "Clocks disagree: step %zu says that it was %lld s before step %zu.",
		     i + 1, (long long)-headers->hops[i].delay_s, i);
		return; /* one is enough: the steps name the others */
	}
}

/* RFC 2919, RFC 3834 §5 */
static void look_for_kinds(struct work *work)
{
	struct headers *headers = work->headers;
	struct str automatic = headers_value(work, "Auto-Submitted");
	struct str precedence = headers_value(work, "Precedence");

	headers->is_list = has(work, "List-Id") || has(work, "List-Post") ||
			   has(work, "X-BeenThere") ||
			   str_same_nocase(precedence, STR("list"));
	headers->is_automatic =
		(automatic.len > 0 && !str_starts_nocase(automatic, STR("no"))) ||
		str_same_nocase(precedence, STR("auto_reply")) ||
		str_same_nocase(precedence, STR("bulk")) ||
		str_same_nocase(precedence, STR("junk"));
	if (headers->is_list)
		NOTE(work, HEADERS_INFO, "list", "It came by a mailing list%s%.*s.",
		     has(work, "List-Id") ? ": " : "",
		     STR_FMT(headers_value(work, "List-Id")));
	if (headers->is_automatic)
		NOTE(work, HEADERS_INFO, "automatic", "A program sent it, not a person.");
	if (headers->originating.len > 0)
		NOTE(work, HEADERS_INFO, "originating-ip",
		     "X-Originating-IP claims that it was written at %.*s.",
		     STR_FMT(headers->originating));
}

void headers_find_signs(struct work *work)
{
	look_for_kinds(work);
	look_at_name(work);
	look_at_counts(work);
	look_at_reply_to(work);
	look_at_return_path(work);
	look_at_message_id(work);
	look_at_date(work);
	look_at_hops(work);
}
