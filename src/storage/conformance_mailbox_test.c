/* Mailboxes: their tree, their names, and where mail goes among them. */
#include <stdio.h>

#include "storage/fixture.h"
#include "store/acl.h"

CONFORMANCE(mailboxes_form_a_tree)
{
	struct fixture f;
	struct mailbox_row *rows;
	size_t count;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_mailbox_of("b", 0)) == STORE_OK);
	uint64_t b = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, op_mailbox_of("z", b)) == STORE_OK);
	uint64_t z = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, op_mailbox_of("a", z)) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_mailbox_of("c", b)) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_mailbox_of("A", 0)) == STORE_OK);
	CHECK(storage_mailboxes(f.storage, 1, &f.arena, &rows, &count) == STORE_OK);
	struct str names[] = {STR("A"), STR("INBOX"), STR("b"),
			      STR("c"), STR("z"),     STR("a")};

	CHECK(count == 6);
	for (size_t i = 0; i < count && i < 6; i++)
		CHECK_STR(rows[i].name, names[i]);
	CHECK(fixture_do(&f, 1, op_mailbox_of("c", b)) == STORE_CONFLICT);
	CHECK(fixture_do(&f, 1, op_mailbox_of("inBox", 0)) == STORE_CONFLICT);
	CHECK(fixture_do(&f, 1, op_mailbox_of("x/y", 0)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, op_mailbox_of("", 0)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, op_mailbox_of("\xff", 0)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, op_mailbox_of("x", 4711)) == STORE_ABSENT);
	struct store_op op = op_mailbox_of("x", z);

	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = b;
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT); /* under itself */
	op.mailbox.mailbox = z;
	op.mailbox.parent = b;
	op.mailbox.name = STR("c");
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT); /* a sibling has it */
	op.mailbox.parent = 0;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, z).parent == 0);
	op.mailbox.mailbox = MAILBOX_INBOX;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	CHECK(storage_mailboxes(f.storage, 1, &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == 6 && rows[4].id == z);
	fixture_close(&f);
}

CONFORMANCE(a_mailbox_has_roles_and_depth_within_bounds)
{
	struct fixture f;
	uint64_t parent = 0;
	struct store_op op = op_mailbox_of("Sent", 0);

	fixture_open(&f, FIXTURE_USUAL);
	op.mailbox.role = ROLE_SENT;
	op.mailbox.is_subscribed = true;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	uint64_t sent = fixture_first(&f)->mailbox;

	CHECK(fixture_mailbox(&f, 1, sent).is_subscribed);
	op.mailbox.name = STR("Sent 2");
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT);
	op.mailbox.role = ROLE_INBOX;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.kind = OP_MAILBOX_SUBSCRIBE;
	op.mailbox.mailbox = sent;
	op.mailbox.is_subscribed = false;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(!fixture_mailbox(&f, 1, sent).is_subscribed);
	for (unsigned i = 0; i < MAILBOX_DEPTH_MAX; i++) {
		CHECK(fixture_do(&f, 1, op_mailbox_of("d", parent)) == STORE_OK);
		parent = fixture_first(&f)->mailbox;
	}
	CHECK(fixture_do(&f, 1, op_mailbox_of("d", parent)) == STORE_INVALID);
	op = op_mailbox_of("x", sent);
	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = 0;
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	fixture_close(&f);
}

static bool is_gone_name(struct fixture *f, const char *path)
{
	struct pair_key key;
	struct str value;

	return storage_kv_get(f->storage, 1, pair_gone(&key, str_c(path)), &f->arena,
			      &value) == STORE_OK &&
	       str_same(value, str_c(path));
}

static uint64_t make_subscribed(struct fixture *f, const char *name, uint64_t parent)
{
	struct store_op op = op_mailbox_of(name, parent);

	op.mailbox.is_subscribed = true;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	return fixture_first(f)->mailbox;
}

static enum store_outcome delete_mailbox(struct fixture *f, uint64_t mailbox)
{
	return fixture_do(f, 1,
			  (struct store_op){.kind = OP_MAILBOX_DELETE,
					    .mailbox = {.mailbox = mailbox}});
}

CONFORMANCE(a_name_stays_subscribed_when_its_mailbox_goes)
{
	struct fixture f;
	struct store_op op;

	fixture_open(&f, FIXTURE_USUAL);
	uint64_t top = make_subscribed(&f, "a", 0);
	uint64_t leaf = make_subscribed(&f, "b", top);

	CHECK(delete_mailbox(&f, leaf) == STORE_OK && is_gone_name(&f, "a/b"));
	CHECK(!is_gone_name(&f, "a"));
	/* Made again, by whomever, it is subscribed again. */
	CHECK(fixture_do(&f, 1, op_mailbox_of("b", top)) == STORE_OK);
	leaf = fixture_first(&f)->mailbox;
	CHECK(fixture_mailbox(&f, 1, leaf).is_subscribed && !is_gone_name(&f, "a/b"));
	CHECK(delete_mailbox(&f, leaf) == STORE_OK && is_gone_name(&f, "a/b"));
	/* So is one that gets the name, and it takes it along. */
	CHECK(fixture_do(&f, 1, op_mailbox_of("c", top)) == STORE_OK);
	op = op_mailbox_of("b", top);
	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = leaf = fixture_first(&f)->mailbox;
	CHECK(!fixture_mailbox(&f, 1, leaf).is_subscribed);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, leaf).is_subscribed && !is_gone_name(&f, "a/b"));
	op.mailbox.name = STR("d");
	CHECK(fixture_do(&f, 1, op) == STORE_OK && !is_gone_name(&f, "a/b"));
	CHECK(fixture_mailbox(&f, 1, leaf).is_subscribed);
	/* What nobody subscribed to leaves nothing. */
	CHECK(fixture_do(&f, 1, op_mailbox_of("e", 0)) == STORE_OK);
	CHECK(delete_mailbox(&f, fixture_first(&f)->mailbox) == STORE_OK);
	CHECK(!is_gone_name(&f, "e"));
	fixture_close(&f);
}

CONFORMANCE(so_many_names_stay_subscribed_and_no_more)
{
	struct fixture f;
	struct kv_row *rows;
	size_t count;

	fixture_open(&f, FIXTURE_USUAL);
	for (unsigned i = 0; i < SUBSCRIBED_GONE_MAX + 2; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "m%u", i);
		CHECK(delete_mailbox(&f, make_subscribed(&f, name, 0)) == STORE_OK);
	}
	CHECK(storage_kv_scan(f.storage, 1, PAIR_GONE, STR(""), 2 * SUBSCRIBED_GONE_MAX,
			      &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == SUBSCRIBED_GONE_MAX && is_gone_name(&f, "m0"));
	fixture_close(&f);
}

CONFORMANCE(junk_goes_where_the_account_has_it_and_else_to_the_inbox)
{
	struct fixture f;
	struct store_op create = op_mailbox_of("Spam", 0);
	struct store_op suspect = op_append_of(MAILBOX_JUNK, "suspect");

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, suspect) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 1);
	create.mailbox.role = ROLE_JUNK;
	CHECK(fixture_do(&f, 1, create) == STORE_OK);
	uint64_t junk = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, suspect) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 1);
	CHECK(fixture_mailbox(&f, 1, junk).exists == 1);
	fixture_close(&f);
}

/* Into which mailbox a message with that path goes. */
static uint64_t goes_to(struct fixture *f, const char *path)
{
	struct store_op op = op_append_of(MAILBOX_NAMED, "text");

	op.append.path = str_c(path);
	return fixture_do(f, 1, op) == STORE_OK ? fixture_first(f)->mailbox : 0;
}

CONFORMANCE(a_message_goes_where_a_name_leads_and_else_to_the_inbox)
{
	struct fixture f;
	struct store_op box = op_mailbox_of("box", 0);

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_mailbox_of("list", 0)) == STORE_OK);
	uint64_t list = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, op_mailbox_of("c", list)) == STORE_OK);
	uint64_t below = fixture_first(&f)->mailbox;

	box.mailbox.is_container = true;
	CHECK(fixture_do(&f, 1, box) == STORE_OK);
	CHECK(goes_to(&f, "list") == list);
	CHECK(goes_to(&f, "list/c") == below);
	CHECK(goes_to(&f, "inbox") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "c") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "list/inbox") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "list//c") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "box") == MAILBOX_INBOX); /* holds no messages */
	fixture_close(&f);
}

CONFORMANCE(who_has_a_script_gets_nothing_that_it_was_not_asked_about)
{
	struct fixture f;
	struct store_op op = op_append_of(MAILBOX_INBOX, "text");
	struct store_op put = {.kind = OP_KV_PUT};

	fixture_open(&f, FIXTURE_USUAL);
	op.append.unless_sieve = true;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	put.kv = (struct op_kv){.key = STR(STORE_KV_SIEVE), .value = STR("keep;")};
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT);
	op.append.unless_sieve = false;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 2);
	fixture_close(&f);
}

CONFORMANCE(a_deleted_mailbox_is_gone_at_once_and_purged_later)
{
	struct fixture f;
	struct store_op op = {.kind = OP_MAILBOX_DELETE};
	struct mailbox_row row;
	struct store_stats stats;
	struct account_summary summary;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_keep(&f, 1, "0");
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	uint64_t box = fixture_first(&f)->mailbox;
	uint32_t validity = fixture_first(&f)->uid_validity;

	CHECK(fixture_do(&f, 1, op_mailbox_of("child", box)) == STORE_OK);
	uint64_t child = fixture_first(&f)->mailbox;

	for (unsigned i = 0; i < 200; i++)
		CHECK(fixture_do(&f, 1, op_append_of(box, "0123456789")) == STORE_OK);
	op.mailbox.mailbox = MAILBOX_INBOX;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.mailbox.mailbox = box;
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT); /* it has a child */
	op.mailbox.mailbox = child;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	op.mailbox.mailbox = box;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	CHECK(storage_mailbox(f.storage, 1, box, &f.arena, &row) == STORE_ABSENT);
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK);
	CHECK(summary.messages == 0 && summary.bytes == 0);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 2000);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	CHECK(fixture_first(&f)->mailbox != box &&
	      fixture_first(&f)->uid_validity > validity);
	fixture_maintain(&f, 0);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 0);
	fixture_close(&f);
}
