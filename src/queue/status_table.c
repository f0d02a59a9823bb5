#include "queue/status.h"

#define SPELLING                                                                         \
	"Look at the spelling of the address, or ask for the right one in another way."
#define LATER   "Send it again later, or tell them in another way."
#define THEIRS  "Only those who run the other server can change that."
#define OURS    "Please tell your postmaster."
#define SMALLER "Send less at a time, or put it somewhere and send where it is."
#define POLICY  "What the server said may tell why, and whom to ask."
#define IDENTITY                                                                         \
	"Those who run the mail of your domain must look after it: please tell your "    \
	"postmaster."
#define SEND_SELF "Send it from the account that the address in From belongs to."

struct entry {
	uint16_t subject, detail;
	struct status_words words;
};

/* A detail of 0 serves all of its subject that have no entry of their own. */
static const struct entry entries[] = {
	{0, 0, {"The mail could not be delivered.", POLICY}},
	{1, 0, {"There is something wrong with the address.", SPELLING}},
	{1, 1, {"There is no such mailbox at that address.", SPELLING}},
	{1, 2, {"The domain of the address takes no mail, or does not exist.", SPELLING}},
	{1, 3, {"The address is not written as an address can be.", SPELLING}},
	{1, 4, {"The address fits more than one mailbox there.", SPELLING}},
	{1, 5, {"The address is good.", ""}},
	{1, 6, {"The mailbox has moved, and nobody says where.", SPELLING}},
	{1,
	 7,
	 {"The other server cannot read the address that you send from.",
	  "Look at your own address in your mail program."}},
	{1,
	 8,
	 {"The address that you send from does not work, says the other server.",
	  "Look at your own address in your mail program."}},
	{1, 9, {"It was handed to a server that does not tell of delivery.", ""}},
	{1, 10, {"The domain of the address takes no mail at all.", SPELLING}},
	{2, 0, {"There is something wrong with the mailbox.", LATER}},
	{2, 1, {"The mailbox is switched off and takes no mail.", LATER}},
	{2, 2, {"The mailbox is full.", LATER}},
	{2, 3, {"The mail is larger than that mailbox takes.", SMALLER}},
	{2, 4, {"The mailing list could not be expanded.", LATER}},
	{3, 0, {"The mail system of the recipient has trouble.", LATER}},
	{3, 1, {"The disk of the mail system is full.", LATER}},
	{3, 2, {"The mail system of the recipient takes no mail just now.", LATER}},
	{3, 3, {"The other server lacks something that the mail needs.", THEIRS}},
	{3, 4, {"The mail is too large for the server.", SMALLER}},
	{3, 5, {"The server is not set up to take this mail.", THEIRS}},
	{3, 6, {"It was taken, but not with the priority that you wished.", ""}},
	{4, 0, {"The mail could not be brought to the other server.", LATER}},
	{4, 1, {"The other server does not answer.", LATER}},
	{4, 2, {"The connection to the other server broke.", LATER}},
	{4, 3, {"The directory of names could not be asked.", LATER}},
	{4,
	 4,
	 {"No server was found that takes mail for the address.",
	  "Look at the part after the @; if it is right, try again later."}},
	{4, 5, {"The network or the server has too much to do.", LATER}},
	{4,
	 6,
	 {"The mail went round in a circle.",
	  "Perhaps two addresses forward to each other."}},
	{4, 7, {"Its time ran out before it could be delivered.", LATER}},
	{5, 0, {"The two servers did not understand each other.", OURS}},
	{5, 1, {"The other server did not expect that command.", OURS}},
	{5, 2, {"The other server could not read a command.", OURS}},
	{5, 3, {"There are too many recipients.", "Send it to fewer people at a time."}},
	{5, 4, {"The other server did not accept a command's arguments.", OURS}},
	{5, 5, {"The servers speak versions that do not go together.", OURS}},
	{5, 6, {"The other server does not take so long an authentication.", OURS}},
	{6, 0, {"The other server does not like the form of the mail.", POLICY}},
	{6, 1, {"The other server does not take mail of this kind.", POLICY}},
	{6,
	 2,
	 {"The mail would have to be converted, and may not be.",
	  "Send plain text, or attach things in another form."}},
	{6,
	 3,
	 {"The mail would have to be converted, and cannot be.",
	  "Send plain text, or attach things in another form."}},
	{6, 4, {"The mail was converted, and something was lost.", ""}},
	{6, 5, {"Converting the mail failed.", "Send plain text."}},
	{6, 6, {"The text of the mail could not be fetched.", LATER}},
	{6,
	 7,
	 {"The other server cannot take addresses beyond ASCII.",
	  "Use another address of theirs or of yours, one in plain letters."}},
	{6,
	 8,
	 {"The server's reply needs letters beyond ASCII, which are not allowed there.",
	  OURS}},
	{6,
	 9,
	 {"The mail has a header beyond ASCII, which the other server cannot take.",
	  "Write addresses and subject in plain letters."}},
	{7, 0, {"The other server does not want this mail.", POLICY}},
	{7, 1, {"The other server does not want this mail from you.", POLICY}},
	{7, 2, {"You may not send to this mailing list.", "Ask who runs the list."}},
	{7,
	 3,
	 {"The mail would have to be secured in another way, and cannot be.", THEIRS}},
	{7, 4, {"A security feature that the mail needs is not there.", THEIRS}},
	{7, 5, {"The mail could not be encrypted or decrypted.", THEIRS}},
	{7, 6, {"The encryption asked for is not known there.", THEIRS}},
	{7, 7, {"The mail was changed on its way.", "Send it again."}},
	{7, 8, {"Name or password was not accepted.", OURS}},
	{7, 9, {"The way to log in is too weak.", OURS}},
	{7, 10, {"The connection must be encrypted, and was not.", OURS}},
	{7, 11, {"That way to log in needs an encrypted connection.", OURS}},
	{7, 12, {"The password must be changed first.", OURS}},
	{7, 13, {"The account is switched off.", LATER}},
	{7, 14, {"A trust between the servers is missing.", THEIRS}},
	{7, 15, {"Mail of that priority is not taken just now.", LATER}},
	{7, 16, {"The mail is too large for its priority.", SMALLER}},
	{7,
	 17,
	 {"The mailbox has changed hands since you knew it.",
	  "Ask for the right address in another way."}},
	{7,
	 18,
	 {"The domain has changed hands since you knew it.",
	  "Ask for the right address in another way."}},
	{7,
	 19,
	 {"The other server cannot tell whether the mailbox changed hands.", LATER}},
	{7, 20, {"No signature (DKIM) of your mail was good.", IDENTITY}},
	{7, 21, {"No signature (DKIM) of your mail was acceptable.", IDENTITY}},
	{7, 22, {"The signature (DKIM) is not of the author's domain.", SEND_SELF}},
	{7, 23, {"Your domain does not let our server send its mail (SPF).", IDENTITY}},
	{7, 24, {"What your domain says of its servers (SPF) is broken.", IDENTITY}},
	{7, 25, {"The name of our server does not lead back to it.", OURS}},
	{7, 26, {"Several checks of who sent the mail failed.", IDENTITY}},
	{7,
	 27,
	 {"The domain that you send from takes no mail.",
	  "Use an address that can be answered."}},
	{7, 28, {"Too much mail came at once.", LATER}},
	{7, 29, {"A seal of those who forwarded the mail (ARC) is broken.", IDENTITY}},
	{7, 30, {"TLS was required on the whole way, and is not to be had.", THEIRS}},
};

static const struct entry *find(uint16_t subject, uint16_t detail)
{
	for (size_t i = 0; i < COUNT_OF(entries); i++)
		if (entries[i].subject == subject && entries[i].detail == detail)
			return &entries[i];
	return NULL;
}

struct status_words status_words(struct smtp_enhanced status)
{
	const struct entry *entry = find(status.subject, status.detail);

	if (!entry)
		entry = find(status.subject, 0);
	return entry ? entry->words : entries[0].words;
}
