#include "mta/destination.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "directory/name.h"
#include "mta/remote.h"
#include "mta/settle.h"
#include "mta/table.h"
#include "rt/clock.h"

enum {
	WINDOW_FIRST = 2,
	DEAD_S = 60, /* or the wait before a second try, if that is less */
	DEAD_S_MAX = 3600,
	SPEED_SECONDS = 5,  /* a fast one may hold what it does in so many */
	RETURN_MS = 250,    /* a row that found no room is away for so long at least, */
	CROWDED_MS = 2000,  /* or so long and more if others find none as well, */
	RETURN_S_MAX = 300, /* and at most */
	RETURN_RATE_YOUNG = 4000, /* a second, while nobody knows how fast it is */
	BEGIN_BEFORE_S = 1800,    /* of its lease must be left for a transaction */
	HOST_MAX = 255,
	KEY_MAX = 600,
};

/* ---- finding ----------------------------------------------------------------------- */

static enum destination_tls tls_of(const struct queue_row *row)
{
	/* RFC 8689 §5: notifications travel nevertheless. */
	if ((row->body_kind & QUEUE_REQUIRETLS) && row->sender.len > 0)
		return DESTINATION_REQUIRETLS;
	if (row->body_kind & QUEUE_TLS_OPTIONAL)
		return DESTINATION_OPTIONAL;
	return DESTINATION_USUAL;
}

static void add_lower(struct buf *buf, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(buf, ascii_lower(text.ptr[i]));
}

/* The hop and the key that says it. */
static struct conf_hop hop_of(struct run *run, const struct queue_row *row,
			      struct buf *key)
{
	struct str domain = route_domain(row->recipient.address);
	struct arena arena;

	arena_init(&arena, 8192);
	if (!str_starts(domain, STR("[")))
		if (!name_domain(domain, &arena, &domain))
			domain = route_domain(row->recipient.address);
	struct conf_hop hop;

	if (!route_of_person(row->route, &arena, &hop))
		hop = route_next_hop(run->options, row->sender, domain);

	if (hop.scheme == HOP_MX) {
		hop.host = domain;
		hop.is_literal = str_starts(domain, STR("["));
		if (hop.is_literal)
			hop.host = str_first(str_skip(domain, 1), domain.len - 2);
	}
	add_lower(key, str_first(hop.host, HOST_MAX));
	hop.host.len = key->len;
	buf_printf(key, "\n%d\n%d\n%u\n%d", hop.scheme, hop.is_literal, hop.port,
		   tls_of(row));
	arena_fini(&arena);
	return hop;
}

static size_t bucket(struct str key)
{
	return hash64(key) & (TABLE_BUCKETS_MTA - 1);
}

static void forget(struct destination *destination)
{
	struct run *run = destination->run;
	struct str key = {destination->key, destination->key_len};

	list_remove(&run->destinations[bucket(key)], &destination->in_table);
	list_remove(&run->ages, &destination->in_ages);
	if (destination->is_hungry)
		list_remove(&run->hungry, &destination->in_hungry);
	remote_forget(destination);
	run->destination_count--;
	mem_free(destination);
}

/* The oldest that nobody uses. */
static void make_room(struct run *run)
{
	size_t looked = 0;

	LIST_EACH(&run->ages, link)
	{
		struct destination *old = CONTAINER_OF(link, struct destination, in_ages);

		if (run->destination_count < DESTINATIONS_MAX || ++looked > 100)
			return;
		if (old->entry_count == 0 && old->workers == 0)
			forget(old);
	}
}

static struct destination *make(struct run *run, const struct conf_hop *hop,
				struct str key, enum destination_tls tls)
{
	struct destination *made = mem_zeroed(1, sizeof *made + key.len);

	make_room(run);
	memcpy(made->key, key.ptr, key.len);
	made->key_len = key.len;
	made->run = run;
	made->hop = *hop;
	made->name = made->hop.host = (struct str){made->key, hop->host.len};
	made->tls = tls;
	made->window = (unsigned)num_min(WINDOW_FIRST, run->options->connections_max);
	made->busy_since = made->speed_at = loop_now();
	list_add_last(&run->destinations[bucket(key)], &made->in_table);
	list_add_last(&run->ages, &made->in_ages);
	run->destination_count++;
	return made;
}

struct destination *destination_of(struct run *run, const struct queue_row *row)
{
	SCOPED(buf_fini) struct buf key = BUF(KEY_MAX);
	struct conf_hop hop = hop_of(run, row, &key);

	LIST_EACH(&run->destinations[bucket(buf_str(&key))], link)
	{
		struct destination *found =
			CONTAINER_OF(link, struct destination, in_table);
		struct str has = {found->key, found->key_len};

		if (!str_same(has, buf_str(&key)))
			continue;
		list_remove(&run->ages, &found->in_ages);
		list_add_last(&run->ages, &found->in_ages);
		return found;
	}
	return make(run, &hop, buf_str(&key), tls_of(row));
}

/* ---- how much, how fast ------------------------------------------------------------ */

bool destination_is_dead(const struct destination *destination)
{
	return destination->dead_until > loop_now();
}

/* Rows finished a second; that of one which has gone silent sinks. */
static uint64_t speed_of(const struct destination *destination)
{
	uint64_t ms = loop_now() - destination->speed_at;

	if (ms < SPEED_SECONDS * 1000)
		return destination->speed;
	return num_min(destination->speed, destination->speed_count * 1000ull / ms);
}

bool destination_is_full(const struct destination *destination)
{
	const struct run *run = destination->run;
	size_t free_rows = ROWS_MAX - num_min(run->row_count, ROWS_MAX);
	/* By the square, so that many that are slow, one after the other, leave room for
	 * others. */
	size_t most = DESTINATION_ROWS * free_rows / ROWS_MAX * free_rows / ROWS_MAX;

	most = num_max(num_max(most, 1), speed_of(destination) * SPEED_SECONDS);
	return destination->entry_count >= most;
}

int64_t destination_return_in_s(struct destination *destination)
{
	const struct run *run = destination->run;
	bool is_young = destination->speed == 0 &&
			loop_now() < destination->busy_since + SPEED_SECONDS * 1000;
	uint64_t speed = speed_of(destination);
	uint64_t rate = is_young ? RETURN_RATE_YOUNG : num_max(speed + speed / 4, 2);
	uint64_t soonest = loop_now() + RETURN_MS;

	if (run->row_count > ROWS_MAX / 2) /* others need the room as well */
		soonest += CROWDED_MS + rand_below(2 * CROWDED_MS);
	/* In micro-seconds, since a fast one has many in one milli-second. */
	destination->return_at =
		num_max(destination->return_at, soonest * 1000) + 1000000 / rate;
	uint64_t wait_ms = destination->return_at / 1000 - loop_now();

	if (wait_ms > RETURN_S_MAX * 1000ull) {
		wait_ms = RETURN_S_MAX * 1000ull - rand_below(RETURN_S_MAX * 500ull);
		destination->return_at = (loop_now() + RETURN_S_MAX * 1000ull) * 1000;
	}
	return (int64_t)((wait_ms + 999) / 1000);
}

void destination_count_row(struct destination *destination)
{
	if (destination->entry_count++ > 0)
		return;
	destination->busy_since = destination->speed_at = loop_now();
	destination->speed = destination->speed_count = 0;
}

void destination_gain(struct destination *destination)
{
	destination->failures = 0;
	destination->dead_until = 0;
	if (++destination->window_gain < destination->window)
		return;
	destination->window_gain = 0;
	if (destination->window < destination->run->options->connections_max)
		destination->window++;
}

void destination_shrink(struct destination *destination)
{
	destination->window_gain = 0;
	destination->window = (unsigned)num_max(destination->window / 2, 1);
}

bool destination_may_begin(const struct destination *destination)
{
	return destination->next_at <= loop_now();
}

/* The rate of the settings; each mail moves the next one's time. */
static void count_mail(struct destination *destination)
{
	unsigned rate = destination->run->options->rate_per_minute;

	if (rate > 0)
		destination->next_at = loop_now() + num_max(60000 / rate, 1);
}

/* ---- mails ------------------------------------------------------------------------- */

/* Rows whose lease will not last go back, to be leased anew. */
static void drop_old(struct run *run, struct mail *mail)
{
	int64_t now = clock_s();

	LIST_EACH(&mail->entries, link)
	{
		struct entry *entry = CONTAINER_OF(link, struct entry, in_mail);

		if (now + BEGIN_BEFORE_S > entry->leased_until)
			settle_release(run, entry, now);
	}
}

static struct mail *take(struct destination *destination)
{
	struct list_link *first = destination->mails.first;
	struct mail *mail =
		first ? CONTAINER_OF(first, struct mail, in_destination) : NULL;

	if (mail) {
		mail_leave(mail);
		mail_ref(mail);
	}
	return mail;
}

struct mail *destination_take(struct destination *destination)
{
	while (destination_may_begin(destination)) {
		struct mail *mail = take(destination);

		if (!mail)
			break;
		drop_old(destination->run, mail);
		if (mail->count > 0) {
			count_mail(destination);
			return mail;
		}
		mail_unref(mail);
	}
	return NULL;
}

void destination_bury(struct destination *destination)
{
	const struct settle_where where = {.host = str_c(destination->trouble_host)};
	struct mail *mail;

	while ((mail = take(destination))) {
		LIST_EACH(&mail->entries, link)
		settle_verdict(destination->run,
			       CONTAINER_OF(link, struct entry, in_mail),
			       &destination->trouble, &where);
		mail_unref(mail);
	}
}

void destination_fail(struct destination *destination, const struct verdict *verdict,
		      struct str host)
{
	struct str text = str_first(verdict->text, sizeof destination->trouble_text);

	destination->trouble = *verdict;
	if (text.len > 0)
		memcpy(destination->trouble_text, text.ptr, text.len);
	destination->trouble.text = (struct str){destination->trouble_text, text.len};
	(void)str_to_c(host, destination->trouble_host, /* or "" */
		       sizeof destination->trouble_host);
	destination->window = 1;
	destination->window_gain = 0;
	if (verdict->kind == VERDICT_RETRY) {
		uint64_t first_s = num_min(
			DEAD_S, destination->run->options->schedule.retry_first_s);
		unsigned doublings = (unsigned)num_min(destination->failures++, 10);

		destination->dead_until =
			deadline_s(num_min(first_s << doublings, DEAD_S_MAX));
	}
	destination_bury(destination);
}

/* ---- workers ----------------------------------------------------------------------- */

/* Somebody else needs its connection more. */
static void wake_idle(struct run *run)
{
	struct list_link *link = run->idle.first;

	if (!link)
		return;
	struct destination *idle = CONTAINER_OF(link, struct destination, in_idle);

	list_remove(&run->idle, link);
	list_add_last(&run->idle, link);
	wake_one(&idle->arrived);
}

void destination_idle(struct destination *destination, bool is_idle)
{
	struct run *run = destination->run;

	if (destination->idle > 0)
		list_remove(&run->idle, &destination->in_idle);
	destination->idle = is_idle ? destination->idle + 1 : destination->idle - 1;
	if (destination->idle > 0)
		list_add_last(&run->idle, &destination->in_idle);
}

void destination_kick(struct destination *destination)
{
	struct run *run = destination->run;

	if (destination->waiting == 0)
		return;
	if (destination->idle > 0)
		wake_one(&destination->arrived);
	if (destination->waiting <= destination->idle || destination->parked_at ||
	    destination->workers >= destination->window)
		return;
	if (run->connections < CONNECTIONS_TOTAL_MAX &&
	    task_start("mta worker", worker_run, destination)) {
		destination->workers++;
		run->connections++;
		run->users++;
	} else if (!destination->is_hungry && destination->workers == 0) {
		destination->is_hungry = true;
		list_add_last(&run->hungry, &destination->in_hungry);
		wake_idle(run);
	}
}

void destination_feed(struct run *run)
{
	struct list_link *link = list_take_first(&run->hungry);

	if (!link)
		return;
	struct destination *hungry = CONTAINER_OF(link, struct destination, in_hungry);

	hungry->is_hungry = false;
	destination_kick(hungry);
	if (hungry->workers == 0 && !hungry->is_hungry)
		remote_forgo(hungry); /* its mails are gone */
}

void destination_free_all(struct run *run)
{
	remote_free_all(run);
	LIST_EACH(&run->ages, link)
	forget(CONTAINER_OF(link, struct destination, in_ages));
}
