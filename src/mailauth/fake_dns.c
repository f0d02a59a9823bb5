#include "mailauth/fake_dns.h"

#include "base/num.h"
#include "rt/clock.h"

/* A name in wire form. */
static void add_name(struct str name, struct buf *data)
{
	while (name.len > 0) {
		struct str label = str_cut(&name, '.');

		buf_add_byte(data, (char)label.len);
		buf_add(data, label);
	}
	buf_add_byte(data, '\0');
}

static void add_data(const struct fake_record *record, struct buf *data)
{
	struct str text = str_c(record->data);
	struct ip ip;

	if (record->type == DNS_A || record->type == DNS_AAAA) {
		ASSERT(record->type == DNS_A ? ip4_parse(text, &ip)
					     : ip6_parse(text, &ip));
		buf_add(data, (struct str){(const char *)ip.octets, ip.len});
		return;
	}
	if (record->type == DNS_TXT) {
		for (; text.len > 0; text = str_skip(text, 255)) {
			struct str part = str_first(text, 255);

			buf_add_byte(data, (char)part.len);
			buf_add(data, part);
		}
		return;
	}
	if (record->type == DNS_MX)
		buf_add(data, STR("\0\12"));
	add_name(text, data);
}

static void take(const struct fake_record *record, struct arena *arena,
		 struct dns_answer *answer)
{
	SCOPED(buf_fini) struct buf data = BUF(64 * 1024);
	bool is_bogus = record->data && strcmp(record->data, "BOGUS") == 0;

	if (!record->data || is_bogus) {
		answer->outcome = is_bogus ? DNS_BOGUS : DNS_UNKNOWN;
		answer->why = STR("nobody is there");
		return;
	}
	add_data(record, &data);
	ASSERT(arena_copy(arena, buf_str(&data), &answer->records[answer->count++]));
	answer->outcome = DNS_FOUND;
}

/* In a task others may go on meanwhile.  False: the answer came too late. */
static bool take_time(const struct fake_dns *dns, deadline_t until)
{
	uint64_t left_ms = until - clock_monotonic_ms();

	if (dns->takes_ms == 0)
		return true;
	if (!task_self())
		clock_test_advance_ms(num_min(dns->takes_ms, left_ms));
	else if (task_sleep_ms(num_min(dns->takes_ms, left_ms)) != OK)
		return false;
	return dns->takes_ms <= left_ms;
}

static void ask(void *context, const struct dns_question *question, struct arena *arena,
		struct dns_answer *answer)
{
	struct fake_dns *dns = context;

	dns->asked++;
	*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
				      .why = STR("no answer came in time")};
	if (!take_time(dns, question->until))
		return;
	*answer = (struct dns_answer){.outcome = DNS_NONE, .is_name_gone = true};
	answer->records = ARENA_ARRAY(arena, struct str, dns->count);
	ASSERT(answer->records);
	for (size_t i = 0; i < dns->count; i++) {
		if (!str_same_nocase(question->name, str_c(dns->records[i].name)))
			continue;
		answer->is_name_gone = false;
		if (dns->records[i].type == question->type)
			take(&dns->records[i], arena, answer);
	}
}

struct dns_lookup fake_dns_lookup(struct fake_dns *dns)
{
	return (struct dns_lookup){ask, dns, NULL, 0};
}
