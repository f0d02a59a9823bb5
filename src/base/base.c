#include "base/base.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

void (*panic_hook)(void);

const char *err_text(err_t err)
{
	switch (err) {
	case OK:
		return "ok";
	case ERR_CLOSED:
		return "connection closed";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_CANCELED:
		return "canceled";
	case ERR_LIMIT:
		return "limit reached";
	case ERR_IO:
		return "system error";
	case ERR_SYNTAX:
		return "malformed";
	case ERR_ABSENT:
		return "not found";
	case ERR_DENIED:
		return "not allowed";
	}
	return "unknown";
}

void panic_at(const char *claim, const char *file, int line)
{
	static volatile sig_atomic_t is_panicking;

	if (!is_panicking) {
		is_panicking = 1;
		LOG(ERROR, "assertion failed", KV("claim", claim), KV("file", file),
		    KV_INT("line", line));
		log_dump_recent(STDERR_FILENO);
		if (panic_hook)
			panic_hook();
	}
	abort();
}
