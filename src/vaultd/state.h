/* What the files of the vault process share; nobody else includes it. */
#pragma once

#include "base/list.h"
#include "rt/ipc.h"
#include "store/grant.h"
#include "vault/codec.h"
#include "vaultd/dkim_keys.h"
#include "vaultd/keys.h"
#include "vaultd/tickets.h"
#include "vaultd/vaultd.h"
#include "vaultd/verify.h"
#include "wire/auth/scram.h"

enum { GRANT_SECONDS = 7 * 86400 }; /* longer than sessions last */

struct channel {
	struct list_link in_channels;
	struct vaultd *vaultd;
	enum vaultd_role role;
	uint64_t number;
	struct ipc *ipc;
	struct guard_door *door; /* VAULTD_DOOR: its counts */
	unsigned refs;           /* its being served, and answers under way */
};

struct vaultd {
	struct secrets *secrets;
	struct hasher *hasher;
	struct verifier *verifier;
	struct guard *guard;
	struct keys *keys;
	struct dkim_keys *dkim_keys;
	struct tickets tickets;
	unsigned char grant_key[GRANT_KEY_BYTES];
	unsigned char scram_key[SCRAM_KEY_BYTES];
	struct list channels;
	struct ipc *store;                 /* NULL: no link now */
	uint64_t links;                    /* counts them */
	struct str reports;                /* the domain that reports come from */
	const struct directory *directory; /* or NULL */
};

/* author.c: a signature of DKIM, if the channel may have it for that author. */
enum vault_outcome on_sign_dkim(struct channel *channel,
				const struct vault_request *request,
				struct buf *signature);

/* entry.c: the calls by which somebody comes in.  first: the grant, or how late to answer
 * a refusal. */
enum vault_outcome on_verify(struct channel *channel, const struct vault_request *request,
			     struct buf *first);
enum vault_outcome on_scram_begin(struct channel *channel,
				  const struct vault_request *request, struct buf *begun);
enum vault_outcome on_scram_prove(struct channel *channel,
				  const struct vault_request *request, struct buf *first,
				  struct buf *signature);
enum vault_outcome on_prove_certificate(struct channel *channel,
					const struct vault_request *request,
					struct buf *first, struct buf *owner);
