#include "ctl/headers_say.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/num.h"
#include "base/utf8.h"
#include "ctl/word.h"

enum {
	WIDTH = 80,
	WIDTH_MIN = 40,
	WIDTH_MAX = 200,
	BAR = 12,
	LINE_BYTES_MAX = 16 * 1024
};

struct page {
	struct buf *out;
	size_t width;
	bool is_utf8;
};

/* ---- the terminal ------------------------------------------------------------------ */

static size_t width_of_terminal(void)
{
	struct winsize size;
	uint64_t columns = WIDTH;
	const char *said = getenv("COLUMNS");

	if (said && !num_parse(str_c(said), WIDTH_MAX, &columns))
		columns = WIDTH;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		columns = size.ws_col;
	return num_min(num_max(columns, WIDTH_MIN), WIDTH_MAX);
}

static bool is_utf8_shown(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *said = getenv(names[i]);

		if (said && said[0])
			return strcasestr(said, "utf-8") || strcasestr(said, "utf8");
	}
	return false;
}

/* How many characters; each counts as one column. */
static size_t columns(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return count;
}

/* Appends text, wrapped, behind what stands in the line; further lines are indented. */
static void wrap(const struct page *page, struct str text, size_t column, size_t indent)
{
	SCOPED(buf_fini) struct buf shown = BUF(LINE_BYTES_MAX);

	utf8_add_shown(&shown, str_first(text, LINE_BYTES_MAX / 4));
	struct str rest = buf_str(&shown);

	for (bool is_first = true; rest.len > 0; is_first = false) {
		struct str word = str_cut(&rest, ' ');

		if (!is_first && column + 1 + columns(word) > page->width) {
			buf_printf(page->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!is_first) {
			buf_add_byte(page->out, ' ');
			column++;
		}
		buf_add(page->out, word);
		column += columns(word);
	}
	buf_add_byte(page->out, '\n');
}

static void line(const struct page *page, const char *label, struct str text)
{
	if (text.len == 0)
		return;
	buf_printf(page->out, "%-13s", label);
	wrap(page, text, 13, 13);
}

/* ---- hops -------------------------------------------------------------------------- */

static void add_span(struct buf *out, int64_t seconds)
{
	if (seconds < 120)
		buf_printf(out, "%lld s", (long long)seconds);
	else if (seconds < 7200)
		buf_printf(out, "%lld min", (long long)(seconds / 60));
	else if (seconds < 2 * 86400)
		buf_printf(out, "%lld h", (long long)(seconds / 3600));
	else
		buf_printf(out, "%lld days", (long long)(seconds / 86400));
}

static int64_t longest_delay(const struct headers *headers)
{
	int64_t longest = 1;

	for (size_t i = 0; i < headers->hop_count; i++) {
		if (headers->hops[i].has_delay && headers->hops[i].delay_s > longest)
			longest = headers->hops[i].delay_s;
	}
	return longest;
}

/* A clock that runs behind has no bar. */
static void add_bar(const struct page *page, const struct headers_hop *hop,
		    int64_t longest)
{
	int64_t delay = hop->has_delay && hop->delay_s > 0 ? hop->delay_s : 0;
	int64_t length =
		delay > longest / BAR ? delay / (longest / BAR + 1) + 1 : delay > 0;

	for (int64_t i = 0; i < BAR; i++)
		buf_add_c(page->out, i >= length     ? " "
				     : page->is_utf8 ? "\xe2\x96\x88"
						     : "#");
}

static void add_delay(struct buf *text, const struct headers_hop *hop)
{
	if (!hop->received.has_date)
		buf_add_c(text, "no time");
	else if (!hop->has_delay)
		buf_add_c(text, "start");
	else if (hop->delay_s < 0) {
		buf_add_c(text, "clock -");
		add_span(text, -hop->delay_s);
	} else {
		buf_add_c(text, "+");
		add_span(text, hop->delay_s);
	}
}

static void add_client(struct buf *text, const struct mail_received *received)
{
	char ip[IP_TEXT_BYTES];

	if (received->is_inside)
		buf_add_c(text, " took it from a program there");
	else if (received->from.len > 0 || received->has_ip)
		buf_printf(text, " took it from %.*s", STR_FMT(received->helo));
	if (received->reverse.len > 0 && !str_same(received->reverse, received->helo))
		buf_printf(text, ", by DNS %.*s,", STR_FMT(received->reverse));
	if (received->has_ip) {
		struct str address = ip_text(&received->ip, ip);

		buf_printf(text, " [%.*s]", STR_FMT(address));
	}
}

static void add_when(struct buf *text, const struct mail_date *date)
{
	struct civil at = civil_from_unix(date->unix_s, 0);

	buf_printf(text, ", %04d-%02d-%02d %02d:%02d:%02d UTC", at.year, at.month, at.day,
		   at.hour, at.minute, at.second);
}

static void say_hop(const struct page *page, const struct headers *headers, size_t i)
{
	const struct headers_hop *hop = &headers->hops[i];
	const struct mail_received *received = &hop->received;
	SCOPED(buf_fini) struct buf text = BUF(2 * MAIL_RECEIVED_BYTES_MAX);
	SCOPED(buf_fini) struct buf delay = BUF(100);

	add_delay(&delay, hop);
	buf_printf(page->out, "%3zu %-10.*s ", i + 1, STR_FMT(buf_str(&delay)));
	add_bar(page, hop, longest_delay(headers));
	buf_add_byte(page->out, ' ');
	if (!hop->is_understood)
		buf_add_c(&text, "(not understood) ");
	buf_add(&text,
		received->by.len > 0 ? received->by : STR("A server without a name"));
	add_client(&text, received);
	if (received->with.len > 0)
		buf_printf(&text, " by %.*s", STR_FMT(received->with));
	if (received->tls.len > 0)
		buf_printf(&text, " (%.*s)", STR_FMT(received->tls));
	if (received->has_date)
		add_when(&text, &received->date);
	wrap(page, buf_str(&text), 15 + BAR + 1, 15 + BAR + 1);
}

static void say_edge(const struct page *page, const struct headers *headers, size_t i)
{
	SCOPED(buf_fini) struct buf text = BUF(LINE_BYTES_MAX);

	if (i != headers->edge)
		return;
	buf_printf(&text,
		   "--- what is above this line is only claimed; from here on %.*s",
		   STR_FMT(headers->trusted));
	buf_add_c(&text, headers->trust == HEADERS_TRUST_NAMED
				 ? ", which you trust, saw it itself"
				 : " saw it itself, if that is your server (--trusted)");
	wrap(page, buf_str(&text), 0, 4);
}

static void say_way(const struct page *page, const struct headers *headers)
{
	if (headers->hop_count == 0)
		return;
	buf_add_c(page->out, "\nThe way it came");
	if (headers->has_total) {
		buf_add_c(page->out, ", in all ");
		add_span(page->out, headers->total_s);
	}
	buf_add_c(page->out, "\n");
	for (size_t i = 0; i < headers->hop_count; i++) {
		say_edge(page, headers, i);
		say_hop(page, headers, i);
	}
	if (headers->edge == headers->hop_count)
		buf_add_c(page->out, "--- all of this is only claimed\n");
}

/* ---- the whole --------------------------------------------------------------------- */

static void say_item(const struct page *page, const char *mark, struct str text)
{
	buf_printf(page->out, "  %-6s ", mark);
	wrap(page, text, 9, 9);
}

static void say_results(const struct page *page, const struct headers *headers)
{
	SCOPED(buf_fini) struct buf text = BUF(LINE_BYTES_MAX);

	if (headers->claim_count > 0)
		buf_add_c(page->out, "\nWhat servers on the way found\n");
	for (size_t i = 0; i < headers->claim_count; i++)
		say_item(page, headers->claims[i].is_verified ? "seen" : "claim",
			 headers->claims[i].sentence);
	buf_add_c(page->out, "\nWhat is found now\n");
	for (size_t i = 0; i < HEADERS_METHODS; i++) {
		const struct headers_check *check = &headers->checks[i];

		buf_reset(&text);
		if (check->is_done)
			buf_printf(&text, "%.*s. ", STR_FMT(check->result));
		buf_add(&text, check->sentence);
		say_item(page, headers_method_name((enum headers_method)i),
			 buf_str(&text));
	}
}

static void say_notes(const struct page *page, const struct headers *headers)
{
	if (headers->note_count > 0)
		buf_add_c(page->out, "\nWhat else is to be seen\n");
	for (size_t i = 0; i < headers->note_count; i++)
		say_item(page, headers_weight_name(headers->notes[i].weight),
			 headers->notes[i].sentence);
}

static struct str origin_text(const struct headers *headers, char text[IP_TEXT_BYTES])
{
	return headers->has_origin ? ip_text(&headers->origin, text) : STR("");
}

void headers_say(struct ctl *ctl, const struct headers *headers)
{
	struct page page = {&ctl->out, width_of_terminal(), is_utf8_shown()};
	char text[IP_TEXT_BYTES];
	struct str word =
		arena_printf(&ctl->arena, "%s: %.*s", headers_word_name(headers->word),
			     STR_FMT(headers->sentence));
	struct str origin = origin_text(headers, text);

	wrap(&page, word, 0, 0);
	buf_add_byte(&ctl->out, '\n');
	line(&page, "From", headers->from);
	line(&page, "Subject", headers->subject);
	line(&page, "Date", headers->date);
	line(&page, "Return-Path", headers->return_path);
	line(&page, "Message-ID", headers->message_id);
	if (origin.len > 0)
		line(&page, "Origin",
		     arena_printf(&ctl->arena, "%.*s (%s)", STR_FMT(origin),
				  headers->is_origin_verified ? "verified" : "claimed"));
	say_way(&page, headers);
	say_results(&page, headers);
	say_notes(&page, headers);
}
