#include "mailauth/dmarc_from.h"

#include "text/alabel.h"
#include "wire/dns/rdata.h"
#include "wire/mail/address.h"
#include "wire/mail/header.h"

bool dmarc_domain(struct str name, struct arena *arena, struct str *domain)
{
	struct str ascii;
	char *lower;

	if (str_ends(name, STR(".")))
		name = str_first(name, name.len - 1);
	/* An address literal is no name. */
	if (name.len == 0 || name.ptr[0] == '[' || !alabel_name(name, arena, &ascii) ||
	    !dns_name_is_valid(ascii))
		return false;
	lower = arena_alloc(arena, ascii.len, 1);
	if (!lower)
		return false;
	for (size_t i = 0; i < ascii.len; i++)
		lower[i] = ascii_lower(ascii.ptr[i]);
	*domain = (struct str){lower, ascii.len};
	return true;
}

static void add_domain(struct str name, struct arena *arena,
		       struct dmarc_authors *authors)
{
	struct str domain;

	if (!dmarc_domain(name, arena, &domain))
		return;
	for (size_t i = 0; i < authors->count; i++)
		if (str_same(authors->domains[i], domain))
			return;
	if (authors->count == DMARC_AUTHORS_MAX)
		authors->is_cut = true;
	else
		authors->domains[authors->count++] = domain;
}

static void add_field(struct str value, struct arena *arena,
		      struct dmarc_authors *authors)
{
	struct mail_addresses addresses =
		mail_addresses_parse(arena, value, DMARC_FROM_ADDRESSES_MAX);

	authors->is_cut |= addresses.is_cut;
	for (size_t i = 0; i < addresses.count; i++)
		if (addresses.items[i].kind == MAIL_MAILBOX)
			add_domain(addresses.items[i].domain, arena, authors);
}

static enum dmarc_from from_of(const struct dmarc_authors *authors, size_t fields)
{
	if (fields == 0)
		return DMARC_FROM_ABSENT;
	if (authors->count == 0)
		return DMARC_FROM_NOBODY;
	if (fields > 1)
		return DMARC_FROM_REPEATED;
	return authors->count > 1 || authors->is_cut ? DMARC_FROM_SEVERAL
						     : DMARC_FROM_ONE;
}

void dmarc_authors_find(struct str header, struct arena *arena,
			struct dmarc_authors *authors)
{
	struct mail_fields fields = mail_fields_over(header);
	struct mail_field field;
	size_t count = 0;

	*authors = (struct dmarc_authors){.count = 0};
	while (mail_fields_next(&fields, &field)) {
		if (!str_same_nocase(field.name, STR("From")))
			continue;
		count++;
		if (count <= DMARC_AUTHORS_MAX)
			add_field(field.value, arena, authors);
		authors->is_cut |= count > DMARC_AUTHORS_MAX;
	}
	authors->from = from_of(authors, count);
}
