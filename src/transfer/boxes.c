#include "transfer/boxes.h"

#include "base/utf8.h"
#include "wire/imap/mailbox_name.h"

enum { ARENA_MAX = 64 << 20, PATH_MAX_BYTES = 16 << 10 };

void boxes_fini(struct boxes *boxes)
{
	arena_fini(&boxes->arena);
}

static const struct box *above(const struct boxes *boxes, size_t count, uint64_t id)
{
	for (size_t i = count; i-- > 0;)
		if (boxes->list[i].row.id == id)
			return &boxes->list[i];
	return NULL;
}

static enum store_outcome load(struct boxes *boxes)
{
	struct mailbox_row *rows;
	size_t count;

	arena_reset(&boxes->arena);
	boxes->count = 0;
	enum store_outcome outcome = store_mailboxes(boxes->store, boxes->account,
						     &boxes->arena, &rows, &count);

	if (outcome != STORE_OK)
		return outcome;
	boxes->list = ARENA_ARRAY(&boxes->arena, struct box, count + 1);
	if (!boxes->list)
		return STORE_INVALID;
	for (size_t i = 0; i < count; i++) {
		const struct box *parent = above(boxes, i, rows[i].parent);

		boxes->list[i] = (struct box){rows[i], rows[i].name};
		if (parent)
			boxes->list[i].path = arena_printf(&boxes->arena, "%.*s/%.*s",
							   STR_FMT(parent->path),
							   STR_FMT(rows[i].name));
		if (boxes->list[i].path.len == 0)
			return STORE_INVALID;
	}
	boxes->count = count;
	return STORE_OK;
}

enum store_outcome boxes_load(struct boxes *boxes, struct store *store, account_t account)
{
	*boxes = (struct boxes){.store = store, .account = account};
	arena_init(&boxes->arena, ARENA_MAX);
	return load(boxes);
}

const struct box *boxes_find(const struct boxes *boxes, struct str path)
{
	for (size_t i = 0; i < boxes->count; i++)
		if (str_same(boxes->list[i].path, path))
			return &boxes->list[i];
	return NULL;
}

const struct box *boxes_with(const struct boxes *boxes, enum mailbox_role role)
{
	for (size_t i = 0; i < boxes->count && role != ROLE_NONE; i++)
		if (boxes->list[i].row.role == role)
			return &boxes->list[i];
	return NULL;
}

/* One level.  Somebody else may be making it at the same time. */
static enum store_outcome make(struct boxes *boxes, uint64_t parent, struct str name,
			       enum mailbox_role role)
{
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct store_commit commit = {.account = boxes->account, .ops = &op, .count = 1};

	op.mailbox =
		(struct op_mailbox){.parent = parent,
				    .name = name,
				    .role = boxes_with(boxes, role) ? ROLE_NONE : role,
				    .is_subscribed = true};
	enum store_outcome outcome =
		store_commit(boxes->store, &commit, &boxes->arena, NULL);

	if (outcome != STORE_OK && outcome != STORE_CONFLICT)
		return outcome;
	return load(boxes);
}

enum store_outcome boxes_make(struct boxes *boxes, struct str path,
			      enum mailbox_role role, uint64_t *mailbox)
{
	uint64_t parent = 0;
	size_t from = 0;

	for (;;) {
		size_t len = str_find_byte(str_skip(path, from), '/');
		struct str so_far = str_first(path, from + len);
		bool is_last = so_far.len == path.len;
		const struct box *box = boxes_find(boxes, so_far);

		if (!box) {
			enum store_outcome outcome =
				make(boxes, parent, str_skip(so_far, from),
				     is_last ? role : ROLE_NONE);

			if (outcome != STORE_OK)
				return outcome;
			box = boxes_find(boxes, so_far);
		}
		if (!box)
			return STORE_CONFLICT; /* another of nearly that name is there */
		*mailbox = parent = box->row.id;
		if (is_last)
			return box->row.is_container ? STORE_CONFLICT : STORE_OK;
		from = so_far.len + 1;
	}
}

/* ---- names ------------------------------------------------------------------------- */

static void add_clean(struct buf *out, struct str level)
{
	while (level.len > 0) {
		uint32_t code;

		(void)utf8_take(&level, &code); /* what is broken becomes U+FFFD */
		if (code == '/' || code < 32 || (code >= 127 && code < 160))
			code = '_';
		utf8_add(out, code);
	}
}

void box_path_add(struct box_path *path, struct str level)
{
	SCOPED(buf_fini) struct buf clean = BUF(PATH_MAX_BYTES);
	struct str name;

	add_clean(&clean, level);
	name = utf8_first(buf_str(&clean), MAILBOX_NAME_MAX);
	if (name.len == 0)
		return;
	path->text.max = PATH_MAX_BYTES;
	if (path->depth == 0 && str_same_nocase(name, STR("INBOX")))
		name = STR("INBOX");
	if (path->depth > 0)
		buf_add_byte(&path->text, path->depth < MAILBOX_DEPTH_MAX ? '/' : '_');
	buf_add(&path->text, name);
	path->depth++;
}

void box_path_add_utf7(struct box_path *path, struct str level)
{
	SCOPED(buf_fini) struct buf utf8 = BUF(PATH_MAX_BYTES);

	if (imap_mailbox_name_from_utf7(&utf8, level))
		level = buf_str(&utf8);
	box_path_add(path, level);
}

static enum mailbox_role usual_role(struct str name)
{
	static const struct {
		struct str name;
		enum mailbox_role role;
	} usual[] = {
		{STR("Sent"), ROLE_SENT},
		{STR("Sent Items"), ROLE_SENT},
		{STR("Sent Mail"), ROLE_SENT},
		{STR("Sent Messages"), ROLE_SENT},
		{STR("Drafts"), ROLE_DRAFTS},
		{STR("Draft"), ROLE_DRAFTS},
		{STR("Junk"), ROLE_JUNK},
		{STR("Junk E-mail"), ROLE_JUNK},
		{STR("Junk Email"), ROLE_JUNK},
		{STR("Junk Mail"), ROLE_JUNK},
		{STR("Spam"), ROLE_JUNK},
		{STR("Bulk Mail"), ROLE_JUNK},
		{STR("Trash"), ROLE_TRASH},
		{STR("Deleted Items"), ROLE_TRASH},
		{STR("Deleted Messages"), ROLE_TRASH},
		{STR("Archive"), ROLE_ARCHIVE},
		{STR("Archives"), ROLE_ARCHIVE},
		{STR("Gesendet"), ROLE_SENT},
		{STR("Gesendete Elemente"), ROLE_SENT},
		{STR("Gesendete Objekte"), ROLE_SENT},
		{STR("Envoyés"), ROLE_SENT},
		{STR("Éléments envoyés"), ROLE_SENT},
		{STR("Enviados"), ROLE_SENT},
		{STR("Elementos enviados"), ROLE_SENT},
		{STR("Entwürfe"), ROLE_DRAFTS},
		{STR("Brouillons"), ROLE_DRAFTS},
		{STR("Borradores"), ROLE_DRAFTS},
		{STR("Junk-E-Mail"), ROLE_JUNK},
		{STR("Unerwünscht"), ROLE_JUNK},
		{STR("Indésirables"), ROLE_JUNK},
		{STR("Courrier indésirable"), ROLE_JUNK},
		{STR("Correo no deseado"), ROLE_JUNK},
		{STR("Papierkorb"), ROLE_TRASH},
		{STR("Gelöschte Elemente"), ROLE_TRASH},
		{STR("Gelöschte Objekte"), ROLE_TRASH},
		{STR("Corbeille"), ROLE_TRASH},
		{STR("Éléments supprimés"), ROLE_TRASH},
		{STR("Papelera"), ROLE_TRASH},
		{STR("Elementos eliminados"), ROLE_TRASH},
		{STR("Archiv"), ROLE_ARCHIVE},
	};

	for (size_t i = 0; i < COUNT_OF(usual); i++)
		if (str_same_nocase(usual[i].name, name))
			return usual[i].role;
	return ROLE_NONE;
}

struct str boxes_map(const struct boxes *boxes, struct str path, enum mailbox_role role,
		     struct arena *arena)
{
	const struct box *box = boxes_with(boxes, role);
	struct str below = path, top = str_cut(&below, '/');

	if (box)
		return box->path;
	box = boxes_with(boxes, usual_role(top));
	if (!box || boxes_find(boxes, path))
		return path;
	if (below.len == 0)
		return box->path;
	return arena_printf(arena, "%.*s/%.*s", STR_FMT(box->path), STR_FMT(below));
}
