#include "deliverd/tally.h"

#include "directory/directory.h"
#include "queue/id.h"
#include "route/letter.h"
#include "rt/clock.h"

static bool make_letter(void *arg, struct str to, struct str mail, struct arena *arena,
			struct store_op *op)
{
	const struct tally_options *options = arg;
	char room[QUEUE_ID_LETTERS];
	struct letter letter = {.hostname = options->hostname,
				.to = to,
				.id = queue_id_make(room),
				.message = mail,
				.mailer = options->mailer,
				.domain = options->directory->default_domain,
				.kind = QUEUE_7BIT,
				.now = clock_s()};

	return letter_queue(&letter, options->directory, arena, op);
}

struct dmarc_ledger *dmarc_tally_open(const struct tally_options *options)
{
	const struct dmarc_ledger_options ledger = {
		.store = options->store,
		.lookup = options->lookup,
		.hostname = options->hostname,
		.submitter = options->directory->default_domain,
		.interval_s = options->interval_s,
		.seat = options->seat,
		.letter = make_letter,
		.arg = (void *)(uintptr_t)options};

	return options->is_reported ? dmarc_ledger_open(&ledger) : NULL;
}

struct failures *failures_tally_open(const struct tally_options *options)
{
	const struct failures_options failures = {
		.store = options->store,
		.lookup = options->lookup,
		.hostname = options->hostname,
		.submitter = options->directory->default_domain,
		.hourly_max = options->failures_hourly_max,
		.letter = make_letter,
		.arg = (void *)(uintptr_t)options};

	return options->failures_hourly_max > 0 ? failures_open(&failures) : NULL;
}
