#include "imap/order.h"

#include "base/mem.h"

enum { FRONT_OCTETS = 8 };

void order_init(struct order *order, const struct imap_sort *by, size_t keys_max)
{
	*order = (struct order){
		.by = *by, .keys = BUF(keys_max < UINT32_MAX ? keys_max : UINT32_MAX)};
}

void order_fini(struct order *order)
{
	buf_fini(&order->keys);
	mem_free(order->list);
	*order = (struct order){0};
}

enum sort_text order_text_of(enum imap_sort_by by)
{
	switch (by) {
	case IMAP_SORT_CC:
		return SORT_CC;
	case IMAP_SORT_DISPLAYFROM:
		return SORT_DISPLAY_FROM;
	case IMAP_SORT_DISPLAYTO:
		return SORT_DISPLAY_TO;
	case IMAP_SORT_FROM:
		return SORT_FROM;
	case IMAP_SORT_SUBJECT:
		return SORT_SUBJECT;
	case IMAP_SORT_TO:
		return SORT_TO;
	case IMAP_SORT_ARRIVAL:
	case IMAP_SORT_DATE:
	case IMAP_SORT_RELEVANCY:
	case IMAP_SORT_SIZE:
		break;
	}
	return SORT_TEXTS;
}

static uint64_t number_of(enum imap_sort_by by, const struct order_facts *facts)
{
	if (by == IMAP_SORT_SIZE)
		return facts->size;
	if (by == IMAP_SORT_RELEVANCY) /* RFC 6203 §6: the highest first */
		return 100 - facts->score;
	return ranked_front(by == IMAP_SORT_DATE ? facts->sent : facts->arrived);
}

static void add_number(struct buf *key, uint64_t number)
{
	for (unsigned shift = 64; shift > 0; shift -= 8)
		buf_add_byte(key, (char)(unsigned char)(number >> (shift - 8)));
}

/* The empty text comes first, and none is the front of another: 0 ends it, and what would
 * look like that is written with a 1 before it. */
static void add_text(struct buf *key, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] > 1) {
			buf_add_byte(key, text.ptr[i]);
			continue;
		}
		buf_add_byte(key, 1);
		buf_add_byte(key, (char)(text.ptr[i] + 1));
	}
	buf_add_byte(key, 0);
}

static void add_criterion(struct buf *key, struct imap_sort_key by,
			  const struct order_facts *facts)
{
	enum sort_text text = order_text_of(by.by);
	size_t from = key->len;

	if (text == SORT_TEXTS)
		add_number(key, number_of(by.by, facts));
	else
		add_text(key, facts->texts[text]);
	for (size_t i = from; i < key->len && by.is_reverse; i++)
		key->ptr[i] = (char)~key->ptr[i];
}

static struct ranked ranked_for(struct str key, size_t at, uint32_t uid)
{
	struct ranked made = {.at = (uint32_t)at, .uid = uid};

	for (size_t i = 0; i < FRONT_OCTETS; i++) {
		unsigned octet = i < key.len ? (unsigned char)key.ptr[i] : 0;

		made.front = made.front << 8 | octet;
	}
	return made;
}

/* The key stands behind its length. */
static struct str key_at(const struct order *order, size_t at)
{
	struct str rest = str_skip(buf_str(&order->keys), at);
	uint16_t len;

	memcpy(&len, rest.ptr, sizeof len);
	return str_first(str_skip(rest, sizeof len), len);
}

static bool make_key(struct order *order, const struct order_facts *facts,
		     struct ranked *made)
{
	struct buf *keys = &order->keys;
	size_t at = keys->len;
	uint16_t len = 0;

	buf_add(keys, (struct str){(const char *)&len, sizeof len});
	for (size_t i = 0; i < order->by.count; i++)
		add_criterion(keys, order->by.keys[i], facts);
	if (!buf_ok(keys) || keys->len - at - sizeof len > UINT16_MAX) {
		buf_cut(keys, at);
		keys->failed = false;
		return false;
	}
	len = (uint16_t)(keys->len - at - sizeof len);
	memcpy(keys->ptr + at, &len, sizeof len);
	*made = ranked_for(key_at(order, at), at, facts->uid);
	return true;
}

bool order_add(struct order *order, const struct order_facts *facts)
{
	struct ranked made;

	if (!make_key(order, facts, &made))
		return false;
	MEM_ROOM(order->list, order->count, order->room);
	order->list[order->count++] = made;
	return true;
}

static int cmp_keys(const void *arg, const struct ranked *a, const struct ranked *b)
{
	return str_cmp(key_at(arg, a->at), key_at(arg, b->at));
}

void order_sort(struct order *order, void (*pause)(void))
{
	ranked_sort(order->list, order->count, cmp_keys, order, pause);
}

bool order_insert(struct order *order, const struct order_facts *facts, size_t *at)
{
	struct ranked made;

	if (!make_key(order, facts, &made))
		return false;
	*at = ranked_before(order->list, order->count, &made, cmp_keys, order);
	MEM_ROOM(order->list, order->count, order->room);
	memmove(&order->list[*at + 1], &order->list[*at],
		(order->count - *at) * sizeof *order->list);
	order->list[*at] = made;
	order->count++;
	return true;
}
