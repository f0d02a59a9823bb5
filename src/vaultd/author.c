/* In whose name mail is signed.  deliverd has made sure of it, too; but it has parsed
 * what strangers wrote. */
#include <time.h>

#include "base/log.h"
#include "directory/directory.h"
#include "vaultd/state.h"

enum { LOOK_UP_BYTES = 64 * 1024 };

static bool has_door(const struct vaultd *vaultd, uint64_t number)
{
	LIST_EACH(&vaultd->channels, link)
	{
		const struct channel *one =
			CONTAINER_OF(link, struct channel, in_channels);

		if (one->role == VAULTD_DOOR && one->number == number)
			return true;
	}
	return false;
}

/* Whether somebody has logged in as the account, at a door that is there, and may send.
 * OK; DENIED; LATER: cannot tell now. */
static enum vault_outcome check_grant(struct vaultd *vaultd,
				      const struct vault_author *author)
{
	uint64_t door = grant_channel(author->grant);
	struct password record = {0};
	struct grant grant;

	if (!has_door(vaultd, door) ||
	    !grant_check(vaultd->grant_key, author->grant, door, (int64_t)time(NULL),
			 &grant) ||
	    grant.account != author->account || !(grant.rights & GRANT_SEND))
		return VAULT_DENIED;
	err_t err = secrets_password(vaultd->secrets, author->account, &record);
	bool is_current = grant.generation >= record.generation;

	explicit_bzero(&record, sizeof record);
	if (err != OK)
		return VAULT_LATER;
	return is_current ? VAULT_OK : VAULT_DENIED;
}

/* Whether mail to the author reaches the account.  May suspend. */
static enum vault_outcome check_address(const struct vaultd *vaultd,
					const struct vault_author *author,
					struct str domain)
{
	SCOPED(arena_fini) struct arena arena;
	bool is_sure;

	arena_init(&arena, LOOK_UP_BYTES);
	if (!vaultd->directory)
		return VAULT_LATER;
	if (directory_may_send_as(vaultd->directory, author->account, author->local,
				  domain, &arena, &is_sure))
		return VAULT_OK;
	return is_sure ? VAULT_DENIED : VAULT_LATER;
}

/* Who talks to any server of the world signs what we report, and nobody's mail. */
static enum vault_outcome check(const struct channel *channel,
				const struct vault_request *request)
{
	struct vaultd *vaultd = channel->vaultd;
	const struct vault_author *author = &request->author;
	enum vault_outcome outcome;

	if (channel->role == VAULTD_REPORTER)
		return author->account == 0 && str_same_nocase(request->dkim.domain,
							       vaultd->reports)
			       ? VAULT_OK
			       : VAULT_DENIED;
	if (author->account == 0)
		return VAULT_OK;
	outcome = check_grant(vaultd, author);
	if (outcome == VAULT_OK)
		outcome = check_address(vaultd, author, request->dkim.domain);
	if (outcome == VAULT_DENIED)
		LOG(WARN, "not signed for that author",
		    KV_INT("account", author->account),
		    KV_STR("host", request->dkim.domain));
	return outcome;
}

enum vault_outcome on_sign_dkim(struct channel *channel,
				const struct vault_request *request,
				struct buf *signature)
{
	enum vault_outcome outcome = check(channel, request);

	return outcome == VAULT_OK
		       ? dkim_keys_sign(channel->vaultd->dkim_keys, &request->dkim,
					request->input, signature)
		       : outcome;
}
