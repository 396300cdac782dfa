/* The parts of addresses (detect/split.py): path, names and values of the ordinary ones, and of addresses inside
 * them. What takes more than cutting and decoding is left to the exact path: steps in a path, entities, names
 * that repeat, pairs behind semicolons, JSON and base64. */
#include "core.h"

enum { PATH, NAME, VALUE, ADDRESS, KINDS };
enum { ADDRESSES = 16 }; /* inside one, of one level */

/* The parts of one kind, over all addresses. */
typedef struct {
    u8 *texts;
    i32 *offsets; /* one more than parts */
    i64 *owners;
    i64 count;
} Found;

typedef struct {
    const u8 *from, *to;
} Text;

static inline i32 used(const Found *found) { return found->offsets[found->count]; }

/* Add the canonical form of a text. */
static Text add(Found *found, i64 owner, const u8 *from, const u8 *to, int query) {
    u8 *out = found->texts + used(found);
    size_t size = lv_decoded(from, (size_t)(to - from), query, out);
    found->owners[found->count++] = owner;
    found->offsets[found->count] = (i32)(out + size - found->texts);
    return (Text){out, out + size};
}

static const u8 *first(const u8 *from, const u8 *to, u8 byte) {
    const u8 *found = from < to ? memchr(from, byte, (size_t)(to - from)) : NULL;
    return found == NULL ? to : found;
}

static inline int letter(u8 byte) { return (byte | 32) >= 'a' && (byte | 32) <= 'z'; }

static inline int digit(u8 byte) { return byte >= '0' && byte <= '9'; }

/* What follows `scheme:`; `from` if it does not begin so. */
static const u8 *after_scheme(const u8 *from, const u8 *to) {
    const u8 *at = from;
    if (at >= to || !letter(*at)) return from;
    while (at < to && at - from < 14 && (letter(*at) || digit(*at) || *at == '+' || *at == '.' || *at == '-')) at++;
    return at - from >= 2 && at - from <= 13 && at < to && *at == ':' ? at + 1 : from;
}

/* Where the path begins; NULL: the host is not ASCII. */
static const u8 *after_host(const u8 *from, const u8 *to) {
    const u8 *at = after_scheme(from, to);
    if (to - at < 2 || at[0] != '/' || at[1] != '/') return from;
    for (at += 2; at < to && *at != '/' && *at != '?' && *at != '#'; at++)
        if (*at >= 0x80) return NULL;
    return at;
}

/* Whether resolving could change a path. */
static int stepping(Text path) {
    for (const u8 *at = path.from; at < path.to; at++) {
        if (*at == '\\' || *at == ';') return 1;
        if (*at != '/' || at + 1 >= path.to) continue;
        if (at[1] == '/') return 1;
        if (at[1] == '.' && (at + 2 >= path.to || memchr("/.;\\\0 ", at[2], 6) != NULL)) return 1;
    }
    return 0;
}

/* Whether an ampersand begins an entity. */
static int entities(const u8 *from, const u8 *to) {
    for (const u8 *at = first(from, to, '&'); at < to; at = first(at + 1, to, '&')) {
        const u8 *end = at + 1;
        if (end < to && *end == '#') return 1;
        while (end < to && end - at <= 4 && *end >= 'a' && *end <= 'z') end++;
        if (end > at + 1 && end < to && *end == ';') return 1;
    }
    return 0;
}

static int blank(u8 byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r' && byte != '\v'); }

static int begins(const u8 *from, const u8 *to, const char *word) {
    for (; *word; word++, from++)
        if (from >= to || (letter(*from) ? *from | 32 : *from) != (u8)*word) return 0;
    return 1;
}

enum { PLAIN, WHOLE, ODD };

/* Whether a value is an address by itself; ODD: the exact path must say. */
static int address(Text value) {
    const u8 *at = value.from;
    while (at < value.to && blank(*at)) at++;
    const u8 *host = after_scheme(at, value.to);
    if (value.to - host < 3 || host[0] != '/' || host[1] != '/' || host[2] == '/' || blank(host[2])) return PLAIN;
    if (begins(at, value.to, "javascript:") || begins(at, value.to, "data:") || begins(at, value.to, "vbscript:"))
        return PLAIN;
    return host[2] >= 0x80 ? ODD : WHOLE;
}

static int of_base64(u8 byte) {
    return letter(byte) || digit(byte) || byte == '+' || byte == '/' || byte == '_' || byte == ' ' || byte == '-';
}

/* Whether a text may be JSON with texts in it. */
static int of_json(const u8 *at, const u8 *to) {
    if (at >= to || (*at != '{' && *at != '[')) return 0;
    const char *begins = *at == '{' ? "\"" : "\"{[-0123456789tfn";
    for (at++; at < to && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'); at++) continue;
    return at < to && *at && strchr(begins, *at) != NULL;
}

/* Whether a value may hold JSON or base64. */
static int holding(Text value) {
    const u8 *at = value.from;
    while (at < value.to && blank(*at)) at++;
    if (of_json(at, value.to)) return 1;
    if (value.to - value.from < 16) return 0;
    i64 size = 0;
    for (at = value.from; at < value.to && of_base64(*at); at++, size++)
        if (size % 4 == 0 && !((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'f')) &&
            !(size >= 16 && value.to - at <= 3 + 2))
            return 0;
    for (i64 more = 0; at < value.to && *at == '=' && more < 2; more++) at++;
    return at == value.to && size >= 16;
}

/* The parts of all pairs of a query. 0: the exact path must read it. */
static int pairs(Found *found, i64 owner, const u8 *from, const u8 *to, int depth, Text *inner, int *inners) {
    if (entities(from, to)) return 0;
    for (const u8 *end; from < to; from = end + 1) {
        end = first(from, to, '&');
        if (end == from) continue;
        const u8 *equals = first(from, end, '='), *value = equals < end ? equals + 1 : from;
        if (equals < end) add(&found[NAME], owner, from, equals, 1);
        if (value == end) continue;
        const u8 *semicolon = first(value, end, ';');
        if (first(semicolon, end, '=') < end) return 0;
        Found *values = &found[VALUE];
        Text text = add(values, owner, value, end, 1);
        if (depth && holding(text)) return 0;
        int is = address(text);
        if (is == ODD) return 0;
        if (is == PLAIN) continue;
        values->count--;
        Found *addresses = &found[ADDRESS];
        u8 *out = addresses->texts + used(addresses);
        memcpy(out, text.from, (size_t)(text.to - text.from));
        addresses->owners[addresses->count++] = owner;
        addresses->offsets[addresses->count] = (i32)(out + (text.to - text.from) - addresses->texts);
        if (!depth) continue;
        if (*inners == ADDRESSES) return 0;
        inner[(*inners)++] = (Text){out, out + (text.to - text.from)};
    }
    return 1;
}

/* Whether two of the names from `since` on are the same; lists (`name[]`) may be. */
static int repeated(const Found *names, i64 since) {
    for (i64 one = since; one < names->count; one++) {
        const u8 *text = names->texts + names->offsets[one];
        i32 size = names->offsets[one + 1] - names->offsets[one];
        if (size >= 2 && text[size - 2] == '[' && text[size - 1] == ']') continue;
        for (i64 other = one + 1; other < names->count; other++)
            if (names->offsets[other + 1] - names->offsets[other] == size &&
                lv_same(names->texts + names->offsets[other], text, (size_t)size))
                return 1;
    }
    return 0;
}

enum { NAMES = 64 }; /* more of one address are left to the exact path: each is held against each */

/* All parts of one address. 0: the exact path must read it. */
static int whole(Found *found, i64 owner, Text url, int depth) {
    Text level[ADDRESSES] = {url}, inner[ADDRESSES];
    int size = 1, inners = 0;
    for (; size; depth--) {
        i64 since = found[NAME].count;
        inners = 0;
        for (int i = 0; i < size; i++) {
            const u8 *from = after_host(level[i].from, level[i].to), *to = level[i].to;
            if (from == NULL) return 0;
            const u8 *query = first(from, to, '?');
            if (stepping(add(&found[PATH], owner, from, query, 0))) return 0;
            if (to - query > 1 && !pairs(found, owner, query + 1, to, depth, inner, &inners)) return 0;
        }
        if (found[NAME].count - since > NAMES || repeated(&found[NAME], since)) return 0;
        memcpy(level, inner, (size_t)inners * sizeof *inner);
        size = inners;
    }
    return 1;
}

/* The parts of addresses; `texts`, `offsets` and `owners` are an array of each for every kind, in the order of
 * the first enumeration, with room for three times what one level can give. `counts` gets how many parts there
 * are of each kind, `left` the addresses that the exact path must read. Returns how many these are. */
LV_API i64 lv_parts(const u8 *data, const i32 *offsets, i64 rows, i64 first_owner, i32 depth, u8 *const *texts,
                    i32 *const *ends, i64 *const *owners, i64 *counts, i64 *left) {
    Found found[KINDS];
    i64 hard = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        found[kind] = (Found){texts[kind], ends[kind], owners[kind], 0};
        ends[kind][0] = 0;
    }
    for (i64 row = 0; row < rows; row++) {
        for (int kind = 0; kind < KINDS; kind++) counts[kind] = found[kind].count;
        if (whole(found, first_owner + row, (Text){data + offsets[row], data + offsets[row + 1]}, depth)) continue;
        for (int kind = 0; kind < KINDS; kind++) found[kind].count = counts[kind];
        left[hard++] = row;
    }
    for (int kind = 0; kind < KINDS; kind++) counts[kind] = found[kind].count;
    return hard;
}
