#include "wire/mail/zip.h"

/* What is found lies inside the archive. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str archive = {(const char *)data, len};
	struct zip_member member;
	struct zip_walk walk;

	for (bool more = zip_walk_over(archive, &walk); more;) {
		more = zip_next(&walk, &member);
		ASSERT(!more ||
		       (member.packed.ptr >= archive.ptr &&
			member.packed.ptr + member.packed.len <= archive.ptr + len));
	}
	if (!zip_first(archive, &member))
		return 0;
	ASSERT(zip_is(archive));
	ASSERT(member.packed.ptr >= archive.ptr &&
	       member.packed.ptr + member.packed.len <= archive.ptr + archive.len);
	ASSERT(member.name.ptr >= archive.ptr &&
	       member.name.ptr + member.name.len <= archive.ptr + archive.len);
	ASSERT(!str_ends(member.name, STR("/")));
	return 0;
}
