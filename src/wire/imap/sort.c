#include "wire/imap/sort.h"

static const struct str keys[] = {
	[IMAP_SORT_ARRIVAL] = STR("ARRIVAL"),
	[IMAP_SORT_CC] = STR("CC"),
	[IMAP_SORT_DATE] = STR("DATE"),
	[IMAP_SORT_DISPLAYFROM] = STR("DISPLAYFROM"),
	[IMAP_SORT_DISPLAYTO] = STR("DISPLAYTO"),
	[IMAP_SORT_FROM] = STR("FROM"),
	[IMAP_SORT_RELEVANCY] = STR("RELEVANCY"),
	[IMAP_SORT_SIZE] = STR("SIZE"),
	[IMAP_SORT_SUBJECT] = STR("SUBJECT"),
	[IMAP_SORT_TO] = STR("TO"),
};

static const struct str algorithms[] = {
	[IMAP_THREAD_ORDEREDSUBJECT] = STR("ORDEREDSUBJECT"),
	[IMAP_THREAD_REFERENCES] = STR("REFERENCES"),
	[IMAP_THREAD_REFS] = STR("REFS"),
};

static bool named(struct str name, const struct str *names, size_t count, size_t *which)
{
	for (size_t i = 0; i < count; i++) {
		if (!str_same_nocase(name, names[i]))
			continue;
		*which = i;
		return true;
	}
	return false;
}

/* sort-criterion = ["REVERSE" SP] sort-key */
static bool criterion(struct imap_in *in, struct imap_sort_key *key)
{
	struct str name;
	size_t which;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "a sort key is expected");
	key->is_reverse = str_same_nocase(name, STR("REVERSE"));
	if (key->is_reverse && (!imap_space(in) || !imap_label(in, &name)))
		return imap_fail_here(in, "a sort key is expected after REVERSE");
	if (!named(name, keys, COUNT_OF(keys), &which))
		return imap_fail(in, "unknown sort key \"%.*s\"",
				 STR_FMT(str_first(name, 40)));
	key->by = (enum imap_sort_by)which;
	return true;
}

static void add_key(struct imap_sort *sort, struct imap_sort_key key)
{
	for (size_t i = 0; i < sort->count; i++) {
		if (sort->keys[i].by == key.by)
			return;
	}
	ASSERT(sort->count < IMAP_SORT_KEYS_MAX);
	sort->keys[sort->count++] = key;
}

bool imap_sort_criteria(struct imap_in *in, struct imap_sort *sort)
{
	struct imap_in at = *in;
	struct imap_sort got = {.count = 0};
	struct imap_sort_key key = {.is_reverse = false};

	if (!cur_byte(&at.at, '('))
		return imap_fail_here(in, "sort keys in () are expected");
	do {
		if (!criterion(&at, &key)) {
			in->reason = at.reason;
			return false;
		}
		add_key(&got, key);
	} while (imap_space(&at));
	if (!cur_byte(&at.at, ')'))
		return imap_fail_here(in, "the sort keys do not end");
	in->at = at.at;
	*sort = got;
	return true;
}

bool imap_thread_algorithm(struct imap_in *in, enum imap_thread *algorithm)
{
	struct imap_in at = *in;
	struct str name;
	size_t which;

	if (!imap_label(&at, &name))
		return imap_fail_here(in, "a threading algorithm is expected");
	if (!named(name, algorithms, COUNT_OF(algorithms), &which))
		return imap_fail(in, "unknown threading algorithm \"%.*s\"",
				 STR_FMT(str_first(name, 40)));
	in->at = at.at;
	*algorithm = (enum imap_thread)which;
	return true;
}
