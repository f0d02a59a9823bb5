/* postrider WORD …: the server's own words here, all others in ctl/. */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "daemon/daemon.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} words[] = {
	{"dev", dev_main},
	{"serve", serve_main},
	{"child", child_main},
};

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

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
