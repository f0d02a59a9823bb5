#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/self.h"
#include "deliverd/deliverd.h"
#include "deliverd/queued.h"
#include "deliverd/tally.h"
#include "deliverd/upkeep.h"
#include "directory/dkim_mail.h"
#include "mda/mda.h"
#include "net/networks.h"
#include "resolver/resolver.h"
#include "store/store.h"
#include "vault/vault.h"

struct deliver_process {
	struct store *store;
	struct vault *vault;
	struct resolver *resolver;
	struct networks friends;
	struct directory directory;
	struct dkim_mailer mailer;
	struct upkeep upkeep;
	struct deliverd_options options;
	struct mda mda;
	struct tally_options tally;
	struct dmarc_ledger *ledger; /* NULL: nobody is told */
	struct failures *failures;   /* likewise */
	struct deliverd *deliverd;   /* NULL before it has begun */
	struct waiters opened;
};

static void make(struct self *self)
{
	struct deliver_process *process = NEW(struct deliver_process);

	process->store = store_open(-1);
	process->vault = vault_open(-1);
	process->resolver = resolver_open(-1);
	self->state = process;
}

/* Of what comes in other domains' names. */
static void tally(struct self *self)
{
	struct deliver_process *process = self->state;
	const struct conf *conf = &self->conf;

	process->tally = (struct tally_options){
		.store = process->store,
		.directory = &process->directory,
		.mailer = &process->mailer,
		.lookup = dns_lookup_by(process->resolver),
		.hostname = conf->hostname,
		.is_reported = conf->is_dmarc_reported && self->index < DMARC_SEATS_MAX,
		.interval_s = (unsigned)conf->dmarc_report_s,
		.seat = self->index,
		.failures_hourly_max = conf->dmarc_failure_reports};
	process->ledger = dmarc_tally_open(&process->tally);
	process->failures = failures_tally_open(&process->tally);
}

static bool begin(struct self *self)
{
	struct deliver_process *process = self->state;
	const struct conf *conf = &self->conf;

	process->directory = (struct directory){.store = process->store,
						.default_domain = conf->default_domain};
	process->mailer = (struct dkim_mailer){&process->directory, process->vault};
	process->upkeep =
		(struct upkeep){&process->directory, process->vault, process->resolver};
	process->mda =
		(struct mda){.store = process->store,
			     .schedule = {.retry_first_s = conf->queue_retry_first_s,
					  .retry_max_s = conf->queue_retry_max_s,
					  .expire_s = conf->queue_expire_s,
					  .delay_notice_s = conf->queue_delay_notice_s},
			     .reporter = {.store = process->store,
					  .directory = &process->directory,
					  .hostname = conf->hostname,
					  .mailer = &process->mailer,
					  .double_bounce = conf->queue_double_bounce},
			     .by_script = queued_by_script,
			     .by_script_arg = &process->options};
	process->options = (struct deliverd_options){
		.store = process->store,
		.policy = {.hostname = conf->hostname,
			   .directory = &process->directory,
			   .friends = &process->friends,
			   .forwarders = conf->forwarders,
			   .exceptions = conf->exceptions,
			   .is_dmarc_obeyed = conf->is_dmarc_obeyed,
			   .mailer = &process->mailer,
			   .is_sealing = conf->is_arc_sealed},
		.reporter = &process->mda.reporter,
		.report_address = conf->report_address,
		.sealer = conf->is_arc_sealed ? &process->mailer : NULL,
		.rewriter = conf->is_from_rewritten ? &process->mailer : NULL};

	if (!networks_parse(conf->friends, &process->friends))
		return false;
	if (conf->is_mail_judged) {
		process->options.policy.dns = dns_lookup_by(process->resolver);
		tally(self);
		process->options.policy.ledger = process->ledger;
		process->options.policy.failures = process->failures;
	}
	process->deliverd = deliverd_open(&process->options);
	wake_all(&process->opened);
	return task_start("mda", mda_task, &process->mda) &&
	       task_start("upkeep", upkeep_task, &process->upkeep) &&
	       (!process->ledger ||
		task_start("DMARC reports", dmarc_ledger_task, process->ledger));
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct deliver_process *process = self->state;

	if (message->fd < 0)
		return;
	switch (message->type) {
	case CHILD_STORE:
		store_reconnect(process->store, message->fd);
		return;
	case CHILD_VAULT:
		vault_reconnect(process->vault, message->fd);
		return;
	case CHILD_RESOLVER:
		resolver_reconnect(process->resolver, message->fd);
		return;
	default: /* a number from outside, no enum */
		break;
	}
	while (!process->deliverd && message->type == CHILD_SERVE) {
		if (wait_on(&process->opened, NEVER) != OK)
			break;
	}
	if (process->deliverd && message->type == CHILD_SERVE)
		deliverd_serve(process->deliverd, message->fd);
	else
		(void)close(message->fd);
}

static void end(struct self *self)
{
	struct deliver_process *process = self->state;

	deliverd_close(&process->deliverd);
	dmarc_ledger_close(&process->ledger);
	failures_close(&process->failures);
	store_close(&process->store);
	vault_close(&process->vault);
	resolver_close(&process->resolver);
	mem_free(process);
}

const struct role role_deliverd = {
	.sandbox = {.descriptors_max = 1024},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
