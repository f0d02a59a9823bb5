#include "store/body_pages.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/client.h"

struct page {
	struct buf reply;
	struct str octets; /* in it */
	enum store_outcome outcome;
};

struct body_pages {
	struct store *store;
	account_t account;
	struct message_ref ref;
	uint64_t frame_size, raw_size; /* as the first page said */
	uint64_t asked;                /* octets of the frame that were read */
	struct page taken, next;
	bool has_next;
	bool is_over; /* nothing is to be asked any more */
	bool is_running;
	struct body_pages *then; /* is asked for after this one; NULL: none */
	struct waiters read, room;
	unsigned users; /* the owner, the one before it, and the task that reads */
	bool is_owned;
};

struct body_pages *body_pages_new(struct store *store, account_t account,
				  struct message_ref ref)
{
	struct body_pages *p = NEW(struct body_pages);

	store_use(store);
	p->store = store;
	p->account = account;
	p->ref = ref;
	p->users = 1;
	p->is_owned = true;
	return p;
}

static void unref(struct body_pages **pages)
{
	struct body_pages *p = *pages;

	*pages = NULL;
	if (!p || --p->users > 0)
		return;
	store_spare_give(p->store, &p->taken.reply);
	store_spare_give(p->store, &p->next.reply);
	store_unuse(p->store);
	unref(&p->then);
	mem_free(p);
}

void body_pages_free(struct body_pages **pages)
{
	struct body_pages *p = *pages;

	if (!p)
		return;
	p->is_owned = false;
	unref(&p->then);
	wake_all(&p->room); /* it sees then that nobody waits for more */
	unref(pages);
}

uint64_t body_pages_frame_size(const struct body_pages *p)
{
	return p->frame_size;
}

uint64_t body_pages_raw_size(const struct body_pages *p)
{
	return p->raw_size;
}

struct store *body_pages_store(const struct body_pages *p)
{
	return p->store;
}

enum store_outcome body_damaged(account_t account, uint64_t message)
{
	LOG(ERROR, "body damaged", KV_INT("account", account),
	    KV_INT("message", message));
	return STORE_DAMAGED;
}

enum store_outcome body_pages_damaged(const struct body_pages *p)
{
	return body_damaged(p->account, p->ref.message);
}

/* ---- reading ----------------------------------------------------------------------- */

static enum store_outcome page_check(struct body_pages *p, struct dec *dec,
				     struct str *octets)
{
	uint64_t frame_size = dec_u64(dec), raw_size = dec_u64(dec);

	*octets = dec->rest;
	if (p->asked == 0) {
		p->frame_size = frame_size;
		p->raw_size = raw_size;
	}
	if (!dec_ok(dec) || frame_size != p->frame_size || raw_size != p->raw_size ||
	    raw_size > STORE_BODY_BYTES_MAX || octets->len == 0 ||
	    octets->len > frame_size - p->asked)
		return body_pages_damaged(p);
	p->asked += octets->len;
	return STORE_OK;
}

/* The next page.  Then the body after this one may be asked for. */
static void read_page(struct body_pages *p)
{
	struct store_request request = {.call = CALL_BODY, .account = p->account};
	struct page page = {0};
	struct talk talk;

	request.body.ref = p->ref;
	request.body.offset = p->asked;
	request.body.room = BODY_PAGE_BYTES;
	talk_begin(&talk, p->store, TALK_READ);
	page.outcome = talk_read(&talk, &request);
	if (page.outcome == STORE_OK)
		page.outcome = page_check(p, &talk.dec, &page.octets);
	page.reply = talk.reply;
	talk.reply = (struct buf){0};
	talk_end(&talk);
	p->next = page;
	p->has_next = true;
	p->is_over = page.outcome != STORE_OK || p->asked == p->frame_size;
	wake_all(&p->read);
}

static void read_pages(void *arg)
{
	struct body_pages *p = arg;
	err_t err = OK;

	while (err == OK && p->is_owned && !p->is_over) {
		if (p->has_next)
			err = wait_on(&p->room, NEVER);
		else
			read_page(p);
	}
	p->is_running = false;
	wake_all(&p->read);
	unref(&p);
}

void body_pages_begin(struct body_pages *p)
{
	if (p->is_running || p->is_over || p->has_next ||
	    !task_start("body pages", read_pages, p))
		return;
	p->is_running = true;
	p->users++;
}

void body_pages_follow(struct body_pages *p, struct body_pages *then)
{
	if (p->is_over) {
		body_pages_begin(then);
		return;
	}
	unref(&p->then);
	p->then = then;
	then->users++;
}

/* ---- taking ------------------------------------------------------------------------ */

static void take_next(struct body_pages *p)
{
	store_spare_give(p->store, &p->taken.reply);
	p->taken = p->next;
	p->next = (struct page){0};
	p->has_next = false;
}

void body_pages_ahead(struct body_pages *p)
{
	if (!p->is_over) {
		body_pages_begin(p);
		wake_all(&p->room);
	} else if (p->then) {
		body_pages_begin(p->then);
		unref(&p->then);
	} else {
		return;
	}
	task_turn(); /* so that it has been asked for */
}

enum store_outcome body_pages_next(struct body_pages *p, struct str *octets)
{
	err_t err = OK;

	if (!p->has_next && !p->is_running && !p->is_over)
		read_page(p); /* it may be the only one */
	while (err == OK && !p->has_next && p->is_running)
		err = wait_on(&p->read, NEVER);
	if (!p->has_next)
		return STORE_UNAVAILABLE;
	take_next(p);
	*octets = p->taken.octets;
	return p->taken.outcome;
}
