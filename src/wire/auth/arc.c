#include "wire/auth/arc.h"

#include "base/num.h"

enum { COMMENT_DEPTH_MAX = 16 };

const char *arc_kind_name(enum arc_kind kind)
{
	static const char *const names[] = {
		[ARC_RESULTS] = "ARC-Authentication-Results",
		[ARC_MESSAGE] = "ARC-Message-Signature",
		[ARC_SEAL] = "ARC-Seal",
	};

	return names[kind];
}

const char *arc_cv_name(enum arc_cv cv)
{
	static const char *const names[] = {
		[ARC_CV_NONE] = "none",
		[ARC_CV_PASS] = "pass",
		[ARC_CV_FAIL] = "fail",
	};

	return names[cv];
}

bool arc_kind_of(struct str name, enum arc_kind *kind)
{
	for (int i = 0; i < ARC_KINDS; i++) {
		if (!str_same_nocase(name, str_c(arc_kind_name((enum arc_kind)i))))
			continue;
		*kind = (enum arc_kind)i;
		return true;
	}
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* How long the comment at the beginning is; 0 if it does not end. */
static size_t comment_len(struct str text)
{
	unsigned depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\\')
			i++;
		else if (c == '(' && ++depth > COMMENT_DEPTH_MAX)
			return 0;
		else if (c == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* [CFWS], RFC 5322 §3.2.2 */
static struct str skip_cfws(struct str text)
{
	while (text.len > 0) {
		size_t len =
			text.ptr[0] == '(' ? comment_len(text) : is_space(text.ptr[0]);

		if (len == 0)
			break;
		text = str_skip(text, len);
	}
	return text;
}

/* [CFWS] 1*2DIGIT [CFWS], to the end: 1 to 50 */
static bool read_position(struct str text, unsigned *instance)
{
	size_t digits = 0;
	uint64_t number;

	text = skip_cfws(text);
	while (digits < text.len && is_ascii_digit((unsigned char)text.ptr[digits]))
		digits++;
	if (digits > 2 || skip_cfws(str_skip(text, digits)).len > 0 ||
	    !num_parse(str_first(text, digits), ARC_INSTANCES_MAX, &number) ||
	    number == 0)
		return false;
	*instance = (unsigned)number;
	return true;
}

/* arc-info = instance [CFWS] ";" authres-payload; RFC 8617 §4.1.1 */
static const char *read_results(struct str value, struct arc_field *field)
{
	struct str rest = skip_cfws(value);

	if (rest.len == 0 || rest.ptr[0] != 'i')
		return "it does not begin with its instance";
	rest = skip_cfws(str_skip(rest, 1));
	if (rest.len == 0 || rest.ptr[0] != '=')
		return "it does not begin with its instance";
	rest = str_skip(rest, 1);
	if (str_find_byte(rest, ';') == rest.len ||
	    !read_position(str_cut(&rest, ';'), &field->instance))
		return "its instance is no number from 1 to 50";
	if (value.len > ARC_RESULTS_BYTES_MAX)
		return "it is too big";
	field->results = str_trim(rest);
	return NULL;
}

static bool read_cv(const struct tag_list *list, struct arc_field *field)
{
	const struct tag *cv = tag_list_find(list, "cv");

	for (int i = ARC_CV_NONE; cv && i <= ARC_CV_FAIL; i++) {
		if (!str_same_nocase(cv->value, str_c(arc_cv_name((enum arc_cv)i))))
			continue;
		field->cv = (enum arc_cv)i;
		field->has_cv = true;
	}
	return field->has_cv;
}

/* RFC 8617 §4.1.2: seals MUST NOT be covered; SIGNED_RESULTS */
static bool covers_seals(const struct dkim_signature *signature)
{
	for (size_t i = 0; i < signature->name_count; i++)
		if (str_same_nocase(signature->names[i], STR("ARC-Seal")))
			return true;
	return false;
}

static const char *read_tags(enum arc_kind kind, struct str value, struct arena *arena,
			     struct arc_field *field)
{
	struct tag_list list;
	enum dkim_flaw flaw = dkim_tags_flaw(tag_list_parse(value, &list));

	field->signature = (struct dkim_signature){.value = value};
	if (flaw != DKIM_FINE)
		return dkim_flaw_text(flaw);
	flaw = dkim_signature_read(kind == ARC_SEAL ? DKIM_FIELD_ARC_SEAL
						    : DKIM_FIELD_ARC_MESSAGE,
				   value, &list, arena, &field->signature);
	const struct tag *i = tag_list_find(&list, "i"); /* ANY_ORDER */
	bool has_cv = read_cv(&list, field);

	if (!i || !read_position(i->value, &field->instance))
		return "its instance is no number from 1 to 50";
	if (kind == ARC_SEAL && tag_list_find(&list, "h"))
		return "it names fields (h=), which a seal does not"; /* §4.1.3 */
	if (kind == ARC_SEAL && !has_cv)
		return "it does not say what the chain was (cv=)";
	if (flaw == DKIM_FINE && kind == ARC_MESSAGE && covers_seals(&field->signature))
		return "it covers seals, which none may";
	return flaw == DKIM_FINE ? NULL : dkim_flaw_text(flaw);
}

void arc_field_parse(enum arc_kind kind, struct str value, struct arena *arena,
		     struct arc_field *field)
{
	*field = (struct arc_field){.flaw = NULL};
	switch (kind) {
	case ARC_RESULTS:
		field->flaw = read_results(value, field);
		return;
	case ARC_MESSAGE:
	case ARC_SEAL:
		field->flaw = read_tags(kind, value, arena, field);
		return;
	}
}
