/* The bytes of packs: headers, groups and records.  Private to db/. */
#pragma once

#include "db/pack.h"

enum {
	PACK_FORMAT = 2,
	PACK_HEADER_BYTES = 64,
	GROUP_HEADER_BYTES = 48,
	GROUP_ALIGN = 8,
	RECORD_HEADER_BYTES = 8,
	BODY_HEADER_BYTES = 36, /* with the record header */
	RECORD_BODY = 1,
	RECORD_OPERATION = 2,
};

struct pack_header {
	uint32_t format, number;
	uint64_t epoch, salt, first_sequence;
};
struct group_header {
	uint32_t records;
	uint64_t salt, sequence, length, durable;
	uint32_t records_crc;
};
struct body_header {
	uint64_t length; /* of the frame */
	uint64_t raw_size;
	uint32_t account;
	uint64_t message;
	uint32_t frame_crc;
};

void pack_header_write(char *bytes, const struct pack_header *header);
/* ERR_SYNTAX: damaged; ERR_DENIED: of another format. */
[[nodiscard]] err_t pack_header_read(struct str bytes, struct pack_header *header);
void group_header_write(char *bytes, const struct group_header *header);
[[nodiscard]] bool group_header_read(struct str bytes, uint64_t salt,
				     struct group_header *header);
/* Whatever the salt: only where mail cannot forge one, or for want of anything better. */
[[nodiscard]] bool group_header_any(struct str bytes, struct group_header *header);
void record_header_write(char *bytes, int type, uint32_t length);
void body_header_write(char *bytes, const struct body_header *header);
[[nodiscard]] bool body_header_read(struct str bytes, struct body_header *header);
/* Length of the record that starts with these octets, with its header. */
[[nodiscard]] bool record_length(struct str bytes, uint64_t *length);
/* True if the payload's records are those that the header was written for; the frames of
 * bodies are not looked at. */
[[nodiscard]] bool group_records_check(struct str payload,
				       const struct group_header *header);
/* The CRC for a header.  own: the records one after the other, without those frames that
 * are longer than inline_max. */
uint32_t group_records_crc(struct str own, size_t inline_max);

/* A pack as the set knows it. */
struct pack {
	uint64_t salt, first_sequence, epoch;
	uint64_t size;   /* of the file */
	int fd;          /* for reading; -1 if there is no such pack */
	bool is_guessed; /* its header is damaged */
};

struct packs;
/* The pack of that number, or NULL. */
const struct pack *packs_get(const struct packs *packs, uint32_t number);
uint32_t packs_newest(const struct packs *packs); /* 0 if none */
/* What the damaged header of a pack said, but for the epoch.  ERR_SYNTAX: there is no
 * group that tells it. */
[[nodiscard]] err_t pack_header_guess(int fd, uint32_t number,
				      struct pack_header *header);
