#include "mta/tally.h"

#include "directory/directory.h"
#include "net/conn.h"
#include "queue/id.h"
#include "route/letter.h"
#include "rt/clock.h"
#include "tlspolicy/ledger.h"

static bool make_letter(void *arg, struct str to, struct str mail, struct arena *arena,
			struct store_op *op)
{
	const struct run *run = arg;
	char room[QUEUE_ID_LETTERS];
	struct letter letter = {.hostname = run->options->hostname,
				.to = to,
				.id = queue_id_make(room),
				.message = mail,
				.mailer = run->options->reporter.mailer,
				.domain =
					run->options->reporter.directory->default_domain,
				.kind = QUEUE_TLS_OPTIONAL,
				.now = clock_s()};

	return letter_queue(&letter, run->options->reporter.directory, arena, op);
}

struct ledger *tally_open(struct run *run)
{
	const struct mta_options *mta = run->options;
	const struct ledger_options options = {
		.store = mta->store,
		.resolver = mta->resolver,
		.fetch = mta->fetch,
		.hostname = mta->hostname,
		.submitter = mta->reporter.directory->default_domain,
		.interval_s = mta->tls_report_s,
		.letter = make_letter,
		.arg = run};

	return mta->is_tls_reported ? ledger_open(&options) : NULL;
}

void tally_task(void *arg)
{
	struct run *run = arg;

	ledger_task(run->ledger);
	run->users--;
}

void tally_hop(struct run *run, const struct policy_hop *hop)
{
	if (run->ledger)
		ledger_add_hop(run->ledger, hop);
}

void tally_host(const struct destination *destination, const struct policy_hop *hop,
		const struct tls_demand *demand, const struct client *client,
		struct str host)
{
	struct ledger_result result = {.flaw = demand->flaw, .host = host};

	if (!destination->run->ledger || destination->tls == DESTINATION_OPTIONAL)
		return;
	if (!client && demand->flaw == TLS_FLAW_NONE) /* nothing of TLS is wrong */
		return;
	if (client) {
		if (client->options.is_tls_avoided || !client->is_tls_known)
			return; /* it was counted before, or did not get there */
		result.address = conn_peer(client->conn);
		result.local = conn_local(client->conn);
		if (client->tls.flaw != TLS_FLAW_NONE) {
			result.flaw = client->tls.flaw;
			result.why = str_c(client->tls.why);
		}
	}
	ledger_add(destination->run->ledger, hop, demand, &result);
}
