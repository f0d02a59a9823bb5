#include "smtpd/draft.h"

#include "base/test.h"

TEST(a_mail_comes_to_each_place_once)
{
	static const struct route_target targets[] = {
		{QUEUE_LOCAL, {"ann@example.org", sizeof("ann@example.org") - 1}, 7},
		{QUEUE_REMOTE, {"bob@example.net", sizeof("bob@example.net") - 1}, 0},
		{QUEUE_LOCAL, {"alias@example.org", sizeof("alias@example.org") - 1}, 7},
		{QUEUE_REMOTE, {"bob@example.net", sizeof("bob@example.net") - 1}, 0},
	};
	SCOPED(draft_drop) struct draft *draft = draft_new();
	struct smtp_rcpt_params params = {0};

	CHECK(draft_add(draft, targets, 4, STR("staff@example.org"), &params) == OK);
	CHECK(draft_add(draft, targets, 2, STR("ann@example.org"), &params) == OK);
	CHECK(draft->count == 2 && draft->given == 2);
	CHECK_STR(draft->rcpts[0].address, STR("staff@example.org"));
	CHECK(draft->rcpts[0].count == 2 && draft->rcpts[1].count == 0);
	CHECK_STR(draft->recipients[1].address, STR("bob@example.net"));
	CHECK_STR(draft->recipients[1].original, STR("staff@example.org"));
}

TEST(a_mail_has_bounded_recipients)
{
	static const struct route_target none[1];
	SCOPED(draft_drop) struct draft *draft = draft_new();
	struct smtp_rcpt_params params = {0};

	CHECK(draft_add(draft, none, SIZE_MAX, STR("a@example.org"), &params) ==
	      ERR_LIMIT);
	CHECK(draft->count == 0 && draft->given == 0);
}

TEST(where_each_is_answered_for_each_has_its_places)
{
	static const struct route_target ann[] = {
		{QUEUE_LOCAL, {"ann@example.org", sizeof("ann@example.org") - 1}, 7},
		{QUEUE_LOCAL, {"ann@example.org", sizeof("ann@example.org") - 1}, 7},
	};
	SCOPED(draft_drop) struct draft *draft = draft_new();
	struct smtp_rcpt_params params = {.orcpt_type = STR("rfc822"),
					  .orcpt = STR("a+b@example.org"),
					  .notify = SMTP_NOTIFY_NEVER};

	draft->is_each = true;
	CHECK(draft_add(draft, ann, 2, STR("ann@example.org"), &params) == OK);
	CHECK(draft_add(draft, ann, 1, STR("ann@example.org"), &params) == OK);
	CHECK(draft->count == 2 && draft->given == 2);
	CHECK(draft->rcpts[1].first == 1 && draft->rcpts[1].count == 1);
	CHECK_STR(draft->recipients[1].orcpt, STR("rfc822;a+b@example.org"));
	CHECK(draft->recipients[1].notify == SMTP_NOTIFY_NEVER);
}
