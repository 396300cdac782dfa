/* SQL to one letter a token: `tokens` of detect/verify/sql_tokens.py, byte for byte; that file says why each rule
 * is there. Texts are one byte a character (Latin-1). */
#include "core.h"

enum { DIGIT = 1, ALPHA = 2, WORD = 4, NAMING = 8, CLASSES = 256 };    /* classes of bytes, by table */
enum { TELLING = 1, FUNCTION = 2, DELAY = 4, SHAPE = 8, CALLED = 16 }; /* what a known word is besides */
enum { LONGEST = 29 };

/* A known word, lower case; the table is sorted. letter 0: no word of the grammar. */
typedef struct {
    u8 size, text[LONGEST], letter, marks;
} Known;

_Static_assert(sizeof(Known) == 32, "as detect/verify/sql_tokens.py has it");

typedef struct {
    const u8 *text;
    i64 size;
    const u8 *classes;
    const Known *known;
    i64 words;
} Sql;

static inline int is(const Sql *sql, i64 at, u8 class) {
    return at < sql->size && (sql->classes[sql->text[at]] & class) != 0;
}

static inline u8 lower(u8 byte) { return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte; }

static inline int begins(const Sql *sql, i64 at, const char *with) {
    size_t size = strlen(with);
    return sql->size - at >= (i64)size && memcmp(sql->text + at, with, size) == 0;
}

static int one_of(u8 byte, const char *bytes) { return byte != 0 && strchr(bytes, byte) != NULL; }

static i64 find(const Sql *sql, i64 at, u8 byte) {
    const u8 *found = at < sql->size ? memchr(sql->text + at, byte, (size_t)(sql->size - at)) : NULL;
    return found == NULL ? -1 : found - sql->text;
}

static i64 string_end(const Sql *sql, i64 at, u8 quote) {
    for (;;) {
        i64 end = find(sql, at, quote), slashes = 0;
        if (end < 0) return sql->size;
        while (end - slashes - 1 >= at && sql->text[end - slashes - 1] == '\\') slashes++;
        if (slashes % 2 == 0) return end + 1;
        at = end + 1;
    }
}

static i64 after(const Sql *sql, const u8 *mark, i64 size) {
    for (i64 at = 0; at + size <= sql->size; at++)
        if (memcmp(sql->text + at, mark, (size_t)size) == 0) return at + size;
    return sql->size;
}

static int hexadecimal(u8 byte) {
    return (byte >= '0' && byte <= '9') || (lower(byte) >= 'a' && lower(byte) <= 'f');
}

static i64 number_end(const Sql *sql, i64 at) {
    const u8 *text = sql->text;
    if (at + 1 < sql->size && text[at] == '0' && lower(text[at + 1]) == 'x') {
        at += 2;
        while (at < sql->size && hexadecimal(text[at])) at++;
        return at;
    }
    while (at < sql->size && (is(sql, at, DIGIT) || text[at] == '.')) at++;
    if (at + 1 < sql->size && lower(text[at]) == 'e' && (is(sql, at + 1, DIGIT) || one_of(text[at + 1], "+-."))) {
        at += 2;
        while (is(sql, at, DIGIT)) at++;
    }
    return at;
}

static i64 word_end(const Sql *sql, i64 at) {
    while (is(sql, at, WORD)) at++;
    return at;
}

/* Whether text[at:end] begins so, in any case; how many bytes that are. */
static i64 prefix(const Sql *sql, i64 at, i64 end, const char *word) {
    i64 size = (i64)strlen(word);
    if (end - at < size) return 0;
    for (i64 i = 0; i < size; i++)
        if (lower(sql->text[at + i]) != (u8)word[i]) return 0;
    return size;
}

/* One digit or more and nothing else. */
static int digits(const Sql *sql, i64 at, i64 end) {
    if (at >= end) return 0;
    while (at < end && sql->text[at] >= '0' && sql->text[at] <= '9') at++;
    return at == end;
}

static int glued(const Sql *sql, i64 at, i64 end) {
    static const char *const words[] = {"union", "or", "and", "xor", "having", "order", "group", "limit", "procedure"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        i64 size = prefix(sql, at, end, words[i]), from = at + size;
        if (!size) continue;
        if (from == end || digits(sql, from, end)) return 1;
        if (end - from == prefix(sql, from, end, "select") || end - from == prefix(sql, from, end, "all")) return 1;
    }
    return 0;
}

static const Known *known(const Sql *sql, i64 at, i64 end) {
    u8 word[LONGEST];
    i64 size = end - at, low = 0, high = sql->words;
    if (size > LONGEST) return NULL;
    for (i64 i = 0; i < size; i++) word[i] = lower(sql->text[at + i]);
    while (low < high) {
        const Known *middle = &sql->known[(low + high) / 2];
        i64 least = size < middle->size ? size : middle->size;
        int order = memcmp(word, middle->text, (size_t)least);
        if (order == 0 && size == middle->size) return middle;
        if (order < 0 || (order == 0 && size < middle->size))
            high = (low + high) / 2;
        else
            low = (low + high) / 2 + 1;
    }
    return NULL;
}

static int computed(const Sql *sql, i64 at, i64 end) {
    static const char *const words[] = {"sel", "if(",  "case", "ascii", "length", "len(",    "cast",
                                        "0x",  "true", "rand", "char",  "ord(",   "coalesce"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (prefix(sql, at, end, words[i])) return 1;
    return 0;
}

/* The letter of the word text[at:end]; 2: `&1`. `last`: the token before, 0: none. */
static u8 letter(const Sql *sql, i64 at, i64 end, u8 last) {
    if (last == '.') return 'b';
    i64 open = end;
    while (open < sql->size && one_of(sql->text[open], " \t\r\n\v")) open++;
    int called = open < sql->size && sql->text[open] == '(';
    const Known *word = known(sql, at, end);
    u8 marks = word == NULL ? 0 : word->marks;
    if (called && marks & TELLING) {
        i64 inner = open + 1, stop = open + 12 < sql->size ? open + 12 : sql->size;
        while (inner < stop && (sql->text[inner] == ' ' || sql->text[inner] == '(')) inner++;
        int alpha = inner < stop && is(sql, inner, ALPHA), plain = alpha && !computed(sql, inner, stop);
        int number = inner < stop && (is(sql, inner, DIGIT) || sql->text[inner] == '-');
        if (marks & SHAPE && (number || plain)) return 'g';
        if (marks & DELAY && plain) return 'g';
        return 'T';
    }
    u8 found = word == NULL ? 0 : word->letter;
    if (!found) {
        i64 joint = prefix(sql, at, end, "or");
        if (!joint) joint = prefix(sql, at, end, "and");
        if (joint && digits(sql, at + joint, end)) return 2;
    }
    if (found && !(called && marks & CALLED)) return found;
    if (called) return marks & FUNCTION ? 'f' : 'g';
    if (end - at == 1 && one_of(lower(sql->text[at]), "xnbq") && end < sql->size && sql->text[end] == '\'') return '+';
    return 'b';
}

static int plain_word(u8 byte) {
    return (lower(byte) >= 'a' && lower(byte) <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

/* What may follow the name in an escape: a blank, a parenthesis, a quote, `@` or a digit. */
static int behind(u8 byte) { return one_of(byte, "\t\n\f\r ('\"@0123456789"); }

/* Bytes of an ODBC escape at `{`, with the one behind its name; 0: none. */
static i64 escape(const Sql *sql, i64 at) {
    i64 stop = at + 40 < sql->size ? at + 40 : sql->size, name = at + 1;
    while (name < stop && one_of(sql->text[name], "\t\n\f\r ")) name++;
    if (name >= stop || !(sql->text[name] == '`' || (plain_word(sql->text[name]) && !is(sql, name, DIGIT)))) return 0;
    i64 end = name + 1;
    while (end < stop && end - name - 1 < 20 && plain_word(sql->text[end])) end++;
    for (; end > name; end--) {
        if (end >= stop) continue;
        if (sql->text[end] == '`' && end + 1 < stop && behind(sql->text[end + 1])) return end + 2 - at;
        if (behind(sql->text[end])) return end + 1 - at;
    }
    return 0;
}

/* `out` has room for 2 * `most` + 1 letters. Returns how many there are. */
LV_API i64 lv_sql(const u8 *text, i64 size, const u8 *quote, i64 quote_size, const u8 *tables, i64 words, i64 most,
                  u8 *out) {
    Sql whole = {text, size, tables, (const Known *)(tables + CLASSES), words}, *sql = &whole;
    i64 at = 0, made = 0, count = 0;
    u8 last = 0;
    if (quote_size) {
        at = quote_size == 1 ? string_end(sql, 0, quote[0]) : after(sql, quote, quote_size);
        out[made++] = last = 's';
        count++;
    }
    while (at < size && count < most) {
        u8 byte = text[at], token = 0;
        if (byte <= ' ' || byte == 0xA0) {
            at++;
            continue;
        }
        if (byte == '\'' || byte == '"') {
            at = string_end(sql, at + 1, byte);
            token = 's';
        } else if (byte == '`') {
            i64 end = find(sql, at + 1, '`');
            at = end < 0 ? size : end + 1;
            token = 'b';
        } else if (begins(sql, at, "->") || begins(sql, at, "#>")) {
            at += begins(sql, at + 2, ">") ? 3 : 2;
            token = '=';
        } else if (byte == '#' || begins(sql, at, "--") || begins(sql, at, "/*")) {
            i64 end = find(sql, at, '\n');
            if (byte == '#' && last == 'b' && is(sql, at + 1, NAMING)) {
                token = '+';
                at++;
            } else if (end >= 0 && end < size - 1 && byte != '/') {
                at = end + 1;
                continue;
            } else {
                token = 'c';
                at = size;
            }
        } else if (is(sql, at, DIGIT) || (byte == '.' && is(sql, at + 1, DIGIT))) {
            at = number_end(sql, at);
            token = '1';
            if (at < size && text[at] < 0x80 && (is(sql, at, ALPHA) || text[at] == '_')) {
                i64 end = word_end(sql, at);
                if (!glued(sql, at, end)) {
                    at = end;
                    token = 'b';
                }
            }
        } else if (is(sql, at, ALPHA) || byte == '_' || byte == '$' || byte >= 0x80) {
            i64 end = word_end(sql, at);
            token = letter(sql, at, end, last);
            at = end;
            if (token == 2) {
                out[made++] = '&';
                token = '1';
                last = 0; /* the two are one token, which no rule asks for */
                out[made++] = token;
                count++;
                continue;
            }
        } else if (begins(sql, at, "@>") || begins(sql, at, "<@") || begins(sql, at, "@@ ") ||
                   begins(sql, at, "@?") || begins(sql, at, "?|") || begins(sql, at, "?&")) {
            at += 2;
            token = '=';
        } else if (begins(sql, at, "::")) {
            at = word_end(sql, at + 2);
            continue;
        } else if (byte == '@') {
            i64 end = word_end(sql, at + 1 + begins(sql, at + 1, "@"));
            token = end > at + 1 ? 'v' : '?';
            at = end;
        } else if (begins(sql, at, "&&") || begins(sql, at, "||")) {
            at += 2;
            token = '&';
        } else if (one_of(byte, "=<>!")) {
            i64 end = at;
            while (end < size && one_of(text[end], "=<>!")) end++;
            token = end == at + 1 && byte == '!' ? '!' : '=';
            at = end;
        } else if (one_of(byte, "+-*/%^|&~")) {
            at++;
            if (last == '+') continue;
            token = '+';
        } else if (one_of(byte, "(),;.")) {
            token = byte;
            at++;
        } else {
            i64 taken = byte == '{' ? escape(sql, at) : 0;
            token = taken ? '(' : byte == '}' ? ')' : '?';
            at += taken ? taken - 1 : 1;
        }
        out[made++] = last = token;
        count++;
    }
    return made;
}
