#include "imap/thread_tree.h"

#include "base/mem.h"
#include "base/num.h"
#include "imap/ranked.h"

enum {
	NONE = 0,
	SLOTS_FIRST = 1024,
	STEPS_FIRST = 1 << 20, /* of looking for loops, and so many more a message */
	STEPS_A_MESSAGE = 64,
};

struct thread_node {
	int64_t sent, arrived;
	uint64_t subject;
	uint32_t uid; /* 0: a dummy, no message of that identifier is there */
	uint32_t parent;
	uint32_t children; /* how many; once it is built, the first of them, */
	uint32_t last;     /* the last, */
	uint32_t next;     /* and its next sibling */
	bool is_reply;
};

struct thread_slot {
	uint64_t key; /* 0: free */
	uint32_t node;
};

/* Slots for so many: a power of two. */
static size_t slots_for(size_t count)
{
	size_t slots = SLOTS_FIRST;

	while (slots < 2 * count)
		slots *= 2;
	return slots;
}

void thread_tree_init(struct thread_tree *tree, enum imap_thread algorithm,
		      size_t messages, size_t nodes_max)
{
	ASSERT(nodes_max < UINT32_MAX);
	messages = (size_t)num_min(messages, nodes_max);
	*tree = (struct thread_tree){.algorithm = algorithm,
				     .count_max = nodes_max,
				     .slots_first = slots_for(messages),
				     .steps_left = STEPS_FIRST};
	tree->room = messages + messages / 4 + 1;
	tree->nodes = NEW_ARRAY(struct thread_node, tree->room);
	tree->count = 1;
}

void thread_tree_fini(struct thread_tree *tree)
{
	mem_free(tree->nodes);
	mem_free(tree->slots);
	*tree = (struct thread_tree){0};
}

static uint32_t node_new(struct thread_tree *tree)
{
	if (tree->count >= tree->count_max)
		return NONE;
	MEM_ROOM(tree->nodes, tree->count, tree->room);
	tree->nodes[tree->count] = (struct thread_node){0};
	return (uint32_t)tree->count++;
}

/* ---- nodes by a number ------------------------------------------------------------- */

static struct thread_slot *slot_in(struct thread_slot *slots, size_t count, uint64_t key)
{
	size_t at = key & (count - 1);

	while (slots[at].key != 0 && slots[at].key != key)
		at = (at + 1) & (count - 1);
	return &slots[at];
}

/* At most half of them are used. */
static void slots_grow(struct thread_tree *tree)
{
	size_t count = tree->slot_count > 0 ? tree->slot_count * 2 : tree->slots_first;
	struct thread_slot *slots = NEW_ARRAY(struct thread_slot, count);

	for (size_t i = 0; i < tree->slot_count; i++) {
		if (tree->slots[i].key != 0)
			*slot_in(slots, count, tree->slots[i].key) = tree->slots[i];
	}
	mem_free(tree->slots);
	tree->slots = slots;
	tree->slot_count = count;
}

/* What is kept under a number other than 0; NONE at first. */
static uint32_t *slot_of(struct thread_tree *tree, uint64_t key)
{
	if (tree->slots_used * 2 >= tree->slot_count)
		slots_grow(tree);
	struct thread_slot *slot = slot_in(tree->slots, tree->slot_count, key);

	if (slot->key == 0) {
		slot->key = key;
		tree->slots_used++;
	}
	return &slot->node;
}

/* So many will be kept now. */
static void slots_clear(struct thread_tree *tree, size_t count)
{
	mem_free(tree->slots);
	tree->slots = NULL;
	tree->slots_first = slots_for(count);
	tree->slot_count = tree->slots_used = 0;
}

void thread_tree_fetch(const struct thread_tree *tree, uint64_t id)
{
	if (tree->slot_count > 0)
		__builtin_prefetch(&tree->slots[id & (tree->slot_count - 1)]);
}

/* ---- step 1: links ----------------------------------------------------------------- */

static void unlink_node(struct thread_tree *tree, uint32_t node)
{
	uint32_t parent = tree->nodes[node].parent;

	if (parent != NONE)
		tree->nodes[parent].children--;
	tree->nodes[node].parent = NONE;
}

/* Whether node is child, or below it; true where that would take too long to say.  Only
 * what has children is looked for, so replies that come one after the other cost
 * nothing. */
static bool may_be_below(struct thread_tree *tree, uint32_t node, uint32_t child)
{
	if (node == child)
		return true;
	if (tree->nodes[child].children == 0)
		return false;
	while (node != NONE && node != child) {
		if (tree->steps_left == 0)
			return true;
		tree->steps_left--;
		node = tree->nodes[node].parent;
	}
	return node == child;
}

/* child has no parent. */
static void link_node(struct thread_tree *tree, uint32_t parent, uint32_t child)
{
	if (may_be_below(tree, parent, child))
		return;
	tree->nodes[child].parent = parent;
	tree->nodes[parent].children++;
}

/* The node of an identifier, a dummy if it is new; NONE at the bound. */
static uint32_t node_named(struct thread_tree *tree, uint64_t id)
{
	uint32_t *node = slot_of(tree, id);

	if (*node == NONE)
		*node = node_new(tree);
	return *node;
}

/* Step 1.A: each reference is the parent of the next.  Gives the last of them. */
static bool link_references(struct thread_tree *tree, const struct thread_facts *facts,
			    uint32_t *last)
{
	*last = NONE;
	for (size_t i = 0; i < facts->reference_count; i++) {
		if (facts->references[i] == 0)
			continue;
		uint32_t node = node_named(tree, facts->references[i]);

		if (node == NONE)
			return false;
		if (*last != NONE && tree->nodes[node].parent == NONE)
			link_node(tree, *last, node);
		*last = node;
	}
	return true;
}

/* The node that becomes the message: that of its identifier, unless another message has
 * that. */
static uint32_t node_for(struct thread_tree *tree, const struct thread_facts *facts)
{
	uint32_t node = NONE;

	if (facts->message_id != 0 && tree->algorithm != IMAP_THREAD_ORDEREDSUBJECT)
		node = node_named(tree, facts->message_id);
	return node != NONE && tree->nodes[node].uid == 0 ? node : node_new(tree);
}

bool thread_tree_add(struct thread_tree *tree, const struct thread_facts *facts)
{
	uint32_t last = NONE;

	tree->steps_left += STEPS_A_MESSAGE;
	if (tree->algorithm != IMAP_THREAD_ORDEREDSUBJECT &&
	    !link_references(tree, facts, &last))
		return false;
	uint32_t node = node_for(tree, facts);

	if (node == NONE)
		return false;
	struct thread_node *n = &tree->nodes[node];

	n->uid = facts->uid;
	n->sent = facts->sent;
	n->arrived = facts->arrived;
	n->subject = facts->subject;
	n->is_reply = facts->is_reply;
	tree->messages++;
	if (tree->algorithm == IMAP_THREAD_ORDEREDSUBJECT)
		return true;
	unlink_node(tree, node); /* step 1.B */
	if (last != NONE)
		link_node(tree, last, node);
	return true;
}

/* ---- steps 2 and 3: dummies -------------------------------------------------------- */

static bool is_dummy(const struct thread_tree *tree, uint32_t node)
{
	return node != NONE && tree->nodes[node].uid == 0;
}

/* For each dummy the message above it, or else the topmost dummy.  Each is climbed from
 * once: what was climbed over learns the result, too. */
static void lift_dummies(struct thread_tree *tree)
{
	struct thread_node *nodes = tree->nodes;

	for (uint32_t i = 1; i < tree->count; i++) {
		uint32_t top = i, next;

		if (!is_dummy(tree, i))
			continue;
		while (is_dummy(tree, top) && nodes[top].parent != NONE)
			top = nodes[top].parent;
		for (uint32_t at = i; at != top && is_dummy(tree, at); at = next) {
			next = nodes[at].parent;
			nodes[at].parent = top;
		}
	}
}

/* Messages hang on messages, or on a dummy at the top that has at least two of them. */
static void prune(struct thread_tree *tree)
{
	struct thread_node *nodes = tree->nodes;

	lift_dummies(tree);
	for (uint32_t i = 1; i < tree->count; i++)
		nodes[i].children = 0;
	for (uint32_t i = 1; i < tree->count; i++) {
		struct thread_node *n = &nodes[i];

		if (is_dummy(tree, i))
			continue;
		if (is_dummy(tree, n->parent) && nodes[n->parent].parent != NONE)
			n->parent = nodes[n->parent].parent;
		nodes[n->parent].children++;
	}
	for (uint32_t i = 1; i < tree->count; i++) {
		struct thread_node *n = &nodes[i];

		if (!is_dummy(tree, i) && is_dummy(tree, n->parent) &&
		    nodes[n->parent].children == 1)
			n->parent = NONE;
	}
}

/* ---- steps 4 and 5: subjects ------------------------------------------------------- */

/* All messages, by sent date and then as they stand in the mailbox. */
static struct ranked *by_date(const struct thread_tree *tree, void (*pause)(void))
{
	struct ranked *list = NEW_ARRAY(struct ranked, tree->messages + 1);
	size_t count = 0;

	for (uint32_t i = 1; i < tree->count; i++) {
		const struct thread_node *n = &tree->nodes[i];

		if (n->uid != 0)
			list[count++] = (struct ranked){ranked_front(n->sent), i, n->uid};
	}
	ASSERT(count == tree->messages);
	ranked_sort(list, count, NULL, NULL, pause);
	return list;
}

/* The children of the root in the order of step 4.  A dummy stands where its first child
 * does, and has its subject. */
static uint32_t *tops_of(struct thread_tree *tree, const struct ranked *list,
			 size_t *count)
{
	uint32_t *tops = NEW_ARRAY(uint32_t, tree->messages + 1);

	*count = 0;
	for (size_t i = 0; i < tree->messages; i++) {
		uint32_t node = list[i].at, parent = tree->nodes[node].parent;

		if (parent == NONE)
			tops[(*count)++] = node;
		if (!is_dummy(tree, parent) || tree->nodes[parent].last != NONE)
			continue;
		tree->nodes[parent].subject = tree->nodes[node].subject;
		tree->nodes[parent].last = node; /* it has been seen */
		tops[(*count)++] = parent;
	}
	return tops;
}

/* Step 5.B: the message that others of its subject join. */
static void note_subject(struct thread_tree *tree, uint32_t node)
{
	uint32_t *noted = slot_of(tree, tree->nodes[node].subject);
	bool is_better = is_dummy(tree, node) ||
			 (tree->nodes[*noted].is_reply && !tree->nodes[node].is_reply);

	if (*noted == NONE || (!is_dummy(tree, *noted) && is_better))
		*noted = node;
}

/* The dummies' children are many lists that nobody has made yet, so joining two dummies
 * makes the one a stand-in for the other. */
static void join_dummies(struct thread_tree *tree, uint32_t into, uint32_t node)
{
	tree->nodes[node].parent = into;
}

/* Step 5.C.  False at the bound. */
static bool join_subject(struct thread_tree *tree, uint32_t node)
{
	uint32_t *noted = slot_of(tree, tree->nodes[node].subject);
	uint32_t into = *noted;

	if (into == node || tree->nodes[node].parent != NONE)
		return true;
	if (is_dummy(tree, into) && is_dummy(tree, node)) {
		join_dummies(tree, into, node);
		return true;
	}
	if (is_dummy(tree, into) ||
	    (tree->nodes[node].is_reply && !tree->nodes[into].is_reply)) {
		tree->nodes[node].parent = into;
		return true;
	}
	uint32_t dummy = node_new(tree);

	if (dummy == NONE)
		return false;
	tree->nodes[into].parent = tree->nodes[node].parent = dummy;
	*noted = dummy;
	return true;
}

/* What hung on a dummy that has joined another hangs on that. */
static void settle_dummies(struct thread_tree *tree)
{
	for (uint32_t i = 1; i < tree->count; i++) {
		struct thread_node *n = &tree->nodes[i];

		if (is_dummy(tree, i))
			n->last = NONE;
		else if (is_dummy(tree, n->parent) &&
			 tree->nodes[n->parent].parent != NONE)
			n->parent = tree->nodes[n->parent].parent;
	}
}

static void join_subjects(struct thread_tree *tree, const struct ranked *list)
{
	size_t count;
	uint32_t *tops = tops_of(tree, list, &count);

	slots_clear(tree, count);
	for (size_t i = 0; i < count; i++) {
		if (tree->nodes[tops[i]].subject != 0)
			note_subject(tree, tops[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (tree->nodes[tops[i]].subject != 0 && !join_subject(tree, tops[i]))
			break;
	}
	settle_dummies(tree);
	mem_free(tops);
}

/* ORDEREDSUBJECT: all of a subject hang on the first of them; the empty one is a subject
 * like others. */
static void gather_subjects(struct thread_tree *tree, const struct ranked *list)
{
	for (size_t i = 0; i < tree->messages; i++) {
		struct thread_node *n = &tree->nodes[list[i].at];
		uint32_t *first = slot_of(tree, n->subject ? n->subject : UINT64_MAX);

		if (*first == NONE)
			*first = list[i].at;
		else
			n->parent = *first;
	}
}

/* ---- step 6: siblings -------------------------------------------------------------- */

static void add_child(struct thread_tree *tree, uint32_t parent, uint32_t child)
{
	struct thread_node *p = &tree->nodes[parent];

	if (p->last == NONE)
		p->children = child;
	else
		tree->nodes[p->last].next = child;
	p->last = child;
	tree->nodes[child].next = NONE;
}

/* Lists of siblings: as all messages come by date, each list is by date, too. */
static void make_lists(struct thread_tree *tree, const struct ranked *list)
{
	for (size_t i = 0; i < tree->count; i++)
		tree->nodes[i].children = tree->nodes[i].last = NONE;
	for (size_t i = 0; i < tree->messages; i++) {
		uint32_t parent = tree->nodes[list[i].at].parent;

		if (is_dummy(tree, parent) && tree->nodes[parent].last == NONE)
			add_child(tree, NONE, parent);
		add_child(tree, parent, list[i].at);
	}
}

/* REFS: the thread that got the latest message comes last.  The latest message leads up
 * to its thread; what was climbed over is not climbed again. */
static void order_by_latest(struct thread_tree *tree, struct ranked *list,
			    void (*pause)(void))
{
	struct thread_node *nodes = tree->nodes;
	uint32_t latest_top = NONE;

	for (size_t i = 0; i < tree->messages; i++)
		list[i].front = ranked_front(nodes[list[i].at].arrived);
	ranked_sort(list, tree->messages, NULL, NULL, pause);
	for (size_t i = 1; i < tree->count; i++)
		nodes[i].arrived = 0; /* not climbed over yet */
	for (size_t i = tree->messages; i-- > 0;) {
		uint32_t at = list[i].at, top = at;

		while (at != NONE && !nodes[at].arrived) {
			nodes[at].arrived = 1;
			top = at;
			at = nodes[at].parent;
		}
		if (at != NONE)
			continue; /* its thread is there already */
		nodes[top].next = latest_top;
		latest_top = top;
	}
	nodes[NONE].children = latest_top;
}

void thread_tree_build(struct thread_tree *tree, void (*pause)(void))
{
	struct ranked *list = by_date(tree, pause);

	switch (tree->algorithm) {
	case IMAP_THREAD_ORDEREDSUBJECT:
		gather_subjects(tree, list);
		break;
	case IMAP_THREAD_REFERENCES:
		prune(tree);
		join_subjects(tree, list);
		break;
	case IMAP_THREAD_REFS:
		prune(tree);
		break;
	}
	make_lists(tree, list);
	if (tree->algorithm == IMAP_THREAD_REFS)
		order_by_latest(tree, list, pause);
	mem_free(list);
}

/* ---- telling ----------------------------------------------------------------------- */

/* Children get brackets of their own, unless there is only one. */
static bool branches(const struct thread_node *nodes, uint32_t node)
{
	uint32_t first = nodes[node].children;

	return nodes[node].uid == 0 || (first != NONE && nodes[first].next != NONE);
}

void thread_tree_tell(const struct thread_tree *tree,
		      void (*tell)(void *arg, enum thread_event event, uint32_t uid),
		      void *arg)
{
	const struct thread_node *nodes = tree->nodes;
	uint32_t node = nodes[NONE].children;

	while (node != NONE) {
		uint32_t parent = nodes[node].parent;

		if (parent == NONE || branches(nodes, parent))
			tell(arg, THREAD_OPEN, 0);
		if (nodes[node].uid != 0)
			tell(arg, THREAD_MESSAGE, nodes[node].uid);
		if (nodes[node].children != NONE) {
			node = nodes[node].children;
			continue;
		}
		for (;;) {
			parent = nodes[node].parent;
			if (parent == NONE || branches(nodes, parent))
				tell(arg, THREAD_CLOSE, 0);
			if (nodes[node].next != NONE || parent == NONE)
				break;
			node = parent;
		}
		node = nodes[node].next;
	}
}
