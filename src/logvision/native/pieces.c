/* The parameters of ordinary requests, and which kinds of bytes their values are made of (detect/pieces.py); what
 * profiles learn of them (detect/profiles.py). */
#include "core.h"

typedef struct {
    const u64 *kind_of; /* of each byte */
    i64 read;           /* bytes of a value that are looked at */
    i64 *owners, *names, *ends;
    u64 *kinds;
    i64 *sizes;
    i64 count;
} Found;

static const u8 *until(const u8 *from, const u8 *to, u8 mark) {
    const u8 *found = from < to ? memchr(from, mark, (size_t)(to - from)) : NULL;
    return found ? found : to;
}

static int hexadecimal(u8 byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The next byte of a text, its %HH read and, in a query, its plus signs. */
static u8 read(const u8 **from, const u8 *to, int query) {
    const u8 *at = *from;
    if (*at == '%' && to - at >= 3 && hexadecimal(at[1]) >= 0 && hexadecimal(at[2]) >= 0) {
        *from += 3;
        return (u8)(hexadecimal(at[1]) << 4 | hexadecimal(at[2]));
    }
    *from += 1;
    return *at == '+' && query ? ' ' : *at;
}

/* A piece with the value that stands here. */
static void piece(Found *found, i64 owner, i64 name, i64 end, const u8 *from, const u8 *to, int query) {
    u64 kinds = 0;
    i64 size = 0;
    for (; from < to && size < found->read; size++) kinds |= found->kind_of[read(&from, to, query)];
    i64 at = found->count++;
    found->owners[at] = owner;
    found->names[at] = name;
    found->ends[at] = end;
    found->kinds[at] = kinds;
    found->sizes[at] = size;
}

/* The segments of a path that its route does not fix. */
static void variables(Found *found, i64 owner, const u8 *path, const u8 *end, const u8 *route, const u8 *over) {
    i64 number = 0;
    if (until(route, over, '{') == over) return;
    for (;; path++, route++) {
        const u8 *segment = until(path, end, '/'), *part = until(route, over, '/');
        if (part - route == 6 && lv_same(route, (const u8 *)"{rest}", 6)) return;
        if (until(route, part, '{') < part) {
            number++;
            piece(found, owner, -number, -number, path, segment, 0);
        }
        if (segment == end || part == over) return;
        path = segment;
        route = part;
    }
}

/* Characters of UTF-8. */
static i64 characters(const u8 *from, const u8 *to) {
    i64 count = 0;
    for (; from < to; from++) count += (*from & 0xC0) != 0x80;
    return count;
}

/* Of every request one piece without a name, then its variables, whose names are -1, -2 and so on, then its
 * query's parameters, whose names are places in `queries`. The arrays have room for two pieces a request and one
 * more for every byte of path and query. `most`: pairs of a query; `longest`: characters of a name; `bytes`: of a
 * value, that are read. Returns how many pieces there are. */
LV_API i64 lv_pieces(const u8 *paths, const i32 *path, const u8 *queries, const i32 *query, const u8 *routes,
                     const i32 *route, const i32 *route_of, i64 rows, i64 most, i64 longest, i64 bytes,
                     const u64 *kind_of, i64 *owners, i64 *names, i64 *ends, u64 *kinds, i64 *sizes) {
    Found found = {kind_of, bytes, owners, names, ends, kinds, sizes, 0};
    for (i64 row = 0; row < rows; row++) {
        const i32 *template = route + route_of[row];
        piece(&found, row, 0, 0, paths, paths, 0);
        variables(&found, row, paths + path[row], paths + path[row + 1], routes + template[0], routes + template[1]);
        const u8 *from = queries + query[row], *to = queries + query[row + 1], *end;
        for (i64 pair = 0; pair < most && from < to; pair++, from = end + 1) {
            end = until(from, to, '&');
            const u8 *equals = until(from, end, '=');
            if (equals < end && equals > from && characters(from, equals) <= longest)
                piece(&found, row, from - queries, equals - queries, equals + 1, end, 1);
        }
    }
    return found.count;
}

/* The text of every value with its plus signs and %HH read, once. `out` is as large as all values together, `ends`
 * has rows + 1 offsets. */
LV_API void lv_unquoted(const u8 *data, const i32 *offsets, i64 rows, u8 *out, i32 *ends) {
    u8 *to = out;
    ends[0] = 0;
    for (i64 row = 0; row < rows; row++) {
        const u8 *from = data + offsets[row], *end = data + offsets[row + 1];
        while (from < end) *to++ = read(&from, end, 1);
        ends[row + 1] = (i32)(to - out);
    }
}

/* Set the bit of a network in each trait's bitmap of a profile: `seen` is profiles by traits by words. */
LV_API void lv_teach(u64 *seen, i64 traits, i64 words, const i64 *profiles, const u64 *bits, const i64 *networks,
                     i64 rows) {
    for (i64 row = 0; row < rows; row++)
        for (i64 trait = 0; trait < traits; trait++)
            if (bits[row] >> trait & 1)
                seen[(profiles[row] * traits + trait) * words + networks[row] / 64] |= 1ull << networks[row] % 64;
}
