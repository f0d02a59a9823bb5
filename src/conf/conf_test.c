#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"

struct world {
	struct arena arena;
	struct conf conf;
	struct str why;
	err_t err;
};

/* Loads a file with that text; why has the file's name cut off. */
static void load(struct world *world, const char *text)
{
	char path[] = "/tmp/postrider-conf-XXXXXX";
	int fd = mkstemp(path);

	ASSERT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	ASSERT(close(fd) == 0);
	arena_init(&world->arena, 1000000);
	world->why = STR("");
	world->err = conf_load(path, &world->arena, &world->conf, &world->why);
	if (str_starts(world->why, str_c(path)))
		world->why = str_skip(world->why, strlen(path));
	(void)unlink(path);
}

static void world_fini(struct world *world)
{
	arena_fini(&world->arena);
}

TEST(an_empty_file_gives_the_defaults)
{
	SCOPED(world_fini) struct world world;

	load(&world, "");
	CHECK(world.err == OK);
	CHECK_STR(world.conf.data_directory, STR("/var/lib/postrider"));
	CHECK(world.conf.smtp.count == 2 && world.conf.smtp.at[1].port == 25);
	CHECK_STR(world.conf.smtp.at[1].address, STR("::"));
	CHECK(world.conf.message_bytes_max == 50 * 1024 * 1024);
	CHECK(world.conf.recipients_max == 1000);
	CHECK(world.conf.command_messages_max == 0);
	CHECK(world.conf.log_level == LOG_INFO);
	CHECK(world.conf.hostname.len > 0);
	CHECK_STR(world.conf.default_domain, world.conf.hostname);
}

TEST(a_file_changes_what_it_names)
{
	SCOPED(world_fini) struct world world;

	load(&world,
	     "# mine\n[server]\nhostname = Mail.Example.COM ; a comment\n"
	     "[listen]\nsmtp = 127.0.0.1:2525\n  [::1]:2525, 127.0.0.2:25+proxy\npop3 =\n"
	     "proxies = 10.0.0.1 2001:db8::/32\n"
	     "[limits]\nmessage-size = 1 GiB\nmessages-of-command = 1000\n"
	     "[log]\nlevel = debug\n"
	     "[dns]\nserver = [2001:db8::1]:5353\n[tls]\nmta-sts = no\n"
	     "[trust]\nforwarders = List.example,\t lists.Example \n"
	     "exceptions = 192.0.2.0/24 2001:DB8::1, Lists.Example @x.example "
	     "A@x.Example\n");
	CHECK(world.err == OK);
	CHECK_STR(world.conf.hostname, STR("mail.example.com"));
	CHECK_STR(world.conf.default_domain, STR("mail.example.com"));
	CHECK(world.conf.smtp.count == 3);
	CHECK_STR(world.conf.smtp.at[1].address, STR("::1"));
	CHECK(world.conf.pop3.count == 0);
	CHECK(world.conf.smtp.at[2].is_proxied && !world.conf.smtp.at[1].is_proxied);
	CHECK_STR(world.conf.proxies, STR("10.0.0.1 2001:db8::/32"));
	CHECK(world.conf.message_bytes_max == 1024 * 1024 * 1024);
	CHECK(world.conf.command_messages_max == 1000);
	CHECK(world.conf.log_level == LOG_DEBUG);
	CHECK(world.conf.is_dane_heeded && !world.conf.is_mta_sts_heeded);
	CHECK_STR(world.conf.dns_server, STR("[2001:db8::1]:5353"));
	CHECK_STR(world.conf.forwarders, STR("list.example lists.example"));
	CHECK_STR(world.conf.exceptions,
		  STR("192.0.2.0/24 2001:db8::1 lists.example @x.example a@x.example"));
}

TEST(a_mistake_is_named_with_its_line)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"[server]\n\nhostnam = x\n",
		 ":3: there is no setting \"hostnam\" in [server]; \"postrider config "
		 "show\" lists all"},
		{"[server]\nnonsense\n",
		 ":2: this is neither [section] nor name = value"},
		{"[server]\nhostname = a b\n",
		 ":2: server.hostname: \"a b\" is not a host name"},
		{"[server]\nhostname = a\nhostname = b\n",
		 ":3: server.hostname is set twice"},
		{"[listen]\nsmtp = 25\n",
		 ":2: listen.smtp: \"25\" is not ADDRESS:PORT, such as 192.0.2.1:25 or "
		 "[2001:db8::1]:25"},
		{"[listen]\nsmtp = 127.0.0.1:25\n ::1:25\n",
		 ":3: listen.smtp: \"::1:25\" is not ADDRESS:PORT, such as 192.0.2.1:25 "
		 "or [2001:db8::1]:25"},
		{"[listen]\nsmtp = 127.0.0.1:0\n",
		 ":2: listen.smtp: \"127.0.0.1:0\" is not ADDRESS:PORT, such as "
		 "192.0.2.1:25 or [2001:db8::1]:25"},
		{"[limits]\nrecipients = 5\n",
		 ":2: limits.recipients: 5 is not between 100 and 1000"},
		{"[limits]\nmessage-size = 99999999999 GiB\n",
		 ":2: limits.message-size: \"99999999999 GiB\" is not a size, such as 50 "
		 "MiB"},
		{"[limits]\nmessage-size =\n",
		 ":2: limits.message-size: there is no value"},
		{"[trust]\nforwarders = list.example @x\n",
		 ":2: trust.forwarders: \"@x\" is not a host name"},
		{"[trust]\nexceptions = list.example 192.0.2.256\n",
		 ":2: trust.exceptions: \"192.0.2.256\" is not a source, such as "
		 "192.0.2.0/24, lists.example.org or ann@example.net"},
		{"[trust]\nexceptions = ann@\n",
		 ":2: trust.exceptions: \"ann@\" is not a source, such as 192.0.2.0/24, "
		 "lists.example.org or ann@example.net"},
		{"[tls]\ndane = maybe\n",
		 ":2: tls.dane: \"maybe\" is neither yes nor no"},
		{"[log]\nlevel = loud\n",
		 ":2: log.level: \"loud\" is none of error, warn, info, debug"},
		{"[server]\ndata-directory = mail\n",
		 ":2: server.data-directory: \"mail\" is not a path that begins with /"},
		{"[dns]\nserver = ns.example\n",
		 ":2: dns.server: \"ns.example\" is not an address, such as 192.0.2.1, "
		 "192.0.2.1:53 or [2001:db8::1]:53"},
		{"[listen]\nimap = unix:/run/x\n",
		 "listen.imap cannot be a path, only listen.lmtp can"},
		{"[listen]\nsmtp = 192.0.2.1:25+proxy\n",
		 "listen.smtp has +proxy, but listen.proxies is empty"},
		{"[listen]\nproxies = 10.0.0.1 10.0.0.0/33\n",
		 ":2: listen.proxies: \"10.0.0.0/33\" is not an address or a network, "
		 "such "
		 "as 192.0.2.1 or 2001:db8::/32"},
		{"[listen]\nlmtp = 192.0.2.1:24\n",
		 "listen.lmtp must be on loopback, not 192.0.2.1"},
		{"[tls]\nkey = /k\n", "tls.certificate and tls.key must be set together"},
		{"[listen]\nimap = 127.0.0.1:25\nsmtp = 127.0.0.1:25\n",
		 "listen.smtp and listen.imap both want port 25 of 127.0.0.1"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(world_fini) struct world world;

		load(&world, cases[i].text);
		CHECK(world.err == ERR_SYNTAX);
		CHECK_STR(world.why, str_c(cases[i].why));
	}
}

TEST(a_line_too_long_is_refused_not_cut)
{
	SCOPED(world_fini) struct world world;
	char text[1000] = "[server]\nhostname = ";

	memset(text + strlen(text), 'a', 500);
	load(&world, text);
	CHECK(world.err == ERR_LIMIT);
	CHECK(str_starts(world.why, STR(":2: the line is too long")));
}

TEST(a_list_of_zones_goes_on)
{
	SCOPED(world_fini) struct world world;

	load(&world, "[dns]\nzones = a.example=192.0.2.1\n b.example=192.0.2.2:53\n");
	CHECK(world.err == OK);
	CHECK_STR(world.conf.dns_zones,
		  STR("a.example=192.0.2.1 b.example=192.0.2.2:53"));
}

TEST(no_file_is_told_from_a_bad_one)
{
	SCOPED(world_fini) struct world world;

	arena_init(&world.arena, 1000000);
	CHECK(conf_load("/nonexistent/postrider.conf", &world.arena, &world.conf,
			&world.why) == ERR_ABSENT);
	CHECK_STR(world.why,
		  STR("/nonexistent/postrider.conf: No such file or directory"));
}

TEST(what_is_printed_reads_back_the_same)
{
	SCOPED(world_fini) struct world world;
	SCOPED(world_fini) struct world again;
	SCOPED(buf_fini) struct buf first = BUF(100000);
	SCOPED(buf_fini) struct buf second = BUF(100000);

	load(&world,
	     "[listen]\nimap = 127.0.0.1:1143 [::1]:1143\npop3 =\n"
	     "[limits]\nmessage-size = 65537\n[tls]\ncertificate = /c\nkey = /k\n");
	CHECK(world.err == OK);
	conf_print(&world.conf, &first);
	buf_add_byte(&first, 0);
	load(&again, first.ptr);
	CHECK(again.err == OK);
	conf_print(&again.conf, &second);
	buf_add_byte(&second, 0);
	CHECK_STR(buf_str(&second), buf_str(&first));
}

TEST(children_get_the_configuration_whole)
{
	SCOPED(world_fini) struct world world;
	SCOPED(buf_fini) struct buf blob = BUF(CONF_BLOB_MAX);
	struct conf got;

	load(&world, "[listen]\nimap = 127.0.0.1:1143 [::1]:1143\n[log]\nlevel = warn\n");
	conf_encode(&world.conf, &blob);
	CHECK(buf_ok(&blob) && conf_decode(buf_str(&blob), &world.arena, &got));
	CHECK(got.imap.count == 2 && got.imap.at[1].port == 1143);
	CHECK(got.log_level == LOG_WARN);
	CHECK_STR(got.hostname, world.conf.hostname);
	for (size_t cut = 0; cut < blob.len; cut++)
		CHECK(!conf_decode(str_first(buf_str(&blob), cut), &world.arena, &got));
}

TEST(retention_is_off_or_counts_days)
{
	static const struct {
		const char *line;
		err_t err;
		uint32_t days;
	} lines[] = {
		{"", OK, 0},
		{"trash =", OK, 0},
		{"trash = 30 days", OK, 30},
		{"trash = 7", OK, 7},
		{"trash = 0", ERR_SYNTAX, 0},
		{"trash = 3661 days", ERR_SYNTAX, 0},
		{"trash = a month", ERR_SYNTAX, 0},
	};

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		SCOPED(world_fini) struct world world;
		SCOPED(buf_fini) struct buf blob = BUF(CONF_BLOB_MAX);
		struct conf copy;
		char text[80];

		(void)snprintf(text, sizeof text, "[retention]\n%s\n", lines[i].line);
		load(&world, text);
		CHECK(world.err == lines[i].err);
		if (world.err != OK)
			continue;
		CHECK(world.conf.trash_days == lines[i].days);
		conf_encode(&world.conf, &blob);
		CHECK(conf_decode(buf_str(&blob), &world.arena, &copy));
		CHECK(copy.trash_days == lines[i].days && copy.junk_days == 0);
	}
}
