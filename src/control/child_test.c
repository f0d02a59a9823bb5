#include "control/child.h"

#include "base/log.h"
#include "base/test.h"

TEST(every_role_is_found_by_its_name)
{
	enum child_role role;

	for (unsigned i = 0; i < CHILD_ROLES; i++) {
		const char *name = child_role_name((enum child_role)i);

		CHECK(child_role_find(str_c(name), &role) && role == (enum child_role)i);
	}
	CHECK(!child_role_find(STR("root"), &role) && !child_role_find(STR(""), &role));
}

TEST(a_configuration_survives_its_way)
{
	SCOPED(buf_fini) struct buf body = BUF(1024);
	const struct child_config config = {true, LOG_DEBUG, 500, 3, STR("text")};
	struct child_config got;

	child_config_encode(&config, &body);
	CHECK(child_config_decode(buf_str(&body), &got));
	CHECK(got.is_dev && got.log_level == LOG_DEBUG && got.connections_max == 500 &&
	      got.hurry == 3);
	CHECK_STR(got.conf, STR("text"));
	CHECK(!child_config_decode(STR("\1\2"), &got));
	CHECK(!child_config_decode(STR("\1\x7f\0\0\0\0\0\0\0\0\0"), &got));
}

TEST(a_client_to_serve_survives_its_way)
{
	char room[CHILD_SERVE_BYTES];
	const struct child_serve serve = {CLIENT_CTL, UINT64_MAX - 1};
	struct child_serve got;

	CHECK(child_serve_decode(child_serve_encode(room, &serve), &got));
	CHECK(got.client == CLIENT_CTL && got.channel == UINT64_MAX - 1);
	room[0] = CHILD_CLIENTS;
	CHECK(!child_serve_decode((struct str){room, sizeof room}, &got));
	CHECK(!child_serve_decode(STR("\x01"), &got));
}
