/* Looking at the file of the search index, which nobody has open. */
#include "db/kvpages.h"
#include "search/index.h"

err_t search_index_look(const char *path)
{
	struct kv_pages pages = {0};

	TRY(kv_check_pages(path, KV_PAGES_ALL, &pages));
	return pages.rows_bad > 0 ? ERR_SYNTAX : OK;
}
