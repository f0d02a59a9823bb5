#include "daemon/supervisor.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "base/rand.h"
#include "control/folder.h"
#include "control/resolve.h"
#include "daemon/supervisor_state.h"
#include "rt/file.h"
#include "rt/sandbox.h"

enum {
	HEALTHY_MS = 60 * 1000,    /* whoever lived so long starts afresh at once */
	PAUSE_MAX_S = 30,          /* 0, 1, 2, 4 … 30 s between starts in a row */
	PAUSE_EXTRACTD_S = 1,      /* hostile documents kill it; others wait for it */
	FAILURES_AT_START_MAX = 4, /* then the server gives up */
	STOP_DOORS_S = 10,
	STOP_REST_S = 15,
	POISON_BYTES = 8 * POISON_KNOWN_MAX,
	CLIENT_CA_MAX = 64 * 1024,

	/* What one may hold while it is busy: stack, TLS, buffers of both directions. */
	CONNECTION_BYTES = 256 * 1024,
	CONNECTIONS_MIN = 200,
	CONNECTIONS_MAX = 20000, /* below TASKS_MAX */
};

struct slot *slot_of(struct supervisor *supervisor, enum child_role role)
{
	for (size_t i = 0; i < supervisor->slot_count; i++) {
		if (supervisor->slots[i].role == role)
			return &supervisor->slots[i];
	}
	return NULL;
}

/* ---- one process ------------------------------------------------------------------- */

static void on_message(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct slot *slot = arg;

	(void)ipc;
	if (message->fd >= 0)
		(void)close(message->fd); /* children have nothing to give */
	if (message->type == CHILD_READY) {
		slot->is_ready = true;
		wake_all(&slot->supervisor->changed);
	}
	if (message->type == CHILD_DROP_END && slot->role == CHILD_SMTPD)
		drops_on_end(slot, message->body);
	/* Once a second at most, whatever the child says. */
	if (message->type == CHILD_WANT_SIGN && joints_is_for_clients(slot) &&
	    loop_now() >= slot->sign_given_at + 1000)
		joints_sign(slot);
}

static void tell_poison(struct slot *slot)
{
	SCOPED(buf_fini) struct buf keys = BUF(POISON_BYTES);

	poison_keys(&slot->supervisor->poison, slot->role, &keys);
	child_send(&slot->child, CHILD_POISON, buf_str(&keys), -1);
}

static void give_files(struct slot *slot)
{
	const struct conf *conf = slot->supervisor->options.conf;

	if (slot->role == CHILD_RESOLVERD)
		lookups_give_anchors(&slot->child, conf->dns_anchors);
	if (slot->role == CHILD_FETCHD || slot->role == CHILD_MTA)
		lookups_give_roots(&slot->child, conf->tls_roots);
	if (slot->role == CHILD_MTA)
		lookups_give_logins(&slot->child, conf->mta_logins);
}

/* Tells a new child all it needs. */
static void brief(struct slot *slot)
{
	struct supervisor *supervisor = slot->supervisor;
	const struct listeners *listeners = &supervisor->listeners;

	child_send(&slot->child, CHILD_CONFIG, buf_str(&supervisor->config), -1);
	tell_poison(slot);
	if (supervisor->client_ca.len > 0 && joints_is_for_clients(slot))
		child_send(&slot->child, CHILD_CLIENT_CA, buf_str(&supervisor->client_ca),
			   -1);
	if (slot->role == CHILD_STORAGED || slot->role == CHILD_VAULTD)
		child_send(&slot->child, CHILD_KEEP, STR(""), dup(supervisor->lock_fd));
	give_files(slot);
	for (size_t i = 0; i < listeners->count; i++) {
		const struct port *port = &listeners->ports[i];
		const char body[] = {(char)port->service, (char)port->is_proxied};

		if (service_entry(port->service)->role == slot->role &&
		    port->index == slot->index)
			child_send(&slot->child, CHILD_LISTEN, (struct str){body, 2},
				   dup(port->fd));
	}
	joints_make(slot);
	child_send(&slot->child, CHILD_GO, (struct str){(char[]){(char)slot->index}, 1},
		   -1);
}

/* "ROLE=SPEC;ROLE=SPEC" in POSTRIDER_FAULT; dev only. */
static const char *fault_of(const struct slot *slot, char *room, size_t size)
{
	const char *all = getenv("POSTRIDER_FAULT");
	struct str rest = str_c(all), name = str_c(child_role_name(slot->role));

	while (slot->supervisor->options.is_dev && rest.len > 0) {
		struct str spec = str_cut(&rest, ';');
		struct str role = str_cut(&spec, '=');

		if (str_same(role, name) && str_to_c(spec, room, size))
			return room;
	}
	return NULL;
}

/* The folder of its own that a process works in; NULL: none. */
static const char *part_of(enum child_role role)
{
	switch (role) {
	case CHILD_STORAGED:
		return "store";
	case CHILD_VAULTD:
		return "vault";
	case CHILD_RESOLVERD:
		return "resolver";
	case CHILD_FETCHD:
	case CHILD_SMTPD:
	case CHILD_IMAPD:
	case CHILD_MTA:
	case CHILD_DELIVERD:
	case CHILD_INDEXD:
	case CHILD_EXTRACTD:
		break;
	}
	return NULL;
}

static err_t start(struct slot *slot)
{
	struct supervisor *supervisor = slot->supervisor;
	char folder[FOLDER_PATH_MAX], data[FOLDER_PATH_MAX], fault[1000];
	struct child_options options = {
		.role = slot->role,
		.folder = "/",
		.fault = fault_of(slot, fault, sizeof fault),
		.is_sandbox_optional = supervisor->options.is_dev,
	};
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	const char *part = part_of(slot->role);

	user_of(&supervisor->options, slot->role, &options.uid, &options.gid);
	if (!str_to_c(supervisor->options.conf->data_directory, data, sizeof data))
		return ERR_LIMIT;
	if (part) {
		if (folder_make_part(data, part, options.uid, options.gid, &why) != OK) {
			LOG(ERROR, "data directory refused",
			    KV_STR("why", buf_str(&why)));
			return ERR_DENIED;
		}
		TRY(folder_path(folder, data, part));
		options.folder = folder;
	}
	slot->channel = rand_u64();
	TRY(child_start(&options, on_message, slot, &slot->child));
	brief(slot);
	return OK;
}

/* A document that ends the process that reads it wakes nobody. */
static void log_end(const struct slot *slot, int status, const char *operation)
{
	enum log_level level = slot->role == CHILD_EXTRACTD ? LOG_WARN : LOG_ERROR;
	const struct log_pair pairs[] = {
		KV("role", child_role_name(slot->role)),
		KV_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		KV_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
		KV("operation", operation),
	};

	if (level <= log_level_max)
		log_event(level, "process ended", pairs, COUNT_OF(pairs));
}

static void note_end(struct slot *slot, int status, const struct panic_record *record,
		     bool is_recorded)
{
	struct supervisor *supervisor = slot->supervisor;
	char key[17];

	slot->is_ready = false;
	if (supervisor->is_stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	log_end(slot, status, is_recorded ? record->operation : "");
	if (is_recorded && poison_note(&supervisor->poison, slot->role, record)) {
		(void)snprintf(key, sizeof key, "%016llx",
			       (unsigned long long)record->key);
		LOG(ERROR, "set aside, it crashed twice",
		    KV("operation", record->operation), KV("key", key));
		for (size_t i = 0; i < supervisor->slot_count; i++)
			tell_poison(&supervisor->slots[i]); /* those that run */
	}
	if (!supervisor->is_ready)
		supervisor->failures++;
}

/* How long to wait before the next start. */
static uint64_t pause_s(struct slot *slot, deadline_t started)
{
	if (loop_now() >= started + HEALTHY_MS)
		slot->failures = 0;
	unsigned before = slot->failures++;
	uint64_t most = slot->role == CHILD_EXTRACTD ? PAUSE_EXTRACTD_S : PAUSE_MAX_S;

	return before == 0 ? 0 : num_min(1ull << num_min(before - 1, 10), most);
}

/* The supervisor's tasks are never canceled before all children have ended. */
static void nap(struct supervisor *supervisor, uint64_t seconds)
{
	deadline_t until = deadline_s(seconds);

	while (!supervisor->is_stopping && loop_now() < until)
		(void)wait_on(&supervisor->changed, until);
}

static void run_slot(void *arg)
{
	struct slot *slot = arg;
	struct supervisor *supervisor = slot->supervisor;

	while (!supervisor->is_stopping) {
		deadline_t started = loop_now();

		if (start(slot) == OK) {
			struct panic_record record;
			bool is_recorded;

			(void)child_wait(&slot->child, NEVER);
			int status = child_end(&slot->child, &record, &is_recorded);
			note_end(slot, status, &record, is_recorded);
		} else if (!supervisor->is_ready)
			supervisor->failures++;
		wake_all(&supervisor->changed);
		nap(supervisor, pause_s(slot, started));
	}
	slot->is_over = true;
	wake_all(&supervisor->changed);
}

bool supervisor_is_stopping(const struct supervisor *supervisor)
{
	return supervisor->is_stopping;
}

/* ---- all of them ------------------------------------------------------------------- */

static bool is_of_phase(const struct slot *slot, bool is_door)
{
	return joints_is_door(slot) == is_door;
}

/* Starts the doors, or what is behind them, and waits until all are ready. */
static bool start_phase(struct supervisor *supervisor, bool is_door)
{
	bool are_ready = false;

	for (size_t i = 0; i < supervisor->slot_count; i++) {
		struct slot *slot = &supervisor->slots[i];

		if (!is_of_phase(slot, is_door))
			continue;
		slot->is_over = false;
		ASSERT(task_start("process", run_slot, slot));
	}
	while (!are_ready && !supervisor->is_stopping) {
		are_ready = true;
		for (size_t i = 0; i < supervisor->slot_count; i++) {
			if (is_of_phase(&supervisor->slots[i], is_door) &&
			    !supervisor->slots[i].is_ready)
				are_ready = false;
		}
		if (supervisor->failures >= FAILURES_AT_START_MAX)
			return false;
		if (!are_ready)
			(void)wait_on(&supervisor->changed, NEVER);
	}
	return are_ready;
}

static void stop_phase(struct supervisor *supervisor, bool is_door, unsigned seconds)
{
	deadline_t deadline = deadline_s(seconds);

	for (size_t i = 0; i < supervisor->slot_count; i++) {
		if (is_of_phase(&supervisor->slots[i], is_door))
			child_send(&supervisor->slots[i].child, CHILD_STOP, STR(""), -1);
	}
	for (size_t i = 0; i < supervisor->slot_count; i++) {
		struct slot *slot = &supervisor->slots[i];

		if (!is_of_phase(slot, is_door))
			continue;
		while (!slot->is_over &&
		       wait_on(&supervisor->changed, deadline) != ERR_TIMEOUT)
			;
		if (!slot->is_over && slot->child.pid != 0) {
			LOG(WARN, "process had to be killed",
			    KV("role", child_role_name(slot->role)));
			(void)kill(slot->child.pid, SIGKILL);
		}
		while (!slot->is_over)
			(void)wait_on(&supervisor->changed, NEVER);
	}
}

static void run(struct supervisor *supervisor)
{
	const struct supervisor_options *options = &supervisor->options;

	if (admission_open(supervisor) != OK || !start_phase(supervisor, false) ||
	    !options->when_stored(supervisor, options->arg) ||
	    !start_phase(supervisor, true)) {
		supervisor->status = supervisor->is_stopping ? 0 : 1;
		return;
	}
	if (drops_open(supervisor) != OK) {
		supervisor->status = 1;
		return;
	}
	supervisor->is_ready = true;
	if (!options->when_ready(supervisor, options->arg))
		supervisor->status = 1;
	while (!supervisor->is_stopping && supervisor->status == 0)
		(void)wait_on(&supervisor->changed, NEVER);
}

static void run_all(void *arg)
{
	struct supervisor *supervisor = arg;

	run(supervisor);
	supervisor->is_stopping = true;
	wake_all(&supervisor->changed);
	stop_phase(supervisor, true, STOP_DOORS_S);
	stop_phase(supervisor, false, STOP_REST_S);
	LOG(INFO, "server stopped");
	loop_stop();
}

static void watch_signals(void *arg)
{
	struct supervisor *supervisor = arg;
	struct signalfd_siginfo info;
	struct poll poll = {0};
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	ASSERT(fd >= 0 && poll_open(&poll, fd) == OK);
	while (poll_readable(&poll, NEVER) == OK) {
		if (read(fd, &info, sizeof info) == sizeof info) {
			LOG(INFO, "stopping", KV_INT("signal", info.ssi_signo));
			supervisor->is_stopping = true;
			wake_all(&supervisor->changed);
		}
		poll.is_readable = false;
	}
	poll_close(&poll);
	(void)close(fd);
}

static unsigned cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	return (unsigned)num_min((uint64_t)CPU_COUNT(&set), (SLOTS_MAX - 7) / 3);
}

static void add_slots(struct supervisor *supervisor, enum child_role role, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		supervisor->slots[supervisor->slot_count++] =
			(struct slot){.supervisor = supervisor,
				      .role = role,
				      .index = i,
				      .is_over = true};
}

static bool has_sandbox(const struct supervisor_options *options)
{
	unsigned lack = sandbox_lacking();

	if (lack == 0)
		return true;
	(void)fprintf(stderr,
		      "postrider: this kernel has no %s, so the processes that talk to "
		      "strangers cannot be confined.\n%s",
		      lack & SANDBOX_NO_LANDLOCK ? "Landlock" : "seccomp",
		      options->is_dev ? "" : "Nothing was started.\n");
	return options->is_dev;
}

static void block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Half of the machine's memory is for connections, shared equally by all doors. */
static uint32_t connections_max(void)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			 (uint64_t)sysconf(_SC_PAGESIZE) / 2 / (2 * cores());

	return (uint32_t)num_max(num_min(bytes / CONNECTION_BYTES, CONNECTIONS_MAX),
				 CONNECTIONS_MIN);
}

static bool encode_config(struct supervisor *supervisor)
{
	SCOPED(buf_fini) struct buf conf = BUF(CONF_BLOB_MAX);
	struct child_config config = {.is_dev = supervisor->options.is_dev,
				      .log_level = (uint8_t)log_level_max,
				      .connections_max = connections_max(),
				      .hurry = supervisor->options.hurry};

	conf_encode(supervisor->options.conf, &conf);
	config.conf = buf_str(&conf);
	supervisor->config = BUF(CONF_BLOB_MAX + 64);
	child_config_encode(&config, &supervisor->config);
	return buf_ok(&conf) && buf_ok(&supervisor->config);
}

/* The doors cannot read files. */
static bool read_client_ca(struct supervisor *supervisor)
{
	char path[FOLDER_PATH_MAX];
	struct str name = supervisor->options.conf->tls_client_ca;

	supervisor->client_ca = BUF(CLIENT_CA_MAX);
	if (name.len == 0 || (str_to_c(name, path, sizeof path) &&
			      file_read(path, &supervisor->client_ca) == OK))
		return true;
	(void)fprintf(stderr,
		      "postrider: cannot read %.*s (tls.client-ca).\nNothing was "
		      "started.\n",
		      STR_FMT(name));
	return false;
}

static err_t prepare(struct supervisor *supervisor, const char *folder, struct buf *why)
{
	TRY(folder_make(folder, why));
	TRY(folder_lock(folder, &supervisor->lock_fd, why));
	TRY(upgrading_run(folder, supervisor->options.conf->snapshot_days, why));
	TRY(folder_make_drop(folder, why));
	for (unsigned i = 0; i < CHILD_ROLES; i++) {
		const char *part = part_of((enum child_role)i);
		uid_t uid;
		gid_t gid;

		if (!part)
			continue;
		user_of(&supervisor->options, (enum child_role)i, &uid, &gid);
		TRY(folder_make_part(folder, part, uid, gid, why));
	}
	return OK;
}

/* The data directory is looked at before anything is started, so that what stands in the
 * way can be said in a sentence. */
static bool has_folder(struct supervisor *supervisor)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	char folder[FOLDER_PATH_MAX];

	if (str_to_c(supervisor->options.conf->data_directory, folder, sizeof folder) &&
	    prepare(supervisor, folder, &why) == OK)
		return true;
	(void)fprintf(stderr, "postrider: %.*s\nNothing was started.\n",
		      STR_FMT(buf_str(&why)));
	return false;
}

int supervisor_run(const struct supervisor_options *options)
{
	static struct supervisor supervisor;
	unsigned processes[CHILD_ROLES] = {
		1,       1, 1,       1, cores(),
		cores(), 1, cores(), 1, options->conf->are_attachments_searched};

	supervisor = (struct supervisor){.options = *options, .lock_fd = -1};
	for (unsigned i = 0; i < CHILD_ROLES; i++)
		add_slots(&supervisor, (enum child_role)i, processes[i]);
	if (!has_sandbox(options) || !encode_config(&supervisor) ||
	    !read_client_ca(&supervisor) || !has_folder(&supervisor) ||
	    listeners_open(&supervisor.listeners, options->conf, processes) != OK) {
		listeners_close(&supervisor.listeners);
		return 1;
	}
	block_signals();
	panic_init(-1);
	loop_init();
	(void)task_start("signals", watch_signals, &supervisor);
	(void)task_start("supervisor", run_all, &supervisor);
	(void)task_start("snapshot", upgrading_watch, &supervisor);
	loop_run();
	loop_fini();
	listeners_close(&supervisor.listeners);
	buf_fini(&supervisor.config);
	buf_fini(&supervisor.client_ca);
	if (supervisor.lock_fd >= 0)
		(void)close(supervisor.lock_fd);
	return supervisor.status;
}
