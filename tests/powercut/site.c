#include "powercut/site.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SITES_MAX = 400, SITE_BYTES = 100 };

struct site {
	char name[SITE_BYTES];
	unsigned calls;
};

static struct site sites[SITES_MAX];
static unsigned fail_nth;
static char fail_site[SITE_BYTES], fail_action[16];

static const char *kind_of(const char *path)
{
	const char *name = strrchr(path, '/');

	if (strstr(path, ".pack"))
		return "pack";
	if (strstr(path, "index.lmdb"))
		return "index";
	return name ? name + 1 : path;
}

/* "pwritev.pack.1a2b": the call, the file, and where in the program. */
static struct site *site_of(const char *call, const char *path, void *caller)
{
	char name[SITE_BYTES];
	Dl_info info = {0};

	(void)dladdr(caller, &info);
	const char *object = info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;

	(void)snprintf(name, sizeof name, "%s.%.16s.%.12s+%lx", call, kind_of(path),
		       object ? object + 1 : "?",
		       (unsigned long)((char *)caller - (char *)info.dli_fbase));
	for (size_t i = 0; i < SITES_MAX; i++) {
		if (!sites[i].name[0])
			memcpy(sites[i].name, name, sizeof name);
		if (strcmp(sites[i].name, name) == 0)
			return &sites[i];
	}
	abort();
}

/* 0, or the errno to fail with; -1: to die in the middle. */
int site_failure(const char *call, const char *path, void *caller)
{
	static int lock;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		;
	struct site *site = site_of(call, path, caller);
	bool is_now = ++site->calls == fail_nth && strcmp(site->name, fail_site) == 0;

	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	if (!is_now)
		return 0;
	return strcmp(fail_action, "EIO") == 0      ? EIO
	       : strcmp(fail_action, "ENOSPC") == 0 ? ENOSPC
						    : -1;
}

void site_die(void)
{
	(void)raise(SIGKILL);
}

/* True if the call fails; errno says how. */
bool site_fails(const char *call, const char *path, void *caller)
{
	int code = site_failure(call, path, caller);

	if (code < 0)
		site_die();
	if (code > 0)
		errno = code;
	return code != 0;
}

void sites_arm(const char *spec)
{
	/* SITE has no colon. */
	const char *nth = strchr(spec, ':');
	const char *action = nth ? strchr(nth + 1, ':') : NULL;

	if (!action)
		return;
	(void)snprintf(fail_site, sizeof fail_site, "%.*s", (int)(nth - spec), spec);
	(void)snprintf(fail_action, sizeof fail_action, "%s", action + 1);
	fail_nth = (unsigned)strtoul(nth + 1, NULL, 10);
}

void sites_write(const char *path)
{
	FILE *out = fopen(path, "w");

	for (size_t i = 0; out && i < SITES_MAX && sites[i].name[0]; i++)
		(void)fprintf(out, "%s %u\n", sites[i].name, sites[i].calls);
	if (out)
		(void)fclose(out); /* who reads it sees if it is whole */
}
