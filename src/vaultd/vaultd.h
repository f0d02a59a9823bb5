/* The vault process: answers vault.h's calls on the channels it is given, keeps the
 * secrets, makes grants, and tells the store which ones are dead.
 */
#pragma once

#include "vaultd/guard.h"

struct directory;
struct vaultd;

/* What may be asked on a channel. */
enum vaultd_role {
	VAULTD_DOOR,     /* verify, counts, certificates, ticket keys */
	VAULTD_CTL,      /* all that and passwords, imports */
	VAULTD_MAILER,   /* DKIM: signatures (a person's mail only as an author who is
			    theirs), records, and keys to be forgotten */
	VAULTD_REPORTER, /* DKIM signatures for the one domain that reports come from */
	VAULTD_SIGNER,   /* signatures only: the socket of vault_sign() */
};

/* folder exists and is the vault's own.  May suspend, and block on the disk. */
[[nodiscard]] err_t vaultd_open(const char *folder, const struct guard_options *limits,
				struct vaultd **vaultd);
/* The domain that reports come from; borrowed until the vault is closed. */
void vaultd_set_reports(struct vaultd *vaultd, struct str domain);
/* Where to look up whose an author is; borrowed likewise.  Without it no person's mail is
 * signed. */
void vaultd_set_directory(struct vaultd *vaultd, const struct directory *directory);
/* After the last task has ended. */
void vaultd_close(struct vaultd **vaultd);
/* Serves a channel until the other side closes it; fd is owned from here on.  channel is
 * the number that grants for it carry, the same as of that process's store channel; it
 * replaces an earlier one of that role and number. */
void vaultd_serve(struct vaultd *vaultd, enum vaultd_role role, uint64_t channel, int fd);
/* A new link to the store process (vault/link.h) in place of the one before. */
void vaultd_link(struct vaultd *vaultd, int fd);
