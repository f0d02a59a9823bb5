#include "wire/imap/append.h"

/* "UTF8" SP "(" literal8 ")", of which the rest comes behind the octets. */
static bool utf8_head(struct imap_in *in)
{
	struct str name;

	return imap_label(in, &name) && str_same_nocase(name, STR("UTF8")) &&
	       imap_space(in) && cur_byte(&in->at, '(') && cur_sees(in->at, '~');
}

/* "CATENATE" SP "(", if that is what comes. */
static bool catenate_head(struct imap_in *in)
{
	struct imap_in at = *in;
	struct str name;

	if (!imap_label(&at, &name) || !str_same_nocase(name, STR("CATENATE")) ||
	    !imap_space(&at) || !cur_byte(&at.at, '('))
		return false;
	in->at = at.at;
	return true;
}

/* append-message = [SP flag-list] [SP date-time] SP append-data */
static bool append_message(struct imap_in *in, struct imap_append_message *message)
{
	*message = (struct imap_append_message){0};
	if (!imap_space(in))
		return false;
	if (cur_sees(in->at, '(') &&
	    (!imap_flag_list(in, &message->flags) || !imap_space(in)))
		return false;
	message->has_date = cur_sees(in->at, '"');
	if (message->has_date && (!imap_date_time(in, &message->date) || !imap_space(in)))
		return false;
	message->is_catenated = catenate_head(in);
	if (message->is_catenated)
		return true;
	message->is_utf8 = cur_sees(in->at, 'U') || cur_sees(in->at, 'u');
	if (message->is_utf8 && !utf8_head(in))
		return false;
	return imap_literal_head(in, &message->literal);
}

bool imap_append(struct imap_in *in, struct imap_append *append)
{
	struct cursor from = in->at;

	*append = (struct imap_append){0};
	if (imap_mailbox(in, &append->mailbox) && append_message(in, &append->first)) {
		append->rest = (struct str){in->at.at, (size_t)(in->at.end - in->at.at)};
		return true;
	}
	(void)imap_fail_here(in, "a mailbox and a message are expected");
	in->at = from;
	return false;
}

bool imap_replace(struct imap_in *in, struct imap_append *append)
{
	struct cursor from = in->at;
	struct imap_sequence_set set;
	bool is_one = imap_sequence_set(in, &set) && !set.is_saved &&
		      set.count + (set.star_from != 0) == 1 &&
		      (set.count == 0 || set.ranges[0].first == set.ranges[0].last) &&
		      (set.star_from == 0 || set.star_from == UINT32_MAX);

	if (is_one && imap_space(in) && imap_append(in, append)) {
		append->replaced = set;
		return true;
	}
	(void)imap_fail_here(in, "one message, a mailbox and a new message are expected");
	in->at = from;
	return false;
}

bool imap_append_next(struct imap_in *in, bool was_utf8, bool *is_end,
		      struct imap_append_message *next)
{
	struct cursor from = in->at;

	*is_end = false;
	if (was_utf8 && !cur_byte(&in->at, ')'))
		return imap_fail_here(in, "\"UTF8 (\" does not end");
	struct cursor end = in->at;

	*is_end = cur_byte(&end, '\r') && cur_byte(&end, '\n') && cur_done(end);
	if (*is_end) {
		in->at = end;
		return true;
	}
	if (append_message(in, next))
		return true;
	(void)imap_fail_here(in, "the next message or the end is expected");
	in->at = from;
	return false;
}

/* url = "URL" SP astring */
static bool cat_url(struct imap_in *in, struct imap_cat_part *part)
{
	part->kind = IMAP_CAT_URL;
	if (!imap_space(in))
		return imap_fail_here(in, "a URL is expected");
	if (!cur_sees(in->at, '{'))
		return imap_astring(in, &part->url);
	part->kind = IMAP_CAT_URL_LITERAL;
	return imap_literal_head(in, &part->literal) && cur_done(in->at);
}

/* cat-part = text-literal / url / utf8-literal */
static bool cat_part(struct imap_in *in, struct imap_cat_part *part)
{
	struct imap_in at = *in;
	struct str name;

	if (!imap_label(&at, &name))
		return imap_fail_here(in, "TEXT or URL is expected");
	part->is_utf8 = str_same_nocase(name, STR("UTF8"));
	if (part->is_utf8) {
		if (!utf8_head(in))
			return imap_fail_here(in, "\"UTF8 (\" is expected");
		return imap_literal_head(in, &part->literal) && cur_done(in->at);
	}
	in->at = at.at;
	if (str_same_nocase(name, STR("URL")))
		return cat_url(in, part);
	if (!str_same_nocase(name, STR("TEXT")))
		return imap_fail(in, "unknown part \"%.*s\"",
				 STR_FMT(str_first(name, 40)));
	return imap_space(in) && imap_literal_head(in, &part->literal) &&
	       cur_done(in->at);
}

bool imap_cat_part(struct imap_in *in, const struct imap_cat_part *before,
		   struct imap_cat_part *part)
{
	struct cursor from = in->at;
	bool is_whole = true;

	*part = (struct imap_cat_part){0};
	if (before && before->is_utf8)
		is_whole = cur_byte(&in->at, ')') ||
			   imap_fail_here(in, "\"UTF8 (\" does not end");
	if (is_whole && before && cur_byte(&in->at, ')')) {
		part->kind = IMAP_CAT_END;
		return true;
	}
	if (is_whole && (!before || imap_space(in)) && cat_part(in, part))
		return true;
	(void)imap_fail_here(in, "TEXT and a literal, or URL and a URL are expected");
	in->at = from;
	return false;
}
