#include "resolverd/engine.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

enum { SERVER_MAX = 100, ZONE_MAX = 256, ANCHOR_MAX = 4096 };

/* How often one server is asked again: each wait is twice as long as the one before, so
 * that one which is silent has been waited for some 5 s, and not 18 s. */
#define SERVER_RETRIES "3"

static const char anchor_file[] = "root.key";

/* What the root has been signed with since 2017 and 2024 (data.iana.org/root-anchors).
 * What comes after is learnt from the root itself, and kept in the file. */
static const char root_anchors[] =
	". IN DS 20326 8 2 "
	"E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
	". IN DS 38696 8 2 "
	"683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16\n";

/* "ADDRESS" or "ADDRESS:PORT" or "[V6]:PORT" as libunbound writes it. */
static bool server_text(struct str server, char room[SERVER_MAX])
{
	SCOPED(buf_fini) struct buf text = BUF(SERVER_MAX);
	struct str address = server;
	size_t colon = str_find_byte(server, ':');

	if (server.len > 0 && server.ptr[0] == '[') {
		address = str_skip(server, 1);
		address = str_cut(&address, ']');
		server = str_skip(server, address.len + 2);
	} else if (colon < server.len && str_find_byte(str_skip(server, colon + 1),
						       ':') == server.len - colon - 1) {
		address = str_first(server, colon);
		server = str_skip(server, colon);
	} else {
		server = STR("");
	}
	buf_add(&text, address);
	if (server.len > 1)
		buf_printf(&text, "@%.*s", STR_FMT(str_skip(server, 1)));
	return buf_ok(&text) && str_to_c(buf_str(&text), room, SERVER_MAX);
}

static bool set(struct ub_ctx *ctx, const char *name, const char *value)
{
	int code = ub_ctx_set_option(ctx, name, value);

	if (code != 0)
		LOG(ERROR, "resolver refuses an option", KV("name", name),
		    KV("why", ub_strerror(code)));
	return code == 0;
}

/* Names that libunbound answers itself unless told otherwise (RFC 6761), and addresses it
 * would not ask: a server of one's own may well serve them. */
static bool open_special_names(struct ub_ctx *ctx)
{
	static const char *const names[] = {"test.", "127.in-addr.arpa.", "invalid.",
					    "onion.", "localhost."};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		SCOPED(buf_fini) struct buf value = BUF(100);

		buf_printf(&value, "%s transparent", names[i]);
		buf_add(&value, STR("\0"));
		if (!set(ctx, "local-zone:", value.ptr))
			return false;
	}
	return set(ctx, "unblock-lan-zones:", "yes") &&
	       set(ctx, "insecure-lan-zones:", "yes") &&
	       set(ctx, "do-not-query-localhost:", "no");
}

static bool use_server(struct ub_ctx *ctx, struct str server)
{
	char room[SERVER_MAX];

	return server.len == 0 || (server_text(server, room) && open_special_names(ctx) &&
				   ub_ctx_set_fwd(ctx, room) == 0);
}

static bool use_zones(struct ub_ctx *ctx, struct str zones)
{
	char name[ZONE_MAX], server[SERVER_MAX];

	if (zones.len > 0 && !open_special_names(ctx))
		return false;
	while (zones.len > 0) {
		struct str rest = str_cut(&zones, ' ');
		struct str zone = str_cut(&rest, '=');

		if (zone.len == 0)
			continue;
		if (!str_to_c(zone, name, sizeof name) || !server_text(rest, server) ||
		    ub_ctx_set_stub(ctx, name, server, 0) != 0)
			return false;
	}
	return true;
}

/* The root's keys, as they were when this process last ran. */
static bool use_root(struct ub_ctx *ctx)
{
	int fd = open(anchor_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		ssize_t size = (ssize_t)sizeof root_anchors - 1;
		bool is_written = write(fd, root_anchors, (size_t)size) == size;

		(void)close(fd);
		if (!is_written) {
			(void)unlink(anchor_file);
			return false;
		}
	}
	return ub_ctx_add_ta_autr(ctx, anchor_file) == 0;
}

static bool use_anchors(struct ub_ctx *ctx, const struct resolverd_options *options)
{
	struct str rest = options->anchors;
	char record[ANCHOR_MAX];

	if (!options->is_validating)
		return true;
	if (rest.len == 0)
		return use_root(ctx);
	while (rest.len > 0) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (line.len == 0 || line.ptr[0] == ';')
			continue;
		if (!str_to_c(line, record, sizeof record) ||
		    ub_ctx_add_ta(ctx, record) != 0)
			return false;
	}
	return true;
}

struct ub_ctx *engine_new(const struct resolverd_options *options, const char **why)
{
	struct ub_ctx *ctx = ub_ctx_create();

	*why = NULL;
	if (!ctx || ub_ctx_async(ctx, 1) != 0)
		*why = "The DNS library cannot be started.";
	else if (!set(ctx, "msg-cache-size:", "16m") ||
		 !set(ctx, "rrset-cache-size:", "32m") ||
		 !set(ctx, "cache-max-ttl:", "86400") ||
		 !set(ctx, "cache-max-negative-ttl:", "900") ||
		 !set(ctx, "outbound-msg-retry:", SERVER_RETRIES))
		*why = "The DNS library refuses its settings.";
	else if (!use_server(ctx, options->server))
		*why = "The setting dns.server is not understood.";
	else if (!use_zones(ctx, options->zones))
		*why = "The setting dns.zones is not understood.";
	else if (!use_anchors(ctx, options))
		*why = "The trust anchors of DNSSEC cannot be read.";
	if (!*why)
		return ctx;
	if (ctx)
		ub_ctx_delete(ctx);
	return NULL;
}
