/* Cutting lines of text into the pieces of a plan (formats/columnar.py), and reading times, integers and
 * request lines. What is not exactly as expected is left to the exact reader. */
#include "texts.h"

/* One word between two delimiters: literal, field, literal. */
typedef struct {
    i32 span;  /* delimited parts that it has: 2 for a time with a space in it */
    i32 front, front_size, back, back_size; /* places in the plan's literal bytes */
    i32 piece; /* where the field's starts and ends go; -1: the word is literal text only */
} Word;

typedef struct {
    i32 words, first_word; /* words 0: only literal text, which begins at `literal` */
    i32 literal, literal_size;
} Segment;

_Static_assert(sizeof(Word) == 24 && sizeof(Segment) == 16, "rows of int32, as lines.py has them");

/* The byte's next place from `at` on; `end` if there is none. */
static inline i64 next(const u8 *data, i64 at, i64 end, int byte) {
    const u8 *found = at < end ? memchr(data + at, byte, (size_t)(end - at)) : NULL;
    return found == NULL ? end : found - data;
}

/* Lines without byte order mark and line end. `odd` gets those that are to be looked at: blank perhaps, with a
 * '#' in front, a NUL byte inside, or `limit` bytes and no line end. Returns how many those are. */
LV_API i64 lv_trimmed(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, i64 limit, i64 *from, i64 *to,
                      i64 *odd) {
    i64 found = 0;
    int zeros = rows > 0 && next(data, starts[0], ends[rows - 1], 0) < ends[rows - 1];
    for (i64 row = 0; row < rows; row++) {
        i64 at = starts[row], end = ends[row];
        int ended = end > at && data[end - 1] == '\n';
        int cut = end - at >= limit && !ended;
        if (ended) end--;
        if (end > at && data[end - 1] == '\r') end--;
        if (end - at >= 3 && lv_same(data + at, (const u8 *)"\xef\xbb\xbf", 3)) at += 3;
        from[row] = at;
        to[row] = end;
        if (cut || at == end || data[at] <= ' ' || data[at] == '#' || (zeros && next(data, at, end, 0) < end))
            odd[found++] = row;
    }
    return found;
}

/* Lines that may be wrapped (formats/wrappers.py), by their first bytes. Returns how many. */
LV_API i64 lv_suspects(const u8 *data, i64 size, const i64 *starts, i64 rows, i64 *which) {
    i64 found = 0;
    for (i64 row = 0; row < rows; row++) {
        const u8 *at = data + starts[row];
        i64 left = size - starts[row];
        int tagged = left > 3 && at[3] == ' ' && memchr("JFMASOND", at[0], 8) != NULL;
        int dated = left > 10 && at[4] == '-' && (at[10] == 'T' || at[10] == ' ');
        int named = at[0] >= 'a' && at[0] <= 'z' && memchr(at, '|', (size_t)(left < 64 ? left : 64)) != NULL;
        if (at[0] == '<' || at[0] == '{' || at[0] == '[' || tagged || dated || named) which[found++] = row;
    }
    return found;
}

static int words_of(const u8 *data, i64 begin, i64 stop, const Word *words, i32 count, u8 delimiter,
                    const u8 *literals, i64 *starts, i64 *ends, i64 stride, i64 row) {
    i64 at = begin;
    for (i32 i = 0; i < count; i++) {
        const Word *word = &words[i];
        i64 end = next(data, at, stop, delimiter);
        for (i32 more = 1; more < word->span; more++) {
            if (end >= stop) return 0;
            end = next(data, end + 1, stop, delimiter);
        }
        /* The last word ends where the segment ends, and no other does. */
        if ((i + 1 == count) != (end >= stop)) return 0;
        i64 size = end - at;
        if (size < (i64)word->front_size + word->back_size) return 0;
        if (!lv_same(data + at, literals + word->front, (size_t)word->front_size)) return 0;
        if (!lv_same(data + end - word->back_size, literals + word->back, (size_t)word->back_size)) return 0;
        if (word->piece >= 0) {
            starts[word->piece * stride + row] = at + word->front_size;
            ends[word->piece * stride + row] = end - word->back_size;
        } else if (size != (i64)word->front_size + word->back_size) {
            return 0;
        }
        at = end + 1;
    }
    return 1;
}

/* Cut every line. The first piece numbers are the words', then come `quoted` quoted fields and, if `rest`,
 * what follows the last of them. `rows` gets the lines that are as planned, `starts` and `ends` (pieces x
 * `count`) their pieces. Returns how many lines there are of these. */
LV_API i64 lv_cut(const u8 *data, const i64 *from, const i64 *to, i64 count, const Segment *segments, i32 quoted,
                  i32 rest, i32 first_quoted, const Word *words, const u8 *literals, u8 delimiter, i64 *starts,
                  i64 *ends, i64 *rows) {
    i64 taken = 0;
    for (i64 line = 0; line < count; line++) {
        i64 at = from[line], end = to[line];
        int good = 1;
        for (i32 part = 0; good && part <= quoted; part++) {
            i64 stop = part < quoted || rest ? next(data, at, end, '"') : end;
            if (part < quoted) {
                if (stop >= end) {
                    good = 0;
                    break;
                }
            } else if (rest) {
                i32 piece = first_quoted + quoted;
                starts[piece * count + taken] = at;
                ends[piece * count + taken] = end;
                break;
            } else if (quoted > 0 && next(data, at, end, '"') < end) {
                good = 0;
                break;
            }
            const Segment *segment = &segments[part];
            if (segment->words == 0)
                good = stop - at == segment->literal_size &&
                       lv_same(data + at, literals + segment->literal, (size_t)segment->literal_size);
            else
                good = words_of(data, at, stop, words + segment->first_word, segment->words, delimiter, literals,
                                starts, ends, count, taken);
            if (!good || part == quoted) break;
            i64 close = next(data, stop + 1, end, '"');
            if (close >= end || data[close - 1] == '\\') {
                good = 0;
                break;
            }
            i32 piece = first_quoted + part;
            starts[piece * count + taken] = stop + 1;
            ends[piece * count + taken] = close;
            at = close + 1;
        }
        if (good) rows[taken++] = line;
    }
    return taken;
}

static const u8 MONTHS[12][3] = {{'J', 'a', 'n'}, {'F', 'e', 'b'}, {'M', 'a', 'r'}, {'A', 'p', 'r'},
                                 {'M', 'a', 'y'}, {'J', 'u', 'n'}, {'J', 'u', 'l'}, {'A', 'u', 'g'},
                                 {'S', 'e', 'p'}, {'O', 'c', 't'}, {'N', 'o', 'v'}, {'D', 'e', 'c'}};
static const int DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
static const int BEFORE[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
enum { CLF_SIZE = 26, EPOCH_DAY = 719163 /* days from the year 1 to 1970 */ };

static int number(const u8 *text, int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + text[i] - '0';
    }
    return value;
}

/* `10/Oct/2000:13:55:36 -0700`, us since 1970 UTC. */
static int clf(const u8 *t, i64 *out) {
    int day = number(t, 2), year = number(t + 7, 4), hour = number(t + 12, 2), minute = number(t + 15, 2);
    int second = number(t + 18, 2), zone_hour = number(t + 22, 2), zone_minute = number(t + 24, 2), month = 0;
    if (t[2] != '/' || t[6] != '/' || t[11] != ':' || t[14] != ':' || t[17] != ':' || t[20] != ' ') return 0;
    if (t[21] != '+' && t[21] != '-') return 0;
    while (month < 12 && !lv_same(t + 3, MONTHS[month], 3)) month++;
    if (month == 12 || year < 1) return 0;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > DAYS[month] + (leap && month == 1)) return 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return 0;
    if (zone_hour < 0 || zone_hour > 23 || zone_minute < 0 || zone_minute > 59) return 0;
    i64 past = year - 1;
    i64 days = past * 365 + past / 4 - past / 100 + past / 400 + BEFORE[month] + (leap && month > 1) + day;
    i64 east = zone_hour * 3600 + zone_minute * 60;
    i64 stamp = (days - EPOCH_DAY) * 86400 + hour * 3600 + minute * 60 + second + (t[21] == '-' ? east : -east);
    *out = stamp * 1000000;
    return 1;
}

LV_API void lv_clf_times(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, i64 *values, u8 *good) {
    const u8 *last = NULL;
    i64 value = 0;
    for (i64 row = 0; row < rows; row++) {
        const u8 *text = data + starts[row];
        values[row] = 0;
        good[row] = 0;
        if (ends[row] - starts[row] != CLF_SIZE) continue;
        /* The same second stands on many neighbouring lines. */
        if (last == NULL || !lv_same(last, text, CLF_SIZE)) {
            last = NULL;
            if (!clf(text, &value)) continue;
            last = text;
        }
        values[row] = value;
        good[row] = 1;
    }
}

/* Plain decimal integers of up to 18 digits; `-` is good and not known. */
LV_API void lv_integers(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, i64 *values, u8 *known,
                        u8 *good) {
    for (i64 row = 0; row < rows; row++) {
        const u8 *text = data + starts[row];
        i64 size = ends[row] - starts[row], value = 0;
        int fine = size > 0 && size <= 18;
        for (i64 i = 0; fine && i < size; i++) {
            fine = text[i] >= '0' && text[i] <= '9';
            value = value * 10 + (text[i] - '0');
        }
        int dash = size == 1 && text[0] == '-';
        values[row] = fine ? value : 0;
        known[row] = (u8)fine;
        good[row] = (u8)(fine || dash);
    }
}

static int token(u8 byte) { /* RFC 9110, section 5.6.2 */
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')) return 1;
    return byte > 32 && byte < 127 && memchr("!#$%&'*+-.^_`|~", byte, 15) != NULL;
}

/* The number of a text, which often is the one of the line before. */
static i32 again(Texts *texts, const u8 *text, size_t size, i32 before) {
    if (before >= 0) {
        const i32 *offsets = texts->offsets + before;
        if ((size_t)(offsets[1] - offsets[0]) == size && lv_same(text, texts->bytes + offsets[0], size)) return before;
    }
    return lv_number(texts, text, size);
}

/* The parts of lines that are exactly `METHOD target HTTP/x`, as numbers of their texts; of the others, which `odd`
 * gets, -1. Returns how many those are; -1: no memory. */
LV_API i64 lv_requests(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, Texts *methods, Texts *targets,
                       Texts *protocols, i32 *method, i32 *target, i32 *protocol, i64 *odd) {
    i64 found = 0, last = -1; /* the last line that was as expected */
    for (i64 row = 0; row < rows; row++) {
        i64 from = starts[row], to = ends[row], one = from;
        while (one < to && one - from <= 32 && token(data[one])) one++;
        i64 two = one < to && data[one] == ' ' ? next(data, one + 1, to, ' ') : to;
        if (one == from || one - from > 32 || to - two <= 5 ||
            !lv_same(data + two + 1, (const u8 *)"HTTP/", 5) || next(data, two + 1, to, ' ') < to) {
            method[row] = target[row] = protocol[row] = -1;
            odd[found++] = row;
            continue;
        }
        method[row] = again(methods, data + from, (size_t)(one - from), last < 0 ? -1 : method[last]);
        target[row] = again(targets, data + one + 1, (size_t)(two - one - 1), last < 0 ? -1 : target[last]);
        protocol[row] = again(protocols, data + two + 1, (size_t)(to - two - 1), last < 0 ? -1 : protocol[last]);
        if (method[row] < 0 || target[row] < 0 || protocol[row] < 0) return -1;
        last = row;
    }
    return found;
}

/* Where lines end: behind every newline. Returns how many there are; `ends` has room for `room` of them, and the caller
 * asks again with more where those are more. */
LV_API i64 lv_line_ends(const u8 *data, i64 size, i32 *ends, i64 room) {
    i64 found = 0;
    for (i64 at = next(data, 0, size, '\n'); at < size; at = next(data, at + 1, size, '\n')) {
        if (found < room) ends[found] = (i32)at + 1;
        found++;
    }
    return found;
}

/* Where a byte stands first in each slice; the slice's end if it does not. */
LV_API void lv_first(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, u8 byte, i64 *out) {
    for (i64 row = 0; row < rows; row++) out[row] = next(data, starts[row], ends[row], byte);
}
