/* HTTPS requests to others, made by the fetchd process, which holds no mail and opens no
 * file.  Whoever asks has looked the host's addresses up (resolver/), so that there is
 * one way to the DNS.  Certificates are always verified; redirects are never followed.
 */
#pragma once

#include "base/arena.h"
#include "rt/task.h"

struct fetch;

enum {
	FETCH_ADDRESSES_MAX = 16,
	FETCH_BODY_MAX = 256 * 1024, /* of what is posted */
	FETCH_REPLY_MAX = 256 * 1024,
	FETCH_URL_MAX = 1000,
};

struct fetch_request {
	struct str url;  /* https: */
	struct str host; /* of the URL, and its port */
	uint16_t port;
	struct str addresses[FETCH_ADDRESSES_MAX]; /* as text */
	size_t address_count;
	bool is_post;
	struct str body, media_type; /* of a post */
	uint32_t reply_max;          /* octets of its body; more is TOO_BIG */
	uint32_t timeout_s;
};

enum fetch_outcome {
	FETCH_OK,          /* it was answered: see status */
	FETCH_UNREACHABLE, /* no connection, or it broke */
	FETCH_UNTRUSTED,   /* the certificate is not good */
	FETCH_TIMED_OUT,
	FETCH_TOO_BIG,
	FETCH_BROKEN, /* not HTTP, or nothing we can use; or our own trouble */
};
enum { FETCH_OUTCOMES = FETCH_BROKEN + 1 };

struct fetch_reply {
	enum fetch_outcome outcome;
	uint16_t status;       /* 200 ... */
	struct str media_type; /* "text/plain", in lower case, without parameters */
	struct str body;
	struct str why; /* in words, unless OK */
};

/* fd is a channel to the fetchd process, owned from here on; -1: not yet. */
struct fetch *fetch_open(int fd);
void fetch_close(struct fetch **fetch);
void fetch_reconnect(struct fetch *fetch, int fd);

/* May suspend, up to timeout_s and some.  Slices live in arena; if it is too small, the
 * answer is TOO_BIG. */
void fetch_ask(struct fetch *fetch, const struct fetch_request *request,
	       struct arena *arena, struct fetch_reply *reply);
/* "https://HOST[:PORT]/..." in its parts; false if it is none, or the host is a number or
 * no name. */
[[nodiscard]] bool fetch_url_split(struct str url, struct str *host, uint16_t *port);
