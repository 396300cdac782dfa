/* Canonical form of texts: `decode_text` of detect/decoding.py, byte for byte; that file says why each step is
 * there. No step makes a text longer, so every step rewrites it in place, reading ahead of where it writes. */
#include "core.h"

enum { ROUNDS = 5 };

static const i32 SURROGATES = 0xD800, AFTER_SURROGATES = 0xE000;

static int hex(u8 byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

/* The number that `digits` hexadecimal digits say; -1: they are none, or the text ends before. */
static i32 hexes(const u8 *text, size_t at, size_t size, int digits) {
    i32 value = 0;
    if (at + (size_t)digits > size) return -1;
    for (int i = 0; i < digits; i++) {
        int digit = hex(text[at + (size_t)i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* UTF-8 of a code point, which is never longer than the form it stood in; `?` for half a surrogate pair. */
static size_t encoded(u8 *out, u32 point) {
    if (point >= (u32)SURROGATES && point < (u32)AFTER_SURROGATES) {
        out[0] = '?';
        return 1;
    }
    if (point < 0x80) {
        out[0] = (u8)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (u8)(0xC0 | point >> 6);
        out[1] = (u8)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (u8)(0xE0 | point >> 12);
        out[1] = (u8)(0x80 | (point >> 6 & 0x3F));
        out[2] = (u8)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (u8)(0xF0 | point >> 18);
    out[1] = (u8)(0x80 | (point >> 12 & 0x3F));
    out[2] = (u8)(0x80 | (point >> 6 & 0x3F));
    out[3] = (u8)(0x80 | (point & 0x3F));
    return 4;
}

/* A form at `at`: how many bytes it takes (0: none) and what stands for it. */
typedef size_t (*Form)(const u8 *text, size_t at, size_t size, u8 *out, size_t *made);

/* Replace every form that begins with the mark. Returns the new size; `*changed` is set if any was found. */
static size_t each(u8 *text, size_t size, u8 mark, Form form, int *changed) {
    const u8 *first = size ? memchr(text, mark, size) : NULL;
    if (first == NULL) return size;
    size_t from = (size_t)(first - text), to = from;
    while (from < size) {
        if (text[from] == mark) {
            u8 out[4];
            size_t made = 0, taken = form(text, from, size, out, &made);
            if (taken) {
                memcpy(text + to, out, made);
                to += made;
                from += taken;
                *changed = 1;
                continue;
            }
        }
        text[to++] = text[from++];
    }
    return to;
}

static size_t percent_byte(const u8 *text, size_t at, size_t size, u8 *out, size_t *made) {
    i32 value = hexes(text, at + 1, size, 2);
    if (value < 0) return 0;
    out[0] = (u8)value;
    *made = 1;
    return 3;
}

static size_t percent(const u8 *text, size_t at, size_t size, u8 *out, size_t *made) {
    size_t taken = percent_byte(text, at, size, out, made);
    if (taken) return taken;
    if (at + 1 >= size || (text[at + 1] != 'u' && text[at + 1] != 'U')) return 0;
    i32 point = hexes(text, at + 2, size, 4);
    if (point < 0) return 0;
    *made = encoded(out, (u32)point);
    return 6;
}

static size_t log_escape(const u8 *text, size_t at, size_t size, u8 *out, size_t *made) {
    if (at + 1 >= size || (text[at + 1] != '"' && text[at + 1] != '\\')) return 0;
    out[0] = text[at + 1];
    *made = 1;
    return 2;
}

static size_t escape(const u8 *text, size_t at, size_t size, u8 *out, size_t *made) {
    if (at + 1 >= size) return 0;
    i32 value;
    if (text[at + 1] == 'x' && (value = hexes(text, at + 2, size, 2)) >= 0) {
        out[0] = (u8)value;
        *made = 1;
        return 4;
    }
    if (text[at + 1] == 'u' && (value = hexes(text, at + 2, size, 4)) >= 0) {
        *made = encoded(out, (u32)value);
        return 6;
    }
    return 0;
}

static const struct {
    char name[8];
    u8 byte;
} NAMED[] = {{"lt", '<'},      {"gt", '>'},      {"amp", '&'},    {"quot", '"'},   {"apos", '\''}, {"nbsp", ' '},
             {"Tab", '\t'},    {"NewLine", '\n'}, {"lpar", '('},   {"rpar", ')'},   {"sol", '/'},   {"bsol", '\\'},
             {"equals", '='},  {"num", '#'},     {"semi", ';'},   {"comma", ','},  {"period", '.'}, {"colon", ':'},
             {"excl", '!'},    {"quest", '?'},   {"lbrack", '['}, {"rbrack", ']'}, {"lsqb", '['},  {"rsqb", ']'},
             {"lcub", '{'},    {"rcub", '}'},    {"grave", '`'},  {"dollar", '$'}, {"percnt", '%'}, {"ast", '*'},
             {"plus", '+'},    {"lowbar", '_'},  {"commat", '@'}, {"verbar", '|'}, {"vert", '|'}};

static size_t entity(const u8 *text, size_t at, size_t size, u8 *out, size_t *made) {
    if (at + 1 < size && text[at + 1] == '#') {
        int hexadecimal = at + 2 < size && (text[at + 2] == 'x' || text[at + 2] == 'X');
        size_t start = at + 2 + (size_t)hexadecimal, end = start;
        u64 point = 0;
        while (end < size && end - start < 8) {
            int digit = hex(text[end]);
            if (digit < 0 || (!hexadecimal && digit > 9)) break;
            point = point * (hexadecimal ? 16 : 10) + (u64)digit;
            end++;
        }
        if (end == start || point > 0x10FFFF) return 0;
        *made = encoded(out, (u32)point);
        return end + (end < size && text[end] == ';') - at;
    }
    size_t most = at + 10 < size ? at + 10 : size, end = at + 1;
    while (end < most && text[end] != ';') end++;
    if (end >= most) return 0;
    size_t length = end - at - 1;
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        size_t own = strlen(NAMED[i].name);
        if (own == length && lv_same(text + at + 1, (const u8 *)NAMED[i].name, length)) {
            out[0] = NAMED[i].byte;
            *made = 1;
            return end + 1 - at;
        }
    }
    return 0;
}

/* The ASCII mark that servers fold a code point to; the point itself if there is none. */
static u32 folded(u32 point) {
    if (point >= 0xFF01 && point <= 0xFF5E) return point - 0xFEE0;
    switch (point) {
    case 0x2215: case 0x2044: return '/';
    case 0x2216: return '\\';
    case 0x02B9: case 0x02BC: return '\'';
    case 0x037E: return ';';
    case 0x017F: return 's';
    case 0x212A: return 'k';
    case 0xFE64: return '<';
    case 0xFE65: return '>';
    default: return point;
    }
}

/* Overlong forms, full-width forms and look-alikes. */
static size_t utf8(u8 *text, size_t size, int *changed) {
    size_t from = 0, to = 0;
    while (from < size) {
        u8 lead = text[from];
        if (lead < 0xC0) {
            text[to++] = text[from++];
            continue;
        }
        size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : lead < 0xFC ? 5 : 6;
        size_t tail = size - from - 1 < length - 1 ? size - from - 1 : length - 1;
        if ((lead == 0xC0 || lead == 0xC1) && tail) {
            /* IIS took any second byte. */
            text[to++] = (u8)((lead & 1) << 6 | (text[from + 1] & 0x3F));
            from += 2;
            *changed = 1;
            continue;
        }
        int whole = tail == length - 1;
        u32 point = lead & (0x7Fu >> length);
        for (size_t i = 1; whole && i <= tail; i++) {
            whole = (text[from + i] & 0xC0) == 0x80;
            point = point << 6 | (text[from + i] & 0x3F);
        }
        if (!whole) {
            text[to++] = text[from++];
            continue;
        }
        u32 ascii = folded(point);
        if (ascii < 0x80) {
            text[to++] = (u8)ascii;
            *changed = 1;
        } else {
            memmove(text + to, text + from, length);
            to += length;
        }
        from += length;
    }
    return to;
}

/* Where two bytes stand together, from `at` on; `size` if they do not. */
static size_t pair(const u8 *text, size_t at, size_t size, u8 one, u8 two) {
    while (at + 1 < size) {
        const u8 *found = memchr(text + at, one, size - at - 1);
        if (found == NULL) return size;
        at = (size_t)(found - text);
        if (text[at + 1] == two) return at;
        at++;
    }
    return size;
}

/* SQL comments to a space; of MySQL's versioned ones and of those that hold markup only the marks. */
static size_t comments(u8 *text, size_t size) {
    size_t at = pair(text, 0, size, '/', '*'), from = at, to = at;
    while (at < size) {
        size_t end = pair(text, at + 2, size, '*', '/');
        if (end >= size) break;
        memmove(text + to, text + from, at - from);
        to += at - from;
        text[to++] = ' ';
        if (at + 2 < size && text[at + 2] == '!') {
            size_t start = at + 3;
            while (start < end && start < at + 9 && text[start] >= '0' && text[start] <= '9') start++;
            if (start < end) {
                memmove(text + to, text + start, end - start);
                to += end - start;
            }
            text[to++] = ' ';
        } else if (memchr(text + at + 2, '<', end - at - 2) != NULL) {
            memmove(text + to, text + at + 2, end - at - 2);
            to += end - at - 2;
            text[to++] = ' ';
        }
        from = end + 2;
        at = pair(text, from, size, '/', '*');
    }
    memmove(text + to, text + from, size - from);
    return to + size - from;
}

static size_t decoded(u8 *text, size_t size, int query, int deep) {
    int changed = 1;
    if (query)
        for (size_t i = 0; i < size; i++)
            if (text[i] == '+') text[i] = ' ';
    if (!deep) {
        for (int round = 0; round < ROUNDS && changed; round++) {
            changed = 0;
            size = each(text, size, '%', percent_byte, &changed);
        }
        return size;
    }
    size = each(text, size, '\\', log_escape, &changed);
    for (int round = 0; round < ROUNDS && changed; round++) {
        changed = 0;
        size = each(text, size, '%', percent, &changed);
        size = each(text, size, '\\', escape, &changed);
        size = each(text, size, '&', entity, &changed);
        size = utf8(text, size, &changed);
    }
    return comments(text, size);
}

/* The first byte that some step could change; `size` if there is none. */
static size_t touched(const u8 *text, size_t size, int query) {
    for (size_t i = 0; i < size; i++) {
        u8 byte = text[i];
        if (byte == '%' || byte == '\\' || byte == '&' || byte >= 0xC0 || (byte == '+' && query) ||
            (byte == '/' && i + 1 < size && text[i + 1] == '*'))
            return i;
    }
    return size;
}

size_t lv_decoded(const u8 *text, size_t size, int query, u8 *out) {
    if (size) memcpy(out, text, size);
    return touched(text, size, query) < size ? decoded(out, size, query, 1) : size;
}

LV_API i64 lv_text(const u8 *text, i64 size, i32 query, u8 *out) {
    return (i64)lv_decoded(text, (size_t)size, query, out);
}

/* The canonical text of every value. `out` is as large as all values together, `ends` has rows + 1 offsets.
 * Returns how many values were changed or might have been. */
LV_API i64 lv_canonical(const u8 *data, const i32 *offsets, i64 rows, i32 query, i32 deep, u8 *out, i32 *ends) {
    i64 hits = 0;
    i32 at = 0;
    ends[0] = 0;
    for (i64 row = 0; row < rows; row++) {
        const u8 *text = data + offsets[row];
        size_t size = (size_t)(offsets[row + 1] - offsets[row]);
        if (size) memcpy(out + at, text, size);
        if (touched(text, size, query) < size) {
            hits++;
            size = decoded(out + at, size, query, deep);
        }
        at += (i32)size;
        ends[row + 1] = at;
    }
    return hits;
}
