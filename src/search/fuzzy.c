#include "search/fuzzy.h"

#include "base/utf8.h"

/* What a term is worth to a word that is looked for: these are what people see as the
 * order of what was found. */
enum {
	WORTH_SAME = 100,
	WORTH_FRONT = 30, /* "INVOI" of "INVOICE": and for how much of it it is, */
	WORTH_FRONT_SHARE = 60,
	WORTH_INSIDE = 5, /* "VOICE" likewise, */
	WORTH_INSIDE_SHARE = 30,
	WORTH_UNSPACED = 90, /* but where there are no spaces, it is a word. */
	WORTH_TYPED = 80,    /* less for each typing error, */
	WORTH_ERROR = 20,
	WORTH_FIRST_LETTER = 10, /* and if it begins with another letter */
};

enum {
	ONE_EDIT_FROM = 4, /* letters */
	TWO_EDITS_FROM = 8,
	LETTER_BYTES_MAX = 4,
	UNSPACED_FROM = 0x0e00,
};

/* What a word is worth in each class. */
static const uint8_t percents[SEARCH_CLASSES] = {
	[SEARCH_SUBJECT] = 100, [SEARCH_FROM] = 90,   [SEARCH_TO] = 80,
	[SEARCH_CC] = 75,       [SEARCH_FIELDS] = 40, [SEARCH_BODY] = 60,
};

struct codes {
	uint32_t first, last;
};

/* Marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters, and what is not seen. */
static const struct codes marks[] = {
	{0xad, 0xad},     {0x300, 0x36f},   {0x591, 0x5bd}, {0x5bf, 0x5bf},
	{0x5c1, 0x5c2},   {0x5c4, 0x5c5},   {0x5c7, 0x5c7}, {0x610, 0x61a},
	{0x640, 0x640},   {0x64b, 0x65f},   {0x670, 0x670}, {0x200c, 0x200d},
	{0x2060, 0x2060}, {0xfeff, 0xfeff},
};

/* Signs that are no letters: terms have all octets beyond ASCII in them. */
static const struct codes gaps[] = {
	{0x80, 0xac},     {0xae, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},
	{0x5be, 0x5be},   {0x60c, 0x60c},   {0x61b, 0x61b},   {0x61f, 0x61f},
	{0x2000, 0x200b}, {0x200e, 0x205f}, {0x2061, 0x2bff}, {0x3000, 0x3004},
	{0x3008, 0x303f}, {0xfffd, 0xfffd},
};

/* Scripts without spaces: Thai and its neighbours, and those of China and Japan. */
static const struct codes unspaced[] = {
	{UNSPACED_FROM, 0x0eff}, {0x1000, 0x109f}, {0x1780, 0x17ff},   {0x3005, 0x3007},
	{0x3040, 0x30ff},        {0x3400, 0x9fff}, {0x20000, 0x3ffff},
};

/* Letters that Unicode does not take apart, as they are written where they are missing;
 * never with more octets. */
static const struct {
	uint32_t code;
	struct str plain;
} plains[] = {
	{0xc6, STR("AE")}, {0xd0, STR("D")},   {0xd8, STR("O")},
	{0xde, STR("TH")}, {0xdf, STR("SS")},  {0x110, STR("D")},
	{0x141, STR("L")}, {0x152, STR("OE")}, {0x1e9e, STR("SS")},
};

static bool is_among(const struct codes *list, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count && code >= list[i].first; i++) {
		if (code <= list[i].last)
			return true;
	}
	return false;
}

static bool is_gap(uint32_t code)
{
	return code < 0x80 ? !term_has((unsigned char)code)
			   : is_among(gaps, COUNT_OF(gaps), code);
}

/* Takes the next word off the front of what may have gaps beyond ASCII. */
static bool word_next(struct str *text, struct str *word)
{
	struct str rest = *text;
	uint32_t code = ' ';

	*word = STR("");
	while (rest.len > 0 && is_gap(code)) {
		*text = rest;
		(void)utf8_take(&rest, &code); /* the rest of a letter is a gap */
	}
	if (is_gap(code))
		return false;
	word->ptr = text->ptr;
	while (rest.len > 0 && !is_gap(code)) {
		*text = rest;
		(void)utf8_take(&rest, &code);
	}
	if (!is_gap(code))
		*text = rest;
	word->len = (size_t)(text->ptr - word->ptr);
	return true;
}

/* The word without marks; it becomes no longer. */
static struct str fold(struct str word, char *to)
{
	struct str rest = word;
	size_t len = 0;
	uint32_t code;

	while (rest.len > 0) {
		struct str letter = rest;

		(void)utf8_take(&rest, &code); /* there are no gaps in it */
		letter.len -= rest.len;
		if (is_among(marks, COUNT_OF(marks), code))
			continue;
		for (size_t i = 0; i < COUNT_OF(plains) && code >= 0x80; i++) {
			if (plains[i].code == code)
				letter = plains[i].plain;
		}
		memcpy(to + len, letter.ptr, letter.len);
		len += letter.len;
	}
	return (struct str){to, len};
}

static uint32_t letters_of(struct str word)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < word.len; i++)
		letters |= 1u << (word.ptr[i] & 31);
	return letters;
}

/* Its letters, of which there are as many as octets at most. */
static size_t spell(struct str word, uint32_t *letters)
{
	size_t count = 0;

	while (word.len > 0)
		(void)utf8_take(&word, &letters[count++]);
	return count;
}

/* ---- what is looked for ------------------------------------------------------------ */

static bool has_word(const struct fuzzy *fuzzy, struct str word)
{
	for (size_t i = 0; i < fuzzy->count; i++) {
		const struct fuzzy_word *other = &fuzzy->words[i];

		if (str_same((struct str){other->bytes, other->len}, word))
			return true;
	}
	return false;
}

/* Of numbers, which are other numbers when they are not the same, and where a letter is a
 * word, no errors are forgiven. */
static unsigned edits_for(const struct fuzzy_word *word)
{
	for (size_t i = 0; i < word->len; i++) {
		if (is_ascii_digit((unsigned char)word->bytes[i]))
			return 0;
	}
	if (word->is_unspaced || word->letters_count < ONE_EDIT_FROM)
		return 0;
	return word->letters_count < TWO_EDITS_FROM ? 1 : 2;
}

static size_t longest_letter(struct str word)
{
	size_t most = 0;
	uint32_t code;

	while (word.len > 0) {
		size_t before = word.len;

		(void)utf8_take(&word, &code);
		most = before - word.len > most ? before - word.len : most;
	}
	return most;
}

static void add_word(struct fuzzy *fuzzy, struct str raw)
{
	struct fuzzy_word *word = &fuzzy->words[fuzzy->count];
	uint32_t letters[TERM_PART_MAX];
	struct str text = fold(utf8_first(raw, TERM_PART_MAX), word->bytes);

	if (text.len == 0 || has_word(fuzzy, text))
		return;
	word->len = (uint8_t)text.len;
	word->letters_count = (uint8_t)spell(text, letters);
	word->is_unspaced = is_among(unspaced, COUNT_OF(unspaced), letters[0]);
	word->letters = letters_of(text);
	word->weight = 1;
	word->edits_max = (uint8_t)edits_for(word);
	word->missing_max = (uint8_t)(word->edits_max * longest_letter(text));
	fuzzy->count++;
}

void fuzzy_make(struct fuzzy *fuzzy, struct str mapped, unsigned classes)
{
	struct str rest = utf8_first(mapped, FUZZY_TEXT_MAX), word;
	unsigned most = 1;

	*fuzzy = (struct fuzzy){0};
	for (unsigned class = 0; class < SEARCH_CLASSES; class ++) {
		if ((classes & 1u << class) && percents[class] > most)
			most = percents[class];
	}
	for (unsigned class = 0; class < SEARCH_CLASSES; class ++) {
		if (classes & 1u << class)
			fuzzy->percent[class] = (uint8_t)(percents[class] * 100 / most);
	}
	while (fuzzy->count < FUZZY_WORDS_MAX && word_next(&rest, &word))
		add_word(fuzzy, word);
}

void fuzzy_weigh(struct fuzzy_word *word, uint64_t having, uint64_t all)
{
	word->weight = 1;
	while (word->weight < FUZZY_WEIGHT_MAX && having <= all / 2) {
		word->weight++;
		all /= 2;
	}
}

/* ---- what is found ----------------------------------------------------------------- */

/* Letters put in, left out, exchanged for others, or for their neighbours: the fewest of
 * them that make one word of the other; more than max if they are more.  Only places that
 * so many can lead to are looked at: of each row of the table a few. */
static unsigned edits_between(const uint32_t *a, size_t a_len, const uint32_t *b,
			      size_t b_len, unsigned max)
{
	uint8_t rows[3][TERM_BYTES_MAX + 2];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		uint8_t *row = rows[i % 3];
		const uint8_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		size_t first = i > max ? i - max : 1;
		size_t last = i + max < b_len ? i + max : b_len;
		unsigned least = row[first - 1] = (uint8_t)(first == 1 ? i : max + 1);

		for (size_t j = first; j <= last; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0);

			best = above[j] + 1u < best ? above[j] + 1u : best;
			best = row[j - 1] + 1u < best ? row[j - 1] + 1u : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && two_above[j - 2] + 1u < best)
				best = two_above[j - 2] + 1u;
			row[j] = (uint8_t)best;
			least = best < least ? best : least;
		}
		row[last + 1] = (uint8_t)(max + 1);
		if (least > max)
			return max + 1;
	}
	return rows[a_len % 3][b_len];
}

static unsigned worth_of_typed(const struct fuzzy_word *word, struct str term)
{
	uint32_t wanted[TERM_PART_MAX], there[TERM_BYTES_MAX];
	unsigned max = word->edits_max;

	if (term.len + (size_t)max < word->letters_count ||
	    term.len > ((size_t)word->len + max) * LETTER_BYTES_MAX)
		return 0;
	size_t len = spell((struct str){word->bytes, word->len}, wanted);
	size_t count = spell(term, there);

	if (count + max < len || count > len + max)
		return 0;
	unsigned edits = edits_between(wanted, len, there, count, max);

	if (edits > max)
		return 0;
	return WORTH_TYPED - WORTH_ERROR * edits -
	       (wanted[0] != there[0] ? WORTH_FIRST_LETTER : 0);
}

static unsigned worth_where_it_is(const struct fuzzy_word *word, size_t term_len,
				  size_t at)
{
	if (word->len == term_len)
		return WORTH_SAME;
	if (word->is_unspaced)
		return WORTH_UNSPACED;
	if (at == 0)
		return WORTH_FRONT + (unsigned)(WORTH_FRONT_SHARE * word->len / term_len);
	return WORTH_INSIDE + (unsigned)(WORTH_INSIDE_SHARE * word->len / term_len);
}

/* False if too many of its letters are missing for it to fit. */
static inline bool may_fit(const struct fuzzy_word *word, uint32_t letters)
{
	uint32_t missing = word->letters & ~letters;

	for (unsigned i = word->missing_max; i > 0 && missing != 0; i--)
		missing &= missing - 1;
	return missing == 0;
}

/* What a word of a text is worth to one that is looked for. */
static unsigned worth_of(const struct fuzzy_word *word, struct str term, uint32_t letters)
{
	unsigned worth = 0;

	if (!may_fit(word, letters))
		return 0;
	if ((word->letters & ~letters) == 0) {
		struct str wanted = {word->bytes, word->len};
		size_t at = str_find(term, wanted);

		if (at < term.len)
			worth = worth_where_it_is(word, term.len, at);
	}
	if (word->edits_max == 0 || worth >= WORTH_TYPED - WORTH_ERROR)
		return worth;
	unsigned typed = worth_of_typed(word, term);

	return typed > worth ? typed : worth;
}

static bool raise_fit(const struct fuzzy *fuzzy, enum search_class class, struct str term,
		      struct fuzzy_fit *fit)
{
	uint32_t letters = letters_of(term);
	bool fits = false;

	for (size_t i = 0; i < fuzzy->count; i++) {
		unsigned worth = worth_of(&fuzzy->words[i], term, letters);

		if (worth == 0)
			continue;
		worth = worth * fuzzy->percent[class] / 100;
		worth = worth > 0 ? worth : 1;
		if (worth > fit->words[i])
			fit->words[i] = (uint8_t)worth;
		fits = true;
	}
	return fits;
}

bool fuzzy_term(const struct fuzzy *fuzzy, enum search_class class, struct str term,
		struct fuzzy_fit *fit)
{
	char room[TERM_BYTES_MAX];
	bool fits = false;
	struct str word;

	if (fuzzy->percent[class] == 0)
		return false;
	term = str_first(term, TERM_BYTES_MAX);
	if (utf8_ascii_len(term) == term.len)
		return raise_fit(fuzzy, class, term, fit);
	while (word_next(&term, &word))
		fits |= raise_fit(fuzzy, class, fold(word, room), fit);
	return fits;
}

static bool may_any_fit(const struct fuzzy *fuzzy, uint32_t letters)
{
	for (size_t i = 0; i < fuzzy->count; i++) {
		if (may_fit(&fuzzy->words[i], letters))
			return true;
	}
	return false;
}

/* Takes the first word of a list; *letters has at least those of it. */
static inline struct str take_word(struct str *list, uint32_t *letters)
{
	struct str rest = *list;
	unsigned char all = 0;
	size_t len = 0;

	*letters = 0;
	for (; len < rest.len && rest.ptr[len] != '\0'; len++) {
		unsigned char octet = (unsigned char)rest.ptr[len];

		*letters |= 1u << (octet & 31);
		all |= octet;
	}
	if (all >= 0x80) /* what fold() may put in */
		*letters |= letters_of(STR("ADEHLOST"));
	*list = str_skip(rest, len + 1);
	return str_first(rest, len);
}

/* This is what a run over an index consists of. */
bool fuzzy_next(const struct fuzzy *fuzzy, enum search_class class, struct str *list,
		struct str *term, struct fuzzy_fit *fit)
{
	uint32_t letters;

	while (list->len > 0) {
		*term = take_word(list, &letters);
		if (!may_any_fit(fuzzy, letters))
			continue;
		*fit = (struct fuzzy_fit){0};
		if (fuzzy_term(fuzzy, class, *term, fit))
			return true;
	}
	return false;
}

void fuzzy_text(const struct fuzzy *fuzzy, enum search_class class, struct str mapped,
		struct fuzzy_fit *fit)
{
	struct str term;

	while (term_take(&mapped, &term))
		(void)fuzzy_term(fuzzy, class, term, fit);
}

unsigned fuzzy_score(const struct fuzzy *fuzzy, const struct fuzzy_fit *fit)
{
	unsigned sum = 0, weights = 0;

	for (size_t i = 0; i < fuzzy->count; i++) {
		if (fit->words[i] == 0)
			return 0;
		sum += fit->words[i] * fuzzy->words[i].weight;
		weights += fuzzy->words[i].weight;
	}
	if (weights == 0)
		return 0;
	return sum >= weights ? sum / weights : 1;
}
