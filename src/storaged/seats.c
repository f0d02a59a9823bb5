/* Who may use which account: the grants that guests have presented, and their watches. */
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "storaged/state.h"

static size_t bucket_of(account_t account)
{
	return hash64_number(account) & (SEAT_BUCKETS - 1);
}

struct seat *seat_find(struct storaged *storaged, const struct guest *guest,
		       account_t account)
{
	LIST_EACH(&storaged->seats[bucket_of(account)], link)
	{
		struct seat *seat = CONTAINER_OF(link, struct seat, in_bucket);

		if (seat->number == account && seat->guest == guest)
			return seat;
	}
	return NULL;
}

static struct seat *seat_add(struct guest *guest, account_t account, account_t number)
{
	struct seat *seat = NEW(struct seat);

	seat->guest = guest;
	seat->account = account;
	seat->number = number;
	list_add_last(&guest->storaged->seats[bucket_of(account)], &seat->in_bucket);
	list_add_last(&guest->seats, &seat->in_guest);
	return seat;
}

static struct seat *seat_get(struct guest *guest, account_t account)
{
	struct seat *seat = seat_find(guest->storaged, guest, account);

	return seat ? seat : seat_add(guest, account, account);
}

static void seat_free(struct seat *seat)
{
	struct guest *guest = seat->guest;

	list_remove(&guest->storaged->seats[bucket_of(seat->account)], &seat->in_bucket);
	list_remove(&guest->seats, &seat->in_guest);
	if (seat->visitor != 0) {
		list_remove(&guest->storaged->visits[bucket_of(seat->number)],
			    &seat->in_visits);
		guest->visit_count--;
	}
	if (seat->is_dirty)
		list_remove(&guest->dirty, &seat->in_dirty);
	mem_free(seat);
}

static void seat_tidy(struct seat *seat)
{
	if (seat->rights == 0 && !seat->is_watched)
		seat_free(seat);
}

void seats_drop(struct guest *guest)
{
	LIST_EACH(&guest->seats, link)
	seat_free(CONTAINER_OF(link, struct seat, in_guest));
}

/* ---- grants ------------------------------------------------------------------------ */

static struct raised *raised_find(struct storaged *storaged, account_t account)
{
	LIST_EACH(&storaged->raised[bucket_of(account)], link)
	{
		struct raised *raised = CONTAINER_OF(link, struct raised, in_bucket);

		if (raised->account == account)
			return raised;
	}
	return NULL;
}

static bool is_smtpd_here(struct storaged *storaged, uint64_t id)
{
	LIST_EACH(&storaged->guests, link)
	{
		const struct guest *guest = CONTAINER_OF(link, struct guest, in_all);

		if (guest->role == GATE_SMTPD && guest->id == id)
			return true;
	}
	return false;
}

enum store_outcome seat_enter(struct guest *guest, account_t account, struct str bytes)
{
	struct storaged *storaged = guest->storaged;
	const struct raised *raised = raised_find(storaged, account);
	bool is_deliverd = guest->role == GATE_DELIVERD;
	uint64_t channel = is_deliverd ? grant_channel(bytes) : guest->id;
	struct grant grant;

	/* deliverd shows what a door was given, while that is there. */
	if (!storaged->has_grant_key ||
	    (is_deliverd && !is_smtpd_here(storaged, channel)))
		return STORE_UNAVAILABLE;
	if (!grant_check(storaged->grant_key, bytes, channel, clock_s(), &grant) ||
	    grant.account != account || account == ACCOUNT_SYSTEM ||
	    (raised && grant.generation < raised->generation)) {
		LOG(WARN, "grant refused", KV_INT("channel", guest->id),
		    KV_INT("account", account));
		return STORE_DENIED;
	}
	struct seat *seat = seat_get(guest, account);

	if (is_deliverd)
		grant.rights &= GRANT_SEND;
	/* Several sessions of one process share the seat: the newest generation counts,
	 * and within it what any of them may do. */
	if (grant.generation > seat->generation)
		seat->rights = 0;
	if (grant.generation >= seat->generation || seat->rights == 0) {
		if (seat->rights == 0 || seat->expires_at < grant.expires_at)
			seat->expires_at = grant.expires_at;
		seat->rights |= grant.rights;
		seat->generation = grant.generation;
	}
	seat_tidy(seat);
	return STORE_OK;
}

void seat_leave(struct guest *guest, account_t account)
{
	struct seat *seat = seat_find(guest->storaged, guest, account);

	if (!seat)
		return;
	seat->rights = 0;
	seat_tidy(seat);
}

bool seat_allows(struct guest *guest, account_t account, enum grant_right right)
{
	const struct seat *seat = seat_find(guest->storaged, guest, account);

	return seat && (seat->rights & right) && clock_s() < seat->expires_at;
}

void seats_revoke(struct storaged *storaged, account_t account, uint32_t generation)
{
	struct raised *raised = raised_find(storaged, account);

	if (!raised) {
		raised = NEW(struct raised);
		raised->account = account;
		list_add_last(&storaged->raised[bucket_of(account)], &raised->in_bucket);
	}
	if (generation > raised->generation)
		raised->generation = generation;
	LIST_EACH(&storaged->seats[bucket_of(account)], link)
	{
		struct seat *seat = CONTAINER_OF(link, struct seat, in_bucket);

		/* A visit lives by the visitor's grant: seat_allows() sees to that. */
		if (seat->account != account || seat->rights == 0 || seat->visitor != 0 ||
		    seat->generation >= raised->generation)
			continue;
		events_ended(seat->guest, account, raised->generation);
		seat_free(seat); /* and its watch: not even that something happens */
	}
}

void raised_fini(struct storaged *storaged)
{
	for (size_t i = 0; i < SEAT_BUCKETS; i++)
		LIST_EACH(&storaged->raised[i], link)
	mem_free(CONTAINER_OF(link, struct raised, in_bucket));
}

/* ---- visits ------------------------------------------------------------------------ */

struct seat *seat_open_visit(struct guest *guest, account_t visitor, account_t owner,
			     account_t number)
{
	struct seat *seat = seat_add(guest, owner, number);

	seat->visitor = visitor;
	guest->visit_count++;
	seat->rights = GRANT_READ; /* it stays until it is ended */
	list_add_last(&guest->storaged->visits[bucket_of(number)], &seat->in_visits);
	return seat;
}

struct seat *seat_find_visit(struct storaged *storaged, const struct guest *guest,
			     account_t number)
{
	LIST_EACH(&storaged->visits[bucket_of(number)], link)
	{
		struct seat *seat = CONTAINER_OF(link, struct seat, in_visits);

		if (seat->number == number && seat->guest == guest)
			return seat;
	}
	return NULL;
}

void seat_end_visit(struct guest *guest, account_t number)
{
	struct seat *seat = seat_find_visit(guest->storaged, guest, number);

	if (seat)
		seat_free(seat);
}

/* ---- watches ----------------------------------------------------------------------- */

void seat_watch(struct guest *guest, account_t account, bool is_watched)
{
	struct seat *seat = account < ACCOUNT_VISITS
				    ? seat_get(guest, account)
				    : seat_find_visit(guest->storaged, guest, account);

	if (!seat)
		return; /* a visit that has ended meanwhile */
	seat->is_watched = is_watched;
	seat_tidy(seat);
}
