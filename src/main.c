/* postrider WORD …: the server's own words here, all others in ctl/. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"
#include "daemon/daemon.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} words[] = {
	{"dev", dev_main},
	{"serve", serve_main},
	{"child", child_main},
	{"sendmail", sendmail_main},
};

/* What links to us may be called. */
static const char *const own_words[] = {"sendmail", "mailq", "newaliases"};

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const char *slash = strrchr(argv[0], '/'), *own = slash ? slash + 1 : argv[0];

	mem_begin();
	for (size_t i = 0; i < sizeof own_words / sizeof own_words[0]; i++) {
		if (strcmp(own, own_words[i]) == 0)
			return sendmail_main(argc, argv);
	}

	if (strcmp(word, "--version") == 0) {
		printf("postrider " POSTRIDER_VERSION "\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(word, words[i].name) == 0)
			return words[i].run(argc - 1, argv + 1);
	}
	return ctl_main(argc, argv);
}
