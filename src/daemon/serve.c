#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/supervisor.h"
#include "vault/codec.h"
#include "vault/vault.h"

#define DEFAULT_CONFIG "/etc/postrider/postrider.conf"

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void print_help(void)
{
	printf("Runs the server, in the foreground.\n"
	       "\n"
	       "  postrider serve [-c FILE]\n"
	       "\n"
	       "  -c FILE  the configuration file, instead of " DEFAULT_CONFIG "\n"
	       "\n"
	       "It logs to standard error and ends in good order with SIGTERM.\n");
}

static void wipe(struct buf *buf)
{
	if (buf->ptr)
		explicit_bzero(buf->ptr, buf->room);
	buf_fini(buf);
}

static bool read_file(struct str name, struct buf *text)
{
	char path[4096];
	ssize_t len = -1;

	if (!str_to_c(name, path, sizeof path))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *room = buf_room(text, VAULT_PEM_MAX);
	if (fd >= 0 && room)
		len = read(fd, room, VAULT_PEM_MAX);
	int why = errno;
	if (fd >= 0)
		(void)close(fd);
	if (len > 0) {
		buf_grew(text, (size_t)len);
		return true;
	}
	(void)fprintf(stderr, "postrider: cannot read %s: %s.\n", path,
		      len == 0 ? "it is empty" : strerror(why));
	return false;
}

/* Only root may read the key's file; from here on only the vault has it. */
static bool hand_over_certificate(struct vault *vault, const struct conf *conf)
{
	SCOPED(buf_fini) struct buf chain = BUF(VAULT_PEM_MAX);
	SCOPED(wipe) struct buf key = BUF(VAULT_PEM_MAX);

	if (!read_file(conf->tls_certificate, &chain) || !read_file(conf->tls_key, &key))
		return false;
	if (vault_import_certificate(vault, conf->hostname, buf_str(&chain),
				     buf_str(&key)) == VAULT_OK)
		return true;
	(void)fprintf(stderr,
		      "postrider: %.*s holds no certificate that goes with the key in "
		      "%.*s.\n",
		      STR_FMT(conf->tls_certificate), STR_FMT(conf->tls_key));
	return false;
}

static bool on_stored(struct supervisor *supervisor, void *arg)
{
	const struct conf *conf = arg;
	int store_fd, vault_fd;

	if (conf->tls_certificate.len == 0)
		return true;
	if (supervisor_channels(supervisor, &store_fd, &vault_fd) != OK)
		return false;
	(void)close(store_fd);
	struct vault *vault = vault_open(vault_fd);
	bool is_done = hand_over_certificate(vault, conf);
	vault_close(&vault);
	return is_done;
}

static bool on_ready(struct supervisor *supervisor, void *arg)
{
	(void)supervisor;
	(void)arg;
	LOG(INFO, "ready");
	return true;
}

/* The default file may be missing: then the defaults hold. */
static int serve(const char *given)
{
	const char *path = given ? given : DEFAULT_CONFIG;
	struct arena arena;
	struct conf conf;
	struct str why = STR("");
	struct supervisor_options how = {.conf = &conf,
					 .when_stored = on_stored,
					 .when_ready = on_ready,
					 .arg = &conf};
	int status = 1;

	arena_init(&arena, 1024 * 1024);
	err_t err = conf_load(path, &arena, &conf, &why);
	if (err == ERR_ABSENT && !given)
		err = conf_defaults(&arena, &conf);
	if (err == OK) {
		log_level_max = conf.log_level;
		status = supervisor_run(&how);
	} else
		(void)fprintf(stderr, "postrider: %.*s\nNothing was started.\n",
			      STR_FMT(why));
	arena_fini(&arena);
	return status;
}

int serve_main(int argc, char **argv)
{
	const char *path = NULL;
	int option;

	log_name("supervisor");
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return 0;
		}
		if (option != 'c')
			return 2;
		path = optarg;
	}
	if (optind < argc) {
		(void)fprintf(stderr,
			      "postrider serve: what is \"%s\"?\n\"postrider serve "
			      "--help\" shows what can be said.\n",
			      argv[optind]);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return serve(path);
}
