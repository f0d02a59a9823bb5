/* The IMAP door over a store in memory, on a port of loopback:  fake_server BASEPORT
 * [MESSAGES [HURRY]] (IMAP is at BASEPORT + 143; one command goes through MESSAGES at
 * most, 0 is no bound; time goes HURRY times as fast).  For tests/dialog/run.py and for
 * trying clients. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "directory/directory.h"
#include "imap/fake_store.h"
#include "imap/imap.h"
#include "net/listen.h"
#include "rt/clock.h"

enum { SLICE_MESSAGES = 3 }; /* small, as the pages of the store are */

static struct imap_service service = {
	.hostname = {"imap.test", 9},
	.message_bytes_max = 10 << 20,
	.is_dev = true,
	.login.directory = &(const struct directory){NULL, {"imap.test", 9}},
};

static void serve(struct conn *conn, void *arg)
{
	(void)arg;
	imap_session(conn, &service);
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
			 sizeof on); /* a convenience */
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 100) != 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	uint64_t base, messages_max, hurry;

	if (argc < 2 || argc > 4 || !num_parse(str_c(argv[1]), 65535 - 143, &base) ||
	    !num_parse(str_c(argc > 2 ? argv[2] : "0"), UINT32_MAX, &messages_max) ||
	    !num_parse(str_c(argc > 3 ? argv[3] : "1"), 1000, &hurry))
		return 2;
	service.command_messages_max = (uint32_t)messages_max;
	service.slice_messages = hurry > 1 ? 0 : SLICE_MESSAGES;
	int fd = listen_at((uint16_t)(base + 143));

	if (fd < 0) {
		perror("listen");
		return 1;
	}
	if (hurry > 1)
		clock_hurry((unsigned)hurry);
	log_level_max = LOG_DEBUG;
	fake_store_init();
	loop_init();
	struct limits *limits =
		limits_new(&(struct limits_options){.total_max = 1000}, tally_new());
	struct listener *listener = listen_start(
		fd, &(struct listen_options){
			    .name = "imap", .limits = limits, .handler = serve});

	if (!listener)
		return 1;
	loop_run();
	return 0;
}
