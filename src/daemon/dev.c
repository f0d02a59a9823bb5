#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/num.h"
#include "daemon/daemon.h"
#include "daemon/people.h"
#include "daemon/service.h"
#include "daemon/supervisor.h"

enum {
	BASE_PORT = 10000,
	BASE_PORT_MAX = 60000,
	USERS_MAX = 1000000,
	HURRY_MAX = 1000,
	SETTINGS_MAX = 32
};

struct dev {
	const char *folder;
	char absolute[4096];
	uint64_t base_port, users, hurry;
	const char *dns, *client_ca;
	const char *settings[SETTINGS_MAX];
	size_t setting_count;
	bool wants_help;
	struct arena arena;
	struct conf conf;
};

static const struct option options[] = {
	{"dir", required_argument, NULL, 'd'},
	{"base-port", required_argument, NULL, 'p'},
	{"accounts", required_argument, NULL, 'a'},
	{"dns", required_argument, NULL, 'n'},
	{"client-ca", required_argument, NULL, 'c'},
	{"hurry", required_argument, NULL, 'q'},
	{"set", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void print_help(void)
{
	printf("Starts a server of your own to play with, in the foreground, on "
	       "127.0.0.1.\n"
	       "\n"
	       "  postrider dev [--dir DIR] [--base-port N] [--accounts N] "
	       "[--dns HOST:PORT]\n"
	       "                [--client-ca FILE] [--set NAME=VALUE]...\n"
	       "\n"
	       "Options:\n"
	       "  --dir DIR        where all is kept (./postrider-dev); the next start\n"
	       "                   finds it again\n"
	       "  --base-port N    ports are N + 25 (SMTP), 587, 465, 143 (IMAP), 993,\n"
	       "                   110 (POP3), 995, 24 (LMTP) (%d)\n"
	       "  --accounts N     accounts user1 to userN besides alice, bob and admin\n"
	       "  --dns HOST:PORT  the name server to ask\n"
	       "  --client-ca FILE who certifies people, as in tls.client-ca\n"
	       "  --hurry N        for tests: whoever is silent is waited for N times "
	       "less\n"
	       "  --set NAME=VALUE any setting, such as mta.port=2525; mail to other\n"
	       "                   domains goes to addresses on loopback only\n"
	       "\n"
	       "Every account is NAME@" DEV_DOMAIN " with the password \"" DEV_PASSWORD
	       "\".  It prints \"ready\" when\n"
	       "all ports answer, logs to standard error, and ends with Ctrl-C.\n",
	       BASE_PORT);
}

static bool read_number(const char *text, uint64_t max, const char *what,
			uint64_t *number)
{
	if (num_parse(str_c(text), max, number))
		return true;
	(void)fprintf(stderr,
		      "postrider dev: %s is a number from 0 to %llu, not \"%s\".\n", what,
		      (unsigned long long)max, text);
	return false;
}

static bool read_options(struct dev *dev, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			dev->folder = optarg;
			break;
		case 'p':
			if (!read_number(optarg, BASE_PORT_MAX, "--base-port",
					 &dev->base_port))
				return false;
			break;
		case 'a':
			if (!read_number(optarg, USERS_MAX, "--accounts", &dev->users))
				return false;
			break;
		case 'q':
			if (!read_number(optarg, HURRY_MAX, "--hurry", &dev->hurry))
				return false;
			break;
		case 'n':
			dev->dns = optarg;
			break;
		case 'c':
			dev->client_ca = optarg;
			break;
		case 's':
			if (dev->setting_count == SETTINGS_MAX)
				return false;
			dev->settings[dev->setting_count++] = optarg;
			break;
		case 'h':
			dev->wants_help = true;
			break;
		default: /* getopt has said it */
			return false;
		}
	}
	if (optind < argc)
		(void)fprintf(stderr, "postrider dev: what is \"%s\"?\n", argv[optind]);
	return optind == argc;
}

static bool make_folder(struct dev *dev)
{
	if (mkdir(dev->folder, 0700) != 0 && errno != EEXIST) {
		(void)fprintf(stderr, "postrider dev: cannot make %s: %s.\n", dev->folder,
			      strerror(errno));
		return false;
	}
	char *path = realpath(dev->folder, NULL);
	bool is_good = path && str_to_c(str_c(path), dev->absolute, sizeof dev->absolute);

	free(path);
	if (!is_good)
		(void)fprintf(stderr, "postrider dev: cannot use %s.\n", dev->folder);
	return is_good;
}

static bool set_ports(struct dev *dev)
{
	for (unsigned i = 0; i < SERVICES; i++) {
		struct conf_listeners *at =
			service_listeners(&dev->conf, (enum service)i);
		uint64_t port = dev->base_port + service_entry((enum service)i)->port;

		at->at = ARENA_NEW(&dev->arena, struct conf_listener);
		if (!at->at)
			return false;
		at->at[0] =
			(struct conf_listener){STR("127.0.0.1"), (uint16_t)port, false};
		at->count = 1;
	}
	return true;
}

/* A setting from the command line; NULL if it was not given. */
static bool set(struct dev *dev, const char *option, const char *name, const char *value)
{
	struct str why;

	if (!value ||
	    conf_set(&dev->conf, &dev->arena, str_c(name), str_c(value), &why) == OK)
		return true;
	(void)fprintf(stderr, "postrider dev: --%s: %.*s\n", option, STR_FMT(why));
	return false;
}

static bool set_others(struct dev *dev)
{
	for (size_t i = 0; i < dev->setting_count; i++) {
		struct str value = str_c(dev->settings[i]), why;
		struct str name = str_cut(&value, '=');

		if (conf_set(&dev->conf, &dev->arena, name, value, &why) == OK)
			continue;
		(void)fprintf(stderr, "postrider dev: --set: %.*s\n", STR_FMT(why));
		return false;
	}
	return true;
}

static bool configure(struct dev *dev)
{
	if (conf_defaults(&dev->arena, &dev->conf) != OK || !set_ports(dev))
		return false;
	dev->conf.data_directory = str_c(dev->absolute);
	dev->conf.hostname = STR("mail." DEV_DOMAIN);
	dev->conf.default_domain = STR(DEV_DOMAIN);
	dev->conf.exempt = STR("127.0.0.0/8");
	dev->conf.tls_certificate = dev->conf.tls_key = STR("");
	if (dev->dns) {
		/* A server of one's own does not lead down from the root's keys, and
		 * knows who loopback is. */
		dev->conf.dns_anchors = STR("none");
		dev->conf.friends = STR("");
	}
	return set(dev, "dns", "dns.server", dev->dns) &&
	       set(dev, "client-ca", "tls.client-ca", dev->client_ca) && set_others(dev);
}

static bool on_stored(struct supervisor *supervisor, void *arg)
{
	const struct dev *dev = arg;

	return people_add(supervisor, dev->absolute, (unsigned)dev->users);
}

static bool on_ready(struct supervisor *supervisor, void *arg)
{
	(void)supervisor;
	(void)arg;
	printf("ready\n");
	(void)fflush(stdout); /* nobody has to read it */
	return true;
}

int dev_main(int argc, char **argv)
{
	struct dev dev = {.folder = "postrider-dev", .base_port = BASE_PORT};
	struct supervisor_options how = {.is_dev = true,
					 .conf = &dev.conf,
					 .when_stored = on_stored,
					 .when_ready = on_ready,
					 .arg = &dev};
	int status = 1;

	log_name("supervisor");
	if (!read_options(&dev, argc, argv)) {
		(void)fprintf(stderr,
			      "\"postrider dev --help\" shows what can be said.\n");
		return 2;
	}
	if (dev.wants_help) {
		print_help();
		return 0;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	arena_init(&dev.arena, 1024 * 1024);
	how.hurry = (unsigned)dev.hurry;
	if (make_folder(&dev) && configure(&dev))
		status = supervisor_run(&how);
	arena_fini(&dev.arena);
	return status;
}
