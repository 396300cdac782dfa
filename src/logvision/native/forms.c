/* Forms of paths (enrich/segments.py): every segment by its shape alone (enrich/shape.py). The kinds of bytes
 * and the known extensions are the tables of enrich/shape.py, made there. */
#include "core.h"

enum { DIGIT = 1, UPPER = 2, LOWER = 4, BEYOND_F = 8, DASH = 16, DOT = 32, AT = 64, FOREIGN = 512 };

enum { PATH_READ = 2048, WORD_READ = 64 };

enum { PAGE, STATIC, API };

typedef struct {
    const u16 *kinds;
    const u8 *extensions; /* as lv_extension reads them */
    const u8 *of_kind;    /* per index that lv_extension gives: PAGE, STATIC or API */
    i64 count;
} Tables;

static inline int digit(u8 byte) { return byte >= '0' && byte <= '9'; }

static inline u8 lower(u8 byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

static inline int letter(u8 byte) { return lower(byte) >= 'a' && lower(byte) <= 'z'; }

static inline int hex(u8 byte) { return digit(byte) || (lower(byte) >= 'a' && lower(byte) <= 'f'); }

/* The text begins with the literal, whatever its case if the literal is of small letters. */
static int begins(const u8 *at, const u8 *end, const char *literal) {
    for (; *literal; literal++, at++)
        if (at == end || lower(*at) != (u8)*literal) return 0;
    return 1;
}

/* The first eight bytes as a number that is in order with them. */
static inline u64 head(const u8 *at) { return __builtin_bswap64(lv_eight(at)); }

i64 lv_extension(const u8 *extensions, i64 count, const u8 *at, const u8 *end, const u8 **dot) {
    u8 name[LV_EXTENSION] = {0};
    const u8 *from = end;
    while (from > at && end - from <= LV_EXTENSION && from[-1] != '.') from--;
    size_t size = (size_t)(end - from);
    if (from == at || from[-1] != '.' || size == 0 || size > LV_EXTENSION || end[-1] == 0) return 0;
    *dot = from - 1;
    for (size_t n = 0; n < size; n++) name[n] = lower(from[n]);
    u64 first = head(name);
    i64 low = 0, high = count;
    while (low < high) {
        i64 middle = (low + high) / 2;
        const u8 *known = extensions + middle * LV_EXTENSION;
        int order = head(known) != first ? (head(known) < first ? -1 : 1) : memcmp(known + 8, name + 8, LV_EXTENSION - 8);
        if (order == 0) return middle + 1;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return 0;
}

/* The shapes, in the order in which they are tried; each takes a text that is not empty. */

static int is_integer(const u8 *at, const u8 *end) {
    if (*at == '-') at++;
    if (at == end) return 0;
    while (at < end && digit(*at)) at++;
    return at == end;
}

static int is_uuid(const u8 *at, const u8 *end) {
    if (*at == '{') at++;
    if (end - at < 36) return 0;
    for (int n = 0; n < 36; n++)
        if (n == 8 || n == 13 || n == 18 || n == 23 ? at[n] != '-' : !hex(at[n])) return 0;
    at += 36;
    if (at < end && *at == '}') at++;
    return at == end;
}

/* A dash and a number of two digits of at most that. */
static int dashed(const u8 *at, const u8 *end, int most) {
    if (end - at < 3 || (at[0] != '-' && at[0] != '_') || !digit(at[1]) || !digit(at[2])) return 0;
    int number = (at[1] - '0') * 10 + at[2] - '0';
    return number >= 1 && number <= most;
}

/* Nothing, or a time of day. */
static int is_time(const u8 *at, const u8 *end) {
    if (at == end) return 1;
    if (*at != 'T' && *at != '_' && *at != ' ') return 0;
    for (at++; at < end; at++)
        if (!digit(*at) && (*at == 0 || strchr(":.Z+-", *at) == NULL)) return 0;
    return 1;
}

static int is_date(const u8 *at, const u8 *end) {
    if (end - at < 7 || !(begins(at, end, "19") || begins(at, end, "20")) || !digit(at[2]) || !digit(at[3]) ||
        !dashed(at + 4, end, 12))
        return 0;
    return is_time(at + 7, end) || (dashed(at + 7, end, 31) && is_time(at + 10, end));
}

static int is_hex(const u8 *at, const u8 *end) {
    if (begins(at, end, "0x")) at += 2;
    if (end - at < 8) return 0;
    while (at < end && hex(*at)) at++;
    return at == end;
}

static int is_random(const u8 *at, const u8 *end) {
    const u8 *start = at;
    int dashes = 0;
    for (; at < end && (digit(*at) || letter(*at) || *at == '+' || *at == '-' || *at == '_'); at++)
        dashes += *at == '-' || *at == '_';
    if (dashes > 2 || (dashes == 0 && at - start < 16) || end - at > 2) return 0;
    while (at < end && *at == '=') at++;
    return at == end;
}

static int is_email(const u8 *at, const u8 *end) {
    const u8 *host = end, *last = NULL;
    while (host > at && (digit(host[-1]) || letter(host[-1]) || host[-1] == '.' || host[-1] == '-')) host--;
    if (host == at) return 0;
    const u8 *stop = host - 1;
    if (*stop == '%') {
        if (!begins(stop, end, "%40")) return 0;
        host = stop + 3;
    } else if (*stop != '@') {
        return 0;
    }
    int letters = 0;
    for (const u8 *byte = at; byte < stop; byte++) {
        if (*byte == '@') return 0;
        letters += (*byte & 0xc0) != 0x80;
    }
    if (letters < 1 || letters > 64) return 0;
    for (const u8 *byte = host; byte < end; byte++)
        if (*byte == '.') last = byte;
    if (last == NULL || last - host < 1 || last - host > 64 || end - last < 3 || end - last > 13) return 0;
    for (const u8 *byte = last + 1; byte < end; byte++)
        if (!letter(*byte)) return 0;
    return 1;
}

static int is_title(const u8 *at, const u8 *end) {
    const u8 *from = at;
    while (at < end && digit(*at)) at++;
    if (at - from < 3 || at == end || (*at != '-' && *at != '_')) return 0;
    for (at++; at < end && *at != '\n'; at++)
        if (letter(*at)) return 1;
    return 0;
}

enum { SLUG, INTEGER, UUID, DATE, HEXADECIMAL, RANDOM, EMAIL, TITLE };

static const char *const SHAPES[] = {"{slug}", "{int}",  "{uuid}",  "{date}",
                                     "{hex}",  "{hash}", "{email}", "{int}-{slug}"};

/* What kinds of bytes a stem has tells which shapes it cannot have. */
static int shape_of(const u8 *at, const u8 *end, int has) {
    if (!(has & (DIGIT | AT))) return has & DASH && is_uuid(at, end) ? UUID : SLUG;
    if (!(has & ~(DIGIT | DASH)) && is_integer(at, end)) return INTEGER;
    if (has & DASH && is_uuid(at, end)) return UUID;
    if (has & DASH && is_date(at, end)) return DATE;
    if (has & DIGIT && is_hex(at, end)) return HEXADECIMAL;
    int mixed = DIGIT | UPPER | LOWER;
    if ((has & mixed) == mixed && !(has & (DOT | AT | FOREIGN)) && end - at >= (has & DASH ? 22 : 16) &&
        is_random(at, end))
        return RANDOM;
    if (has & AT && has & DOT && is_email(at, end)) return EMAIL;
    if (has & DASH && is_title(at, end)) return TITLE;
    return SLUG;
}

/* A placeholder as it is written in routes. */
static int is_placeholder(const u8 *at, const u8 *end) {
    static const char *const NAMES[] = {"{int}",  "{uuid}",  "{date}", "{hex}",  "{hash}",
                                        "{email}", "{slug}", "{rest}", "{other}"};
    size_t size = 0, left = (size_t)(end - at);
    for (size_t n = 0; n < sizeof NAMES / sizeof *NAMES && !size; n++)
        if (left >= strlen(NAMES[n]) && !memcmp(at, NAMES[n], strlen(NAMES[n]))) size = strlen(NAMES[n]);
    if (!size) return 0;
    at += size;
    if (end - at >= 7 && !memcmp(at, "-{slug}", 7)) at += 7;
    if (at == end) return 1;
    if (*at != '.' || end - at < 2 || end - at > 1 + LV_EXTENSION) return 0;
    for (at++; at < end; at++)
        if (!digit(*at) && !(*at >= 'a' && *at <= 'z')) return 0;
    return 1;
}

/* A word of a route; one that had a fingerprint in its name says `{hex}` there. */
static int is_word(const Tables *tables, const u8 *at, const u8 *end) {
    if (end - at > WORD_READ) return 0;
    const u8 *from = at;
    while (at < end && !(tables->kinds[*at] & FOREIGN)) at++;
    if (at == end) return 1;
    if (at == from || end - at < 5 || memcmp(at, "{hex}", 5)) return 0;
    at += 5;
    if (at == end) return 1;
    if (*at != '.' || end - at < 2 || end - at > 1 + LV_EXTENSION) return 0;
    for (at++; at < end; at++)
        if (!digit(*at) && !letter(*at)) return 0;
    return 1;
}

/* Where a build's fingerprint begins at the end of a stem, with the dot or dash before it; NULL: none. */
static const u8 *fingerprint(const u8 *at, const u8 *end) {
    const u8 *from = end;
    int digits = 0;
    while (from > at && end - from <= 40 && hex(from[-1])) digits |= digit(*--from);
    i64 size = end - from;
    int usual = size == 8 || size == 12 || size == 16 || size == 20 || size == 32 || size == 40;
    return usual && digits && from > at && (from[-1] == '.' || from[-1] == '-') ? from - 1 : NULL;
}

/* What kinds of bytes a text has. */
static int kinds_of(const Tables *tables, const u8 *at, const u8 *end) {
    int has = 0;
    for (; at < end; at++) has |= tables->kinds[*at];
    return has;
}

/* What a segment is in a route, at most 7 bytes longer than it. Returns where that ends. */
static u8 *token(const Tables *tables, const u8 *at, const u8 *end, u8 *out) {
    const u8 *stem = end, *name = tables->extensions;
    size_t size = 0;
    int has = kinds_of(tables, at, end), foreign = has & FOREIGN;
    i64 known = 0;
    if (has & DOT && *at != '.') known = lv_extension(tables->extensions, tables->count, at, end, &stem);
    if (known) {
        size = (size_t)(end - stem);
        name += (known - 1) * LV_EXTENSION;
        has = kinds_of(tables, at, stem);
    } else {
        stem = end;
    }
    if (*at == '{' && is_placeholder(at, end)) return lv_copied(out, at, (size_t)(end - at));
    int shape = shape_of(at, stem, has);
    const u8 *mark = shape == SLUG && has & DIGIT ? fingerprint(at, stem) : NULL;
    if (mark != NULL && mark - at + 6 + (i64)size <= WORD_READ) {
        u8 text[WORD_READ], *stop = lv_copied(lv_copied(text, at, (size_t)(mark - at)), ".{hex}", 6);
        if (size) {
            *stop++ = '.';
            stop = lv_copied(stop, name, size - 1);
        }
        /* It ends in a brace, so this goes one deep. */
        if (is_word(tables, text, stop)) return token(tables, text, stop, out);
    } else if (mark == NULL && shape == SLUG && (foreign ? is_word(tables, at, end) : end - at <= WORD_READ)) {
        return lv_copied(out, at, (size_t)(end - at));
    }
    out = lv_copied(out, SHAPES[shape], strlen(SHAPES[shape]));
    if (size) {
        *out++ = '.';
        out = lv_copied(out, name, size - 1);
    }
    return out;
}

/* Does what follows a slash begin with a word that marks a call of a program. */
static int heads_api(const u8 *at, const u8 *end) {
    static const char *const WORDS[] = {"api",    "apis",    "rest",  "graphql", "rpc",   "jsonrpc",
                                        "xmlrpc", "wp-json", "odata", "oauth",   "oauth2"};
    const u8 *stop = at;
    while (stop < end && *stop != '/' && *stop != '.') stop++;
    size_t size = (size_t)(stop - at);
    if ((size == 2 || size == 3) && lower(*at) == 'v' && digit(at[1]) && digit(at[size - 1])) return 1;
    for (size_t n = 0; n < sizeof WORDS / sizeof *WORDS; n++)
        if (size == strlen(WORDS[n]) && begins(at, stop, WORDS[n])) return 1;
    return 0;
}

static u8 kind(const Tables *tables, const u8 *at, const u8 *end) {
    const u8 *dot = end;
    u8 by_end = tables->of_kind[lv_extension(tables->extensions, tables->count, at, end, &dot)];
    if (by_end != PAGE) return by_end;
    if (end - at >= 11 && begins(end - 11, end, "/xmlrpc.php")) return API;
    if (at == end || *at != '/') return PAGE;
    if (heads_api(++at, end)) return API;
    const u8 *second = at;
    while (second < end && *second != '/') second++;
    return second > at && second < end && heads_api(second + 1, end) ? API : PAGE;
}

/* Where the part of a path ends that is read. */
static const u8 *read_of(const u8 *at, const u8 *end) {
    if (end - at <= PATH_READ) return end;
    for (int characters = 0; at < end; at++)
        if ((*at & 0xc0) != 0x80 && characters++ == PATH_READ) break;
    return at;
}

static u8 *form(const Tables *tables, const u8 *at, const u8 *end, u8 *out) {
    const u8 *host = at;
    if (begins(at, end, "http://")) host = at + 7;
    else if (begins(at, end, "https://")) host = at + 8;
    if (host > at || (at < end && *at == ';'))
        for (at = host; at < end && *at != '/';) at++;
    if (at == end || *at != '/') return out;
    u8 *last = out; /* the last token, with the slash before it */
    int count = 0, slash = 0;
    while (at < end) {
        const u8 *from = ++at, *stop;
        while (at < end && *at != '/' && *at != ';') at++;
        stop = at;
        while (at < end && *at != '/') at++;
        slash = from == stop;
        if (slash) continue;
        if (count++ < LV_DEPTH) {
            last = out;
            *out++ = '/';
            out = token(tables, from, stop, out);
        }
    }
    if (count > LV_DEPTH && (out - last < 7 || memcmp(out - 6, "{rest}", 6))) out = lv_copied(out, "/{rest}", 7);
    if (slash) *out++ = '/';
    return out;
}

/* The form of every path, empty for what is no path, and its kind. `out` has room for 80 bytes a path more
 * than the paths have. */
LV_API void lv_forms(const u8 *data, const i32 *offsets, i64 rows, const u16 *kinds, const u8 *extensions,
                     const u8 *of_kind, i64 count, u8 *out, i64 *ends, i32 *kind_of) {
    Tables tables = {kinds, extensions, of_kind, count};
    u8 *at = out;
    for (i64 row = 0; row < rows; row++) {
        const u8 *path = data + offsets[row], *end = read_of(path, data + offsets[row + 1]);
        kind_of[row] = kind(&tables, path, end);
        at = form(&tables, path, end, at);
        ends[row] = at - out;
    }
}
