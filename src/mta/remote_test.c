#include "mta/remote.h"

#include "base/mem.h"
#include "base/test.h"
#include "mta/destination.h"

static const struct mta_options options = {.connections_max = 4,
					   .address_connections_max = 2,
					   .schedule.retry_first_s = 300};

static struct run *run;
static struct address one, other, same_net;

static struct destination *to(const char *rcpt)
{
	struct queue_row row = {.sender = STR("ann@example.org"),
				.recipient = {.address = str_c(rcpt)}};

	return destination_of(run, &row);
}

/* No worker can be started: who would get one is hungry. */
static void in_run(void (*test)(void))
{
	loop_init();
	run = NEW(struct run);
	run->options = &options;
	run->connections = CONNECTIONS_TOTAL_MAX;
	CHECK(address_parse(STR("[2001:db8::1]:25"), &one));
	CHECK(address_parse(STR("[2001:db8::2]:25"), &same_net));
	CHECK(address_parse(STR("192.0.2.1:25"), &other));
	test();
	LIST_EACH(&run->ages, link)
	CONTAINER_OF(link, struct destination, in_ages)->waiting = 0;
	destination_free_all(run);
	mem_free(run);
	loop_fini();
}

static void bounded(void)
{
	struct remote *places[3];

	places[0] = remote_enter(to("a@a.example"), &one);
	places[1] = remote_enter(to("a@b.example"), &same_net);
	CHECK(places[0] && places[0] == places[1]);
	CHECK(!remote_enter(to("a@c.example"), &one));
	CHECK(!remote_enter(to("a@a.example"), &same_net));
	places[2] = remote_enter(to("a@c.example"), &other);
	CHECK(places[2] && places[2] != places[0]);
	remote_leave(&places[1]);
	CHECK(!places[1]);
	places[1] = remote_enter(to("a@c.example"), &one);
	CHECK(places[1]);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		remote_leave(&places[i]);
}

TEST(an_address_has_so_many_connections_whatever_domains_lead_there)
{
	in_run(bounded);
}

static void in_turn(void)
{
	struct destination *first = to("a@first.example");
	struct destination *second = to("a@second.example");
	struct remote *a = remote_enter(to("a@a.example"), &one);
	struct remote *b = remote_enter(to("a@a.example"), &one);

	first->waiting = second->waiting = 1;
	remote_park(first, &one);
	remote_park(second, &one);
	CHECK(first->parked_at && second->parked_at && remote_is_wanted(a));
	destination_kick(first);
	CHECK(!first->is_hungry); /* it is parked */
	remote_leave(&a);
	CHECK(!first->parked_at && first->promised_at && first->is_hungry);
	CHECK(second->parked_at && remote_is_wanted(b));
	/* The place is kept. */
	CHECK(!remote_enter(to("a@b.example"), &one));
	CHECK(!remote_enter(second, &one));
	a = remote_enter(first, &one);
	CHECK(a && !first->promised_at);
	remote_leave(&b);
	CHECK(second->promised_at && !remote_is_wanted(a));
	/* It went elsewhere. */
	remote_forgo(second);
	b = remote_enter(to("a@b.example"), &one);
	CHECK(b);
	remote_leave(&a);
	remote_leave(&b);
}

TEST(places_that_come_free_are_for_those_who_are_parked)
{
	in_run(in_turn);
}

static void gone(void)
{
	struct destination *first = to("a@first.example");
	struct destination *second = to("a@second.example");
	struct remote *a = remote_enter(to("a@a.example"), &one);
	struct remote *b = remote_enter(to("a@a.example"), &one);

	second->waiting = 1;
	remote_park(first, &one); /* whose mails are given up then */
	remote_park(second, &one);
	remote_leave(&a);
	CHECK(!first->parked_at && !first->promised_at);
	CHECK(!second->parked_at && second->promised_at);
	remote_leave(&b);
	/* There is room: it comes at once. */
	first->waiting = 1;
	remote_park(first, &one);
	CHECK(!first->parked_at && first->promised_at);
}

TEST(who_has_no_mail_any_more_keeps_nobody_from_a_place)
{
	in_run(gone);
}
