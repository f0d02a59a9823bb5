/* A worker: finds a host of its destination, connects, and sends what waits there, one
 * mail after the other through the same connection. */
#include "base/log.h"
#include "base/num.h"
#include "base/utf8.h"
#include "mta/destination.h"
#include "mta/mx.h"
#include "mta/race.h"
#include "mta/remote.h"
#include "mta/settle.h"
#include "mta/table.h"
#include "mta/tally.h"
#include "mta/transaction.h"
#include "net/conn.h"
#include "tlspolicy/policy.h"

enum {
	MAILS_A_CONNECTION = 500,
	MAILS_A_TURN = 20, /* while others wait for a connection */
	IDLE_S = 5,
	CONNECT_S = 30,
	TRIES_MAX = 20, /* addresses, for one connection */
	ARENA_BYTES = 512 * 1024,
	PORT_LMTP = 24,
	PORT_SUBMISSION = 587,
	PORT_SUBMISSIONS = 465,
};

/* The search for a host that takes mail, and the worst that came of it: what is only so
 * now goes before what is so for good. */
struct search {
	struct destination *destination;
	const struct mta_options *options;
	struct client *client;
	struct remote *remote; /* the client's place */
	struct arena arena;
	struct verdict verdict; /* of the last that failed */
	struct str host;        /* that said it */
	unsigned tries;
	bool has_policy;
	struct policy_hop policy; /* must not move */
	bool is_over;             /* nobody else is to be asked */
	bool is_full;             /* no place was free here: */
	struct address full;
};

/* ---- one host ---------------------------------------------------------------------- */

static void note(struct search *search, enum verdict_kind kind, int code,
		 struct smtp_enhanced status, struct str text, struct str host)
{
	bool is_first = search->verdict.kind == VERDICT_NONE;
	struct str kept;

	if (!is_first && search->verdict.kind == VERDICT_RETRY && kind == VERDICT_FAILED)
		return;
	if (!arena_copy(&search->arena, utf8_first(text, CLIENT_TEXT_MAX), &kept))
		kept = STR("");
	search->verdict = (struct verdict){kind, code, status, kept};
	search->host = host;
}

static uint16_t port_of(const struct search *search)
{
	const struct conf_hop *hop = &search->destination->hop;

	if (hop->port != 0)
		return hop->port;
	switch (hop->scheme) {
	case HOP_LMTP:
		return PORT_LMTP;
	case HOP_SUBMISSION:
		return PORT_SUBMISSION;
	case HOP_SUBMISSIONS:
		return PORT_SUBMISSIONS;
	case HOP_MX:
	case HOP_SMTP:
		break;
	}
	return search->options->port;
}

/* What a server of the settings must be like: policies are for others'. */
static void demand_of_hop(const struct search *search, struct str host,
			  struct tls_demand *demand)
{
	const struct destination *destination = search->destination;

	*demand = (struct tls_demand){
		.verdict = TLS_HOST_GOOD,
		.need = TLS_MAY,
		.peer = {.check = TLS_CHECK_NOTHING, .names = {host}, .name_count = 1},
		.is_requiretls = destination->tls == DESTINATION_REQUIRETLS};
	if (destination->hop.scheme != HOP_SUBMISSION &&
	    destination->hop.scheme != HOP_SUBMISSIONS && !demand->is_requiretls)
		return;
	demand->need = TLS_MUST_BE_VERIFIED;
	demand->peer.check = TLS_CHECK_NAME;
	demand->peer.is_binding = true;
	demand->status = demand->is_requiretls ? "5.7.10" : "4.7.5";
}

static void demand_of_host(struct search *search, struct str host,
			   struct tls_demand *demand)
{
	static const enum tls_wish wishes[] = {
		[DESTINATION_USUAL] = TLS_WISH_NONE,
		[DESTINATION_REQUIRETLS] = TLS_WISH_REQUIRED,
		[DESTINATION_OPTIONAL] = TLS_WISH_OPTIONAL,
	};
	const struct destination *destination = search->destination;

	if (search->has_policy)
		policy_host(destination->run->policy, &search->policy, host,
			    port_of(search), wishes[destination->tls], &search->arena,
			    demand);
	else
		demand_of_hop(search, host, demand);
}

static void note_demand(struct search *search, const struct tls_demand *demand,
			struct str text, struct str host)
{
	struct smtp_enhanced status;

	/* "" where nothing was demanded: then it is only for now. */
	if (!smtp_enhanced_parse(str_c(demand->status), &status))
		status = (struct smtp_enhanced){4, 7, 5};
	note(search, status.class == 5 ? VERDICT_FAILED : VERDICT_RETRY, 0, status, text,
	     host);
}

/* False: what is demanded of the host cannot be had, and was noted. */
static bool client_options(struct search *search, struct str host,
			   struct client_options *options)
{
	const struct mta_options *mta = search->options;
	const struct conf_hop *hop = &search->destination->hop;

	*options =
		(struct client_options){.hello = mta->hello,
					.hostname = mta->hostname,
					.is_lmtp = hop->scheme == HOP_LMTP,
					.tls = search->destination->run->tls,
					.is_tls_implicit = hop->scheme == HOP_SUBMISSIONS,
					.patience_s = mta->patience_s};
	if (hop->scheme != HOP_MX &&
	    !route_login(mta, hop->host, &options->login.name, &options->login.password))
		options->login.name = STR("");
	demand_of_host(search, host, &options->demand);
	if (options->demand.verdict == TLS_HOST_GOOD)
		return true;
	if (search->has_policy)
		tally_host(search->destination, &search->policy, &options->demand, NULL,
			   host);
	note_demand(search, &options->demand, options->demand.reason, host);
	return false;
}

static void note_outcome(struct search *search, enum client_outcome outcome,
			 struct str host)
{
	const struct client *client = search->client;
	struct str text = buf_str(&client->text);

	switch (outcome) {
	case CLIENT_READY:
		return;
	case CLIENT_REFUSED: /* RFC 7504 §2: 521 is about the host, for good */
		note(search, client->reply.code == 521 ? VERDICT_FAILED : VERDICT_RETRY,
		     client->reply.code, client_status(client), text, host);
		return;
	case CLIENT_LOST:
		note(search, VERDICT_RETRY, 0, (struct smtp_enhanced){4, 4, 2}, text,
		     host);
		return;
	case CLIENT_NO_TLS:
	case CLIENT_TLS_UNMET:
		note_demand(search, &client->options.demand, text, host);
		return;
	case CLIENT_NO_REQUIRETLS:
		note(search, VERDICT_FAILED, 0, (struct smtp_enhanced){5, 7, 30}, text,
		     host);
		return;
	case CLIENT_IS_SELF:
		note(search, VERDICT_FAILED, 0, (struct smtp_enhanced){5, 4, 6},
		     STR("The mail leads back to this server, which does not take it"),
		     host);
		search->is_over = true;
		return;
	}
}

/* Connected; with CLIENT_READY mails may be sent. */
static enum client_outcome greet(struct search *search, struct conn *conn,
				 struct str host, const struct client_options *options)
{
	enum client_outcome outcome = client_open(search->client, conn, host, options);

	if (search->has_policy)
		tally_host(search->destination, &search->policy, &options->demand,
			   search->client, host);
	if (outcome == CLIENT_READY)
		return outcome;
	note_outcome(search, outcome, host);
	client_close(search->client);
	return outcome;
}

static bool has_untried(const bool *tried, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!tried[i])
			return true;
	return false;
}

/* Servers of the settings have the bound of their destination only. */
static bool is_bounded(const struct search *search)
{
	return search->destination->hop.scheme == HOP_MX;
}

/* Takes a place at each address that was not tried; where none is free it is passed over.
 * False: there is nowhere to connect to. */
static bool enter_all(struct search *search, const struct mx_addresses *addresses,
		      bool *tried, struct remote **places)
{
	for (size_t i = 0; is_bounded(search) && i < addresses->count; i++) {
		if (tried[i])
			continue;
		places[i] = remote_enter(search->destination, &addresses->at[i]);
		if (places[i])
			continue;
		tried[i] = search->is_full = true;
		search->full = addresses->at[i];
	}
	return has_untried(tried, addresses->count);
}

static err_t connect_any(struct search *search, const struct mx_addresses *addresses,
			 bool *tried, unsigned wait_s, struct race_result *result)
{
	struct remote *places[MX_ADDRESSES_MAX] = {NULL};

	if (!enter_all(search, addresses, tried, places))
		return ERR_LIMIT;
	err_t err = race_connect(search->options, addresses->at, addresses->count, tried,
				 deadline_s(wait_s), result);

	if (err == OK) {
		search->remote = places[result->place];
		places[result->place] = NULL;
	}
	for (size_t i = 0; i < addresses->count; i++)
		remote_leave(&places[i]);
	return err;
}

static bool try_host(struct search *search, struct str host,
		     const struct mx_addresses *addresses)
{
	struct client_options options;
	bool tried[MX_ADDRESSES_MAX] = {false};
	struct race_result result;

	if (!client_options(search, host, &options))
		return false;
	while (search->tries++ < TRIES_MAX && !search->is_over &&
	       has_untried(tried, addresses->count)) {
		unsigned wait_s = (unsigned)num_min(CONNECT_S, options.patience_s);
		err_t err = connect_any(search, addresses, tried, wait_s, &result);

		if (err == ERR_LIMIT)
			return false;
		if (err != OK) {
			if (search->verdict.kind != VERDICT_RETRY)
				note(search, VERDICT_RETRY, 0,
				     (struct smtp_enhanced){4, 4, 1},
				     STR("The server cannot be reached"), host);
			return false;
		}
		enum client_outcome outcome = greet(search, result.conn, host, &options);

		if (outcome == CLIENT_READY)
			return true;
		remote_leave(&search->remote);
		/* TLS that fails is no worse than none, where none would do. */
		if (outcome == CLIENT_NO_TLS && options.demand.need == TLS_MAY) {
			options.is_tls_avoided = true;
			tried[result.place] = false;
		}
	}
	return false;
}

/* ---- all hosts --------------------------------------------------------------------- */

static void note_addresses(struct search *search, const struct mx_addresses *addresses,
			   struct str host)
{
	if (addresses->outcome == MX_NOWHERE)
		note(search, VERDICT_FAILED, 0, (struct smtp_enhanced){5, 4, 4},
		     addresses->why, host);
	else
		note(search, VERDICT_RETRY, 0, (struct smtp_enhanced){4, 4, 3},
		     addresses->why, host);
}

/* Those of equal preference, whose addresses are looked at before one is tried: if we are
 * among them they lead back to us, as do all behind them.  RFC 5321 §5.1. */
static bool try_equals(struct search *search, const struct mx_host *hosts, size_t count)
{
	struct mx_addresses *found =
		ARENA_ARRAY(&search->arena, struct mx_addresses, count);

	for (size_t i = 0; found && i < count; i++) {
		mx_addresses_find(search->options, hosts[i].name, port_of(search),
				  &search->arena, &found[i]);
		search->is_over |= found[i].is_own;
	}
	if (search->is_over && search->verdict.kind == VERDICT_NONE)
		note(search, VERDICT_FAILED, 0, (struct smtp_enhanced){5, 4, 6},
		     STR("The mail leads back to this server, which does not take it"),
		     hosts[0].name);
	for (size_t i = 0; found && i < count && !search->is_over; i++) {
		if (found[i].count == 0)
			note_addresses(search, &found[i], hosts[i].name);
		else if (try_host(search, hosts[i].name, &found[i]))
			return true;
	}
	return false;
}

static bool try_all(struct search *search, const struct mx_host *hosts, size_t count)
{
	for (size_t i = 0; i < count && !search->is_over;) {
		size_t end = i;

		while (end < count && hosts[end].preference == hosts[i].preference)
			end++;
		if (try_equals(search, hosts + i, end - i))
			return true;
		if (search->is_full) /* those behind are for when it is down */
			return false;
		i = end;
	}
	return false;
}

static bool find_host(struct search *search)
{
	const struct conf_hop *hop = &search->destination->hop;
	const struct mx_host itself = {hop->host, 0};
	bool has_mx =
		!hop->is_literal && (hop->scheme == HOP_MX || hop->scheme == HOP_SMTP);
	struct mx_answer mx;

	if (!has_mx)
		return try_all(search, &itself, 1);
	mx_find(search->options, hop->host, &search->arena, &mx);
	if (mx.outcome == MX_FOUND) {
		search->has_policy = true;
		policy_hop(search->destination->run->policy, hop->host, mx.expanded,
			   mx.is_secure ? TLS_KNOWN : TLS_KNOWN_NONE, &search->arena,
			   &search->policy);
		tally_hop(search->destination->run, &search->policy);
		return try_all(search, mx.hosts, mx.count);
	}
	struct smtp_enhanced status = {4, 4, 3};

	if (!smtp_enhanced_parse(str_c(mx.status), &status))
		ASSERT(false); /* it is a literal of mx.c */
	note(search, mx.outcome == MX_NOWHERE ? VERDICT_FAILED : VERDICT_RETRY, 0, status,
	     mx.why, STR(""));
	return false;
}

/* ---- the worker -------------------------------------------------------------------- */

struct worker {
	struct destination *destination;
	struct client client;
	struct remote *remote; /* its place there; NULL: it needs none */
	struct arena host;     /* the name of the client's host */
};

/* All places at its hosts are taken.  Who has a connection goes on with it. */
static void await_place(struct destination *destination, const struct address *full)
{
	if (destination->open > 0)
		destination->window = destination->open;
	else
		remote_park(destination, full);
}

/* False: nobody could be reached.  If others are at it, they go on. */
static bool open_client(struct worker *worker)
{
	struct destination *destination = worker->destination;
	struct search search = {.destination = destination,
				.options = destination->run->options,
				.client = &worker->client};

	arena_init(&search.arena, ARENA_BYTES);
	bool is_open = find_host(&search);

	remote_forgo(destination); /* it was for this search */
	if (search.verdict.kind == VERDICT_NONE)
		note(&search, VERDICT_RETRY, 0, (struct smtp_enhanced){4, 4, 1},
		     STR("The server cannot be reached"), STR(""));
	if (is_open) {
		destination->open++;
		worker->remote = search.remote;
		arena_reset(&worker->host);
		if (!arena_copy(&worker->host, worker->client.host, &worker->client.host))
			worker->client.host = STR("");
	} else if (search.is_full && !task_is_canceled()) {
		await_place(destination, &search.full);
	} else if (destination->open > 0 || task_is_canceled()) {
		destination_shrink(destination);
	} else
		destination_fail(destination, &search.verdict, search.host);
	arena_fini(&search.arena);
	return is_open;
}

static void close_client(struct worker *worker)
{
	if (!worker->client.conn)
		return;
	client_close(&worker->client);
	worker->destination->open--;
	remote_leave(&worker->remote);
}

/* Others wait for what it has and does not use now. */
static bool is_in_the_way(const struct worker *worker)
{
	return !list_is_empty(&worker->destination->run->hungry) ||
	       remote_is_wanted(worker->remote);
}

/* Until a mail may begin; waits a little if there is a connection to send it by.  False:
 * this worker should end. */
static bool await_mail(struct worker *worker)
{
	struct destination *destination = worker->destination;

	while (!task_is_canceled()) {
		bool is_held = destination->waiting > 0; /* by the rate */

		if (is_held && destination_may_begin(destination))
			return true;
		if (!is_held && (!worker->client.conn || is_in_the_way(worker)))
			return false;
		if (is_held && remote_is_wanted(worker->remote))
			return false; /* it is back in time */
		if (!is_held)
			destination_idle(destination, true);
		err_t err =
			remote_wait(worker->remote, &destination->arrived,
				    is_held ? destination->next_at : deadline_s(IDLE_S));

		if (!is_held)
			destination_idle(destination, false);
		if (err != OK && !is_held && destination->waiting == 0)
			return false;
	}
	return false;
}

/* RFC 9422 §4.1: the server may want fewer. */
static unsigned mails_max(const struct client *client)
{
	unsigned most = client->bounds.limits.mail_max;

	return most > 0 ? (unsigned)num_min(most, MAILS_A_CONNECTION)
			: MAILS_A_CONNECTION;
}

/* Sends one mail; false if this worker should end. */
static bool carry(struct worker *worker)
{
	struct destination *destination = worker->destination;

	if (worker->client.conn && worker->client.mails >= mails_max(&worker->client))
		close_client(worker);
	if (!worker->client.conn && !open_client(worker))
		return false;
	struct mail *mail = destination_take(destination);

	if (!mail)
		return true;
	list_add_last(&destination->run->under_way, &mail->in_destination);
	bool is_begun = transaction_run(destination->run, &worker->client, mail);

	list_remove(&destination->run->under_way, &mail->in_destination);
	if (mail->count > 0)
		mail_enter(mail, true);
	mail_unref(mail);
	if (worker->client.has_failed) {
		destination_shrink(destination);
		close_client(worker);
	} else if (!is_begun) {
		close_client(worker);
	} else {
		destination_gain(destination);
	}
	return true;
}

static void work(struct worker *worker)
{
	struct destination *destination = worker->destination;
	unsigned sent = 0;

	while (await_mail(worker) && carry(worker)) {
		if (destination->workers > destination->window)
			return;
		destination_kick(destination); /* the window may have grown */
		if (++sent >= MAILS_A_TURN && is_in_the_way(worker))
			return;
	}
}

void worker_run(void *arg)
{
	struct destination *destination = arg;
	struct run *run = destination->run;
	struct worker worker = {.destination = destination};

	arena_init(&worker.host, 1024);
	task_describe(destination->name);
	work(&worker);
	close_client(&worker);
	arena_fini(&worker.host);
	destination->workers--;
	run->connections--;
	destination_feed(run);
	if (!task_is_canceled())
		destination_kick(destination);
	run->users--;
}
