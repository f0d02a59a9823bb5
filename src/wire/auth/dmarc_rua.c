#include "wire/auth/dmarc_rua.h"

#include "wire/auth/report_uri.h"
#include "wire/auth/tag_list.h"

static void take_uri(struct str text, struct arena *arena, struct dmarc_rua *rua)
{
	struct dmarc_rua_uri *found = &rua->uris[rua->count];
	struct report_uri uri;
	uint64_t bytes_max;

	if (rua->count == DMARC_RUA_MAX ||
	    !report_uri_parse(report_uri_cut_size(text, &bytes_max), arena, &uri) ||
	    uri.kind != REPORT_URI_MAILTO)
		return;
	struct str host = str_skip(uri.target, str_rfind_byte(uri.target, '@') + 1);

	if (host.len == 0 || host.len > DMARC_RUA_HOST_MAX || host.ptr[0] == '[')
		return; /* an address literal has no DNS to agree by */
	*found = (struct dmarc_rua_uri){uri.target, host, bytes_max};
	rua->count++;
}

bool dmarc_rua_parse(struct str text, const char *tag, struct arena *arena,
		     struct dmarc_rua *rua)
{
	struct tag_list list;

	*rua = (struct dmarc_rua){.count = 0};
	if (tag_list_parse(text, &list) != TAG_LIST_FINE || list.count == 0 ||
	    !str_same(list.tags[0].name, STR("v")) ||
	    !str_same(list.tags[0].value, STR("DMARC1")))
		return false;
	const struct tag *found = tag_list_find(&list, tag);
	struct str rest = found ? found->value : STR("");

	while (rest.len > 0)
		take_uri(str_trim(str_cut(&rest, ',')), arena, rua);
	return true;
}
