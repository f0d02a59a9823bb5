#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/hop.h"
#include "daemon/self.h"
#include "directory/dkim_mail.h"
#include "fetch/fetch.h"
#include "mailauth/tls_policy.h"
#include "mta/mta.h"
#include "resolver/resolver.h"
#include "store/store.h"
#include "vault/vault.h"

enum { ROOTS_BYTES_MAX = 2 * 1024 * 1024, LOGINS_BYTES_MAX = 64 * 1024 };

struct mta_process {
	struct store *store;
	struct vault *vault;
	struct resolver *resolver;
	struct fetch *fetch;
	struct buf roots, logins;
	struct directory directory;
	struct dkim_mailer mailer;
	struct mta_options options;
	struct mta *mta;
};

static void make(struct self *self)
{
	struct mta_process *process = NEW(struct mta_process);

	process->store = store_open(-1);
	process->vault = vault_open(-1);
	process->resolver = resolver_open(-1);
	process->fetch = fetch_open(-1);
	process->roots = BUF(ROOTS_BYTES_MAX);
	process->logins = BUF(LOGINS_BYTES_MAX);
	self->state = process;
}

/* One of each kind at most. */
static void set_sources(struct mta_options *options, struct str list)
{
	char room[ADDRESS_TEXT_BYTES + 8];

	for (struct str word; (word = conf_next_word(&list)).len > 0;) {
		struct buf text = BUF(sizeof room);
		bool is_v6 = str_find_byte(word, ':') < word.len;
		struct address address;

		buf_printf(&text, is_v6 ? "[%.*s]:0" : "%.*s:0", STR_FMT(word));
		bool is_good = address_parse(buf_str(&text), &address);

		buf_fini(&text);
		if (is_good && is_v6) {
			options->source6 = address;
			options->has_source6 = true;
		} else if (is_good) {
			options->source4 = address;
			options->has_source4 = true;
		}
	}
}

/* Where we take mail from other servers. */
static void set_own(struct self *self, struct mta_options *options)
{
	const struct conf_listeners *smtp = &self->conf.smtp;
	struct address *own = ARENA_ARRAY(&self->arena, struct address, smtp->count);

	for (size_t i = 0; own && i < smtp->count; i++) {
		struct str text = smtp->at[i].address;
		bool is_v6 = str_find_byte(text, ':') < text.len;
		struct str whole =
			arena_printf(&self->arena, is_v6 ? "[%.*s]:%u" : "%.*s:%u",
				     STR_FMT(text), smtp->at[i].port);

		if (address_parse(whole, &own[options->own_count]))
			options->own_count++;
	}
	options->own = own;
}

static bool begin(struct self *self)
{
	struct mta_process *process = self->state;
	const struct conf *conf = &self->conf;

	process->directory = (struct directory){.store = process->store,
						.default_domain = conf->default_domain};
	process->mailer = (struct dkim_mailer){&process->directory, process->vault};
	process->options = (struct mta_options){
		.store = process->store,
		.resolver = process->resolver,
		.fetch = process->fetch,
		.tls_uses = (conf->is_dane_heeded ? TLS_USE_DANE : 0u) |
			    (conf->is_mta_sts_heeded ? TLS_USE_STS : 0u),
		.sts_port = (uint16_t)conf->mta_sts_port,
		.is_tls_reported = conf->is_tls_reported,
		.tls_report_s = (unsigned)conf->tls_report_s,
		.hostname = conf->hostname,
		.hello = conf->mta_hello.len > 0 ? conf->mta_hello : conf->hostname,
		.smarthost = conf->mta_smarthost,
		.routes = conf->mta_routes,
		.logins = buf_str(&process->logins),
		.roots_pem = buf_str(&process->roots),
		.is_loopback_only = self->is_dev,
		.port = (uint16_t)conf->mta_port,
		.connections_max = conf->mta_connections,
		.rate_per_minute = conf->mta_rate,
		.address_connections_max = conf->mta_address_connections,
		.schedule = {.retry_first_s = conf->queue_retry_first_s,
			     .retry_max_s = conf->queue_retry_max_s,
			     .expire_s = conf->queue_expire_s,
			     .delay_notice_s = conf->queue_delay_notice_s},
		.reporter = {.store = process->store,
			     .directory = &process->directory,
			     .hostname = conf->hostname,
			     .mailer = &process->mailer,
			     .double_bounce = conf->queue_double_bounce},
		.patience_s = conf->mta_patience_s};
	set_sources(&process->options, conf->mta_source);
	set_own(self, &process->options);
	process->mta = mta_open(&process->options);
	return task_start("mta", mta_task, process->mta) != NULL;
}

/* Before CHILD_GO. */
static void read_file(struct buf *into, int fd)
{
	char *room = buf_room(into, into->max);
	ssize_t len = room ? read(fd, room, into->max) : -1;

	if (len > 0)
		buf_grew(into, (size_t)len);
	(void)close(fd);
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct mta_process *process = self->state;

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
	case CHILD_FETCH:
		fetch_reconnect(process->fetch, message->fd);
		return;
	case CHILD_ROOTS:
		read_file(&process->roots, message->fd);
		return;
	case CHILD_LOGINS:
		read_file(&process->logins, message->fd);
		return;
	default: /* a number from outside, no enum */
		break;
	}
	(void)close(message->fd);
}

static void end(struct self *self)
{
	struct mta_process *process = self->state;

	mta_close(&process->mta);
	store_close(&process->store);
	vault_close(&process->vault);
	resolver_close(&process->resolver);
	fetch_close(&process->fetch);
	buf_fini(&process->roots);
	if (process->logins.ptr)
		explicit_bzero(process->logins.ptr, process->logins.room);
	buf_fini(&process->logins);
	mem_free(process);
}

const struct role role_mta = {
	.sandbox = {.powers = SANDBOX_CONNECT, .descriptors_max = 65536},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
