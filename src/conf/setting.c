#include "conf/setting.h"

#define AT(member) offsetof(struct conf, member)
#define KIB        ((uint64_t)1024)
#define DAY        ((uint64_t)86400)

const struct setting settings[] = {
	{"server", "data-directory", SETTING_PATH, AT(data_directory), 0, 0,
	 "/var/lib/postrider", NULL,
	 "Where all mail and everything else that must last is kept.  It belongs to one "
	 "running server at a time."},
	{"server", "hostname", SETTING_DOMAIN, AT(hostname), 0, 0, "",
	 "the name of this machine",
	 "The name this server gives itself towards others, in greetings and in the "
	 "Received field.  It should be the name that the address of this machine "
	 "resolves to, and back."},
	{"server", "default-domain", SETTING_DOMAIN, AT(default_domain), 0, 0, "",
	 "the host name",
	 "The domain of log-in names and of addresses that are written without one."},
	{"listen", "smtp", SETTING_LISTENERS, AT(smtp), 0, 0, "0.0.0.0:25 [::]:25",
	 "not offered", "Where mail from other servers is taken."},
	{"listen", "submission", SETTING_LISTENERS, AT(submission), 0, 0,
	 "0.0.0.0:587 [::]:587", "not offered",
	 "Where people's programs hand in mail, after STARTTLS and log-in."},
	{"listen", "submissions", SETTING_LISTENERS, AT(submissions), 0, 0,
	 "0.0.0.0:465 [::]:465", "not offered", "The same, with TLS from the start."},
	{"listen", "imap", SETTING_LISTENERS, AT(imap), 0, 0, "0.0.0.0:143 [::]:143",
	 "not offered", "Where mail is read with IMAP, after STARTTLS."},
	{"listen", "imaps", SETTING_LISTENERS, AT(imaps), 0, 0, "0.0.0.0:993 [::]:993",
	 "not offered", "The same, with TLS from the start."},
	{"listen", "pop3", SETTING_LISTENERS, AT(pop3), 0, 0, "0.0.0.0:110 [::]:110",
	 "not offered", "Where mail is fetched with POP3, after STLS."},
	{"listen", "pop3s", SETTING_LISTENERS, AT(pop3s), 0, 0, "0.0.0.0:995 [::]:995",
	 "not offered", "The same, with TLS from the start."},
	{"listen", "lmtp", SETTING_LISTENERS, AT(lmtp), 0, 0, "", "not offered",
	 "Where another mail server on this machine hands over mail for local mailboxes "
	 "with LMTP (RFC 2033), such as 127.0.0.1:24 or unix:/run/postrider/lmtp.  "
	 "Nobody "
	 "logs in there, so it must be a loopback address, where everybody on this "
	 "machine may connect, or a Unix socket, where root and the group of that file "
	 "may: that of its folder, if the folder hands its group on (chmod g+s)."},
	{"listen", "proxies", SETTING_NETWORKS, AT(proxies), 0, 0, "",
	 "nobody is a proxy",
	 "The load balancers in front of this server, as addresses and networks.  At a "
	 "place to listen that ends in +proxy, such as 192.0.2.1:2525+proxy, only they "
	 "may "
	 "connect, and each connection must begin with the PROXY protocol, version 1 or "
	 "2; the client that it names counts as the one that has connected."},
	{"tls", "certificate", SETTING_PATH, AT(tls_certificate), 0, 0, "",
	 "a self-signed certificate is made",
	 "The file with the certificate for the host name and the chain above it, in "
	 "PEM."},
	{"tls", "key", SETTING_PATH, AT(tls_key), 0, 0, "",
	 "the key that was made with the self-signed certificate",
	 "The file with the certificate's private key, in PEM.  Only the vault process "
	 "reads it."},
	{"tls", "client-ca", SETTING_PATH, AT(tls_client_ca), 0, 0, "",
	 "nobody is asked for a certificate",
	 "The file with the certificates, in PEM, of those who certify people.  Programs "
	 "that hand in or read mail are then asked for a certificate of theirs, and who "
	 "shows one that was registered with \"postrider account certificate\" logs in "
	 "by SASL EXTERNAL without a password.  It needs TLS 1.3."},
	{"tls", "trusted-roots", SETTING_PATH, AT(tls_roots), 0, 0, "",
	 "those of this system, in /etc/ssl/certs/ca-certificates.crt",
	 "The file with the certificates, in PEM, of those who are believed when they "
	 "certify other servers."},
	{"tls", "dane", SETTING_SWITCH, AT(is_dane_heeded), 0, 0, "yes", NULL,
	 "Whether TLSA records that other domains have signed (DANE, RFC 7672) decide "
	 "how "
	 "mail is sent to them.  It needs DNSSEC."},
	{"tls", "mta-sts", SETTING_SWITCH, AT(is_mta_sts_heeded), 0, 0, "yes", NULL,
	 "Whether the policies that other domains publish by HTTPS (MTA-STS, RFC 8461) "
	 "decide how mail is sent to them."},
	{"tls", "mta-sts-port", SETTING_COUNT, AT(mta_sts_port), 1, 65535, "443", NULL,
	 "The port that those policies are fetched from.  Only tests need another."},
	{"tls", "report", SETTING_SWITCH, AT(is_tls_reported), 0, 0, "yes", NULL,
	 "Whether domains that ask for it are told once a day how TLS with their servers "
	 "went (TLS-RPT, RFC 8460)."},
	{"tls", "report-interval", SETTING_SPAN, AT(tls_report_s), 1, DAY, "1 d", NULL,
	 "The day of those reports.  Only tests need a shorter one."},
	{"dmarc", "report", SETTING_SWITCH, AT(is_dmarc_reported), 0, 0, "yes", NULL,
	 "Whether domains that ask for it are told once a day what mail came in their "
	 "name, from where, and whether it was proved to be theirs (DMARC, RFC 9990)."},
	{"dmarc", "report-interval", SETTING_SPAN, AT(dmarc_report_s), 1, DAY, "1 d",
	 NULL, "The day of those reports.  Only tests need a shorter one."},
	{"dmarc", "failure-reports", SETTING_COUNT, AT(dmarc_failure_reports), 0, 1000,
	 "0", NULL,
	 "How many mails an hour a domain is told of, one by one, that came in its name "
	 "and were not proved to be from it, if its DMARC record asks for that (ruf and "
	 "fo; RFC 9991); 0 is never.  Each process that judges mail counts for itself, "
	 "and there is one for each processor core.  A report has the header of the mail "
	 "alone, without the subject, names, and the parts of addresses before the @; "
	 "yet it tells others of mail that is not theirs, so think of the law where you "
	 "live."},
	{"report", "address", SETTING_ADDRESS, AT(report_address), 0, 0, "", "nowhere",
	 "An address of ours that reports of DMARC and TLS come to, as the domains' "
	 "_dmarc and _smtp._tls records say (rua).  What they say of our domains is kept "
	 "for 400 days; \"postrider report summary\" tells of it.  The mails come into "
	 "that mailbox as well."},
	{"arc", "seal", SETTING_SWITCH, AT(is_arc_sealed), 0, 0, "yes", NULL,
	 "Whether strangers' mail that an alias passes on gets a seal that says what was "
	 "found out about it here (ARC, RFC 8617), so that the next server may take our "
	 "word.  It is made with the RSA key for DKIM of the default domain, if there is "
	 "one."},
	{"forward", "rewrite-from", SETTING_SWITCH, AT(is_from_rewritten), 0, 0, "yes",
	 NULL,
	 "Whether strangers' mail that an alias passes on gets an author of ours where "
	 "other servers would refuse it with its own: it was proved here, but by SPF "
	 "alone, "
	 "which holds for the author's own servers only, and the author's domain asks by "
	 "DMARC that others refuse it or take it for junk.  "
	 "From then names the alias, as in \"Ann via example.org\" <info@example.org>, "
	 "whose "
	 "domain signs the mail; the author stands in X-Original-From, and in Reply-To "
	 "unless somebody else does.  All other mail is passed on as it came.  While it "
	 "cannot be told what the domain asks for, the mail has to come again.  With "
	 "\"no\", or where strangers' mail is not looked at (trust), all is passed on as "
	 "it "
	 "came."},
	{"limits", "message-size", SETTING_BYTES, AT(message_bytes_max), 64 * KIB,
	 1024 * 1024 * KIB, "50 MiB", NULL,
	 "The largest mail that is taken, announced by SIZE (RFC 1870)."},
	{"limits", "recipients", SETTING_COUNT, AT(recipients_max), 100, 1000, "1000",
	 NULL,
	 "The most recipients of one mail; the sender is asked to send the rest in "
	 "another one.  RFC 5321 wants at least 100."},
	{"limits", "copy-rate", SETTING_BYTES, AT(copy_bytes_a_second), 64 * KIB,
	 1024 * 1024 * KIB, "8 MiB", NULL,
	 "How much the store may read a second to copy what is needed out of files of "
	 "which less than half is, so that their space can be given back."},
	{"limits", "connections-of-address", SETTING_COUNT, AT(address_connections_max),
	 1, 10000, "50", NULL,
	 "How many connections an address may have, at all doors together, on which "
	 "nobody has logged in.  A network counts as one address if it is an IPv6 /64; a "
	 "/48 may have four times as many."},
	{"limits", "sessions-of-account", SETTING_COUNT, AT(account_sessions_max), 1,
	 10000, "50", NULL,
	 "How many sessions an account may have, at all doors together."},
	{"limits", "failures-of-address", SETTING_COUNT, AT(address_failures_max), 1,
	 10000, "10", NULL,
	 "After so many failed log-ins an address is refused for ten minutes.  The same "
	 "wrong password again counts once.  A /48 may fail four times as often."},
	{"limits", "failures-of-account", SETTING_COUNT, AT(account_failures_max), 1,
	 10000, "100", NULL,
	 "After so many failed log-ins an account is refused for ten minutes, except "
	 "where "
	 "it has logged in within the last week."},
	{"limits", "exempt", SETTING_NETWORKS, AT(exempt), 0, 0, "", "nobody",
	 "Addresses and networks that these four do not hold for, such as a web mail "
	 "server's."},
	{"limits", "messages-of-command", SETTING_COUNT, AT(command_messages_max), 1000,
	 10000000, "", "no limit",
	 "How many messages one command of IMAP goes through, announced by MESSAGELIMIT "
	 "(RFC 9738).  Programs that do not know of that see only the newest messages of "
	 "a mailbox that has more."},
	{"limits", "messages-of-copy", SETTING_COUNT, AT(copy_messages_max), 1000,
	 10000000, "", "no limit",
	 "How many messages one COPY or APPEND of IMAP stores, announced by SAVELIMIT "
	 "(RFC 9738); where messages-of-command is set, that holds instead.  One APPEND "
	 "never stores more than 500."},
	{"trust", "check", SETTING_SWITCH, AT(is_mail_judged), 0, 0, "yes", NULL,
	 "Whether it is found out who strangers' mail is from: the client's name, SPF, "
	 "DKIM, DMARC and ARC.  The results stand in the Authentication-Results field of "
	 "each "
	 "mail."},
	{"trust", "dmarc", SETTING_SWITCH, AT(is_dmarc_obeyed), 0, 0, "yes", NULL,
	 "Whether what a domain asks for by DMARC is done with mail that is not proved "
	 "to "
	 "be from it: refused, or put into the mailbox for junk.  With \"no\" the "
	 "results are only written down."},
	{"trust", "friends", SETTING_NETWORKS, AT(friends), 0, 0, "127.0.0.0/8 ::1",
	 "everybody is a stranger",
	 "Addresses and networks whose mail at the port for other servers is taken as it "
	 "is, such as those of a filter in front of this server."},
	{"trust", "forwarders", SETTING_DOMAINS, AT(forwarders), 0, 0, "",
	 "nobody's word is taken",
	 "Domains of mailing lists and forwarders whose word is taken: mail that fails "
	 "DMARC comes in nevertheless if it has an unbroken chain of seals (ARC, RFC "
	 "8617) and one of these found the author proved when it came there, and all "
	 "that "
	 "sealed it later are among these, too.  A name is that in d= of the seal; those "
	 "below it are others."},
	{"trust", "exceptions", SETTING_SOURCES, AT(exceptions), 0, 0, "", "nobody",
	 "Sources whose mail comes in although it fails DMARC, such as mailing lists and "
	 "forwarders that do not seal.  An address or a network is the client's; a "
	 "domain "
	 "is the one that SPF (for the sender in the envelope) or a signature of DKIM "
	 "has "
	 "proved; ann@example.net or @example.net is the author in From, which nothing "
	 "proves, so that everybody may use that name here.  Domains below a domain are "
	 "others.  Reports to the author's domain call it mailing_list (if there is a "
	 "List-Id or List-Post field), trusted_forwarder, and local_policy for an "
	 "author."},
	{"retention", "trash", SETTING_DAYS, AT(trash_days), 1, 3660, "", "for ever",
	 "How long a message stays in a mailbox that is an account's Trash, counted from "
	 "the day it came there, such as 30 days.  What is older is expunged; for some "
	 "days it can be brought back like all that was expunged.  An account may have "
	 "rules of its own: see \"postrider account retention\"."},
	{"retention", "junk", SETTING_DAYS, AT(junk_days), 1, 3660, "", "for ever",
	 "The same for the mailbox that gets spam."},
	{"mta", "smarthost", SETTING_HOP, AT(mta_smarthost), 0, 0, "",
	 "mail goes to the recipients' own mail servers",
	 "The server that takes all mail to other domains, such as "
	 "submission:smtp.example.net.  smtp is what servers speak among themselves, "
	 "with "
	 "TLS if it is offered; submission (port 587) and submissions (465) insist on "
	 "TLS "
	 "and a certificate that is trusted; lmtp hands over to another mail store (RFC "
	 "2033).  A name in brackets, as in smtp:[relay.example.net]:2525, is taken as "
	 "it "
	 "is; without them its MX records are followed."},
	{"mta", "routes", SETTING_ROUTES, AT(mta_routes), 0, 0, "",
	 "there are no exceptions",
	 "Where mail for some domains goes instead, such as "
	 "example.org=smtp:[192.0.2.1]:25; .example.org stands for all domains below it. "
	 " "
	 "The words from:example.org=... choose by the sender's domain, where no word "
	 "does by the recipient's.  mx means the recipient's own mail servers, whatever "
	 "the smarthost is.  Of several that fit, the first counts."},
	{"mta", "logins", SETTING_PATH, AT(mta_logins), 0, 0, "", "nowhere is logged in",
	 "The file with the names and passwords for other servers, one on each line as "
	 "HOST NAME PASSWORD, where HOST is written as in the smarthost or the route, "
	 "without brackets.  It is read at the start, by the mta process alone.  "
	 "SCRAM-SHA-256 goes before PLAIN, and LOGIN comes last; a password is only said "
	 "over TLS."},
	{"mta", "source", SETTING_ADDRESSES, AT(mta_source), 0, 0, "",
	 "what the system chooses",
	 "The addresses of this machine that mail is sent from, one for IPv4 and one for "
	 "IPv6."},
	{"mta", "hello", SETTING_DOMAIN, AT(mta_hello), 0, 0, "", "the host name",
	 "The name this server gives itself when it sends mail."},
	{"mta", "port", SETTING_COUNT, AT(mta_port), 1, 65535, "25", NULL,
	 "The port of other mail servers.  Only tests need another."},
	{"mta", "connections", SETTING_COUNT, AT(mta_connections), 1, 1000, "20", NULL,
	 "The most connections at a time to one destination.  It begins with two, and "
	 "gets more as long as all goes well."},
	{"mta", "connections-of-address", SETTING_COUNT, AT(mta_address_connections), 1,
	 1000, "20", NULL,
	 "The most connections at a time to one address of other domains' mail servers, "
	 "however many domains have their mail there.  An IPv6 /64 counts as one "
	 "address; "
	 "the smarthost and servers of routes are not counted."},
	{"mta", "rate", SETTING_COUNT, AT(mta_rate), 0, 1000000, "0", NULL,
	 "The most mails a minute to one destination; 0 is any number."},
	{"mta", "patience", SETTING_COUNT, AT(mta_patience_s), 1, 600, "600", NULL,
	 "The longest wait for another server, in seconds.  Each step has a limit of its "
	 "own (RFC 5321 section 4.5.3.2), which this can only make shorter."},
	{"dns", "server", SETTING_SERVER, AT(dns_server), 0, 0, "",
	 "the root's name servers, and those that they name",
	 "The name server that is asked where other domains take their mail, and all "
	 "else.  It must pass on DNSSEC's records: answers are validated here, whatever "
	 "it "
	 "says of them.  Without a good reason for one, leave this unset."},
	{"dns", "zones", SETTING_ZONES, AT(dns_zones), 0, 0, "", "no zone is special",
	 "Name servers to be asked about some domains only, such as "
	 "example.internal=192.0.2.1."},
	{"dns", "trust-anchors", SETTING_ANCHORS, AT(dns_anchors), 0, 0, "",
	 "the root's keys, followed as they change (RFC 5011)",
	 "A file with the DS or DNSKEY records that DNSSEC begins from, one on a line, "
	 "instead of the root's; or none, and nothing is validated."},
	{"store", "snapshot-days", SETTING_COUNT, AT(snapshot_days), 0, 3650, "14", NULL,
	 "How many days the snapshot is kept that was made when a newer program brought "
	 "the data up to date.  As long as it is there, \"postrider store rollback\" can "
	 "go back, and the space of removed mail is not freed."},
	{"queue", "retry-first", SETTING_SPAN, AT(queue_retry_first_s), 1, DAY, "5 min",
	 NULL,
	 "How long mail waits after it could not be delivered for the first time.  Each "
	 "time after that it waits twice as long, up to retry-max, less a little by "
	 "chance."},
	{"queue", "retry-max", SETTING_SPAN, AT(queue_retry_max_s), 1, 7 * DAY, "4 h",
	 NULL, "The longest that mail waits between two tries."},
	{"queue", "expire", SETTING_SPAN, AT(queue_expire_s), 1, 60 * DAY, "5 d", NULL,
	 "How long mail is tried; then it is given up, and its sender told.  RFC 5321 "
	 "wants at least 4 to 5 days."},
	{"queue", "delay-notice", SETTING_SPAN, AT(queue_delay_notice_s), 0, 60 * DAY,
	 "4 h", NULL,
	 "When the sender of a mail that still waits is told of the delay, once; 0 s is "
	 "never."},
	{"queue", "double-bounce", SETTING_ADDRESS, AT(queue_double_bounce), 0, 0, "",
	 "nobody, they are logged",
	 "Who is told of mail that failed and has no sender who could be told, such as a "
	 "report about another mail."},
	{"search", "attachments", SETTING_SWITCH, AT(are_attachments_searched), 0, 0,
	 "yes", NULL,
	 "Whether searches for text also find what stands in attached documents: PDF, "
	 "and those of office programs (docx, xlsx, pptx, odt, ods, odp).  A process of "
	 "its own reads them.  When this is changed the search index is made anew."},
	{"sendmail", "allow", SETTING_NAMES, AT(sendmail_allow), 0, 0, "*",
	 "only root, and the user that the server runs as",
	 "The users of this machine who may send mail with sendmail(1), by name; * is "
	 "all "
	 "of them.  They may name any sender, as with other mail servers, but the "
	 "Received field and the log name them."},
	{"log", "level", SETTING_LEVEL, AT(log_level), 0, 0, "info", NULL,
	 "How much is logged: error (somebody should look now), warn (trouble of our "
	 "own), info (what happens to each mail), debug (what is said on each "
	 "connection)."},
};

const size_t setting_count = COUNT_OF(settings);

const struct setting *setting_find(struct str name)
{
	struct str section = str_cut(&name, '.');

	for (size_t i = 0; i < setting_count; i++) {
		if (str_same(section, str_c(settings[i].section)) &&
		    str_same(name, str_c(settings[i].name)))
			return &settings[i];
	}
	return NULL;
}

const char *setting_placeholder(const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_PATH:
		return "PATH";
	case SETTING_DOMAIN:
		return "NAME";
	case SETTING_LISTENERS:
		return "ADDRESS:PORT[+proxy] ...";
	case SETTING_BYTES:
		return "SIZE";
	case SETTING_COUNT:
		return "NUMBER";
	case SETTING_DAYS:
		return "NUMBER days";
	case SETTING_NETWORKS:
		return "ADDRESS[/BITS] ...";
	case SETTING_SERVER:
		return "ADDRESS[:PORT]";
	case SETTING_ZONES:
		return "ZONE=ADDRESS[:PORT] ...";
	case SETTING_ANCHORS:
		return "PATH | none";
	case SETTING_SWITCH:
		return "yes | no";
	case SETTING_SPAN:
		return "TIME";
	case SETTING_ADDRESS:
		return "ADDRESS";
	case SETTING_NAMES:
		return "NAME ... | *";
	case SETTING_HOP:
		return "SCHEME:HOST[:PORT]";
	case SETTING_ROUTES:
		return "DOMAIN=SCHEME:HOST[:PORT] ...";
	case SETTING_DOMAINS:
		return "NAME ...";
	case SETTING_SOURCES:
		return "ADDRESS[/BITS] | DOMAIN | [NAME]@DOMAIN ...";
	case SETTING_ADDRESSES:
		return "ADDRESS ...";
	case SETTING_LEVEL:
		return "error | warn | info | debug";
	}
	return "";
}
