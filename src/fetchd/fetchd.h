/* The fetchd process: makes fetch.h's requests with libcurl, on the channels it is given.
 * It opens no file, asks no DNS, and holds nothing of anybody.
 */
#pragma once

#include "base/buf.h"

struct fetchd;

/* roots_pem: whom to trust; must stay, and is looked at for each request. */
struct fetchd *fetchd_open(const struct buf *roots_pem);
/* After the last task has ended. */
void fetchd_close(struct fetchd **fetchd);
/* Serves a channel until the other side closes it; fd is owned from here on. */
void fetchd_serve(struct fetchd *fetchd, int fd);
