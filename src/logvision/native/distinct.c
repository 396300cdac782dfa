/* Distinct values of columns: a code per row in order of first appearance. */
#include "texts.h"

/* Four times as many slots, or the first 1024; 0: no memory. */
static int widen(Texts *texts) {
    size_t count = texts->slots == NULL ? 1024 : 4 * (texts->mask + 1);
    i32 *offsets = realloc(texts->offsets, (count / 2 + 2) * sizeof(i32));
    if (offsets == NULL) return 0;
    texts->offsets = offsets;
    Slot *slots = malloc(count * sizeof(Slot));
    if (slots == NULL) return 0;
    memset(slots, 0xff, count * sizeof(Slot));
    for (size_t from = 0; texts->slots != NULL && from <= texts->mask; from++) {
        if (texts->slots[from].number < 0) continue;
        size_t at = texts->slots[from].tag & (count - 1);
        while (slots[at].number >= 0) at = (at + 1) & (count - 1);
        slots[at] = texts->slots[from];
    }
    free(texts->slots);
    texts->slots = slots;
    texts->mask = count - 1;
    return 1;
}

static i32 fresh(Texts *texts, Slot *slot, u32 tag, const u8 *text, size_t size) {
    i64 used = texts->offsets[texts->found];
    if (used + (i64)size > INT32_MAX) return -1;
    if (used + (i64)size > texts->room) {
        i64 room = texts->room ? texts->room * 2 : 4096;
        while (room < used + (i64)size) room *= 2;
        u8 *bytes = realloc(texts->bytes, (size_t)room);
        if (bytes == NULL) return -1;
        texts->bytes = bytes;
        texts->room = room;
    }
    lv_copied(texts->bytes + used, text, size);
    i32 number = (i32)texts->found++;
    *slot = (Slot){tag, number};
    texts->offsets[texts->found] = (i32)(used + (i64)size);
    if ((size_t)texts->found * 2 > texts->mask && !widen(texts)) return -1;
    return number;
}

i32 lv_number(Texts *texts, const u8 *text, size_t size) {
    u32 tag = (u32)(lv_hash(text, size, texts->key) >> 32);
    for (size_t at = tag & texts->mask;; at = (at + 1) & texts->mask) {
        Slot *slot = &texts->slots[at];
        if (slot->number < 0) return fresh(texts, slot, tag, text, size);
        if (slot->tag != tag) continue;
        const i32 *offsets = texts->offsets + slot->number;
        if ((size_t)(offsets[1] - offsets[0]) == size && lv_same(text, texts->bytes + offsets[0], size))
            return slot->number;
    }
}

LV_API void lv_texts_free(Texts *texts) {
    if (texts == NULL) return;
    free(texts->slots);
    free(texts->offsets);
    free(texts->bytes);
    free(texts);
}

/* No texts yet; NULL: no memory. */
LV_API Texts *lv_texts_new(u64 key) {
    Texts *texts = calloc(1, sizeof(Texts));
    if (texts == NULL) return NULL;
    texts->key = key;
    if (!widen(texts)) {
        lv_texts_free(texts);
        return NULL;
    }
    texts->offsets[0] = 0;
    return texts;
}

/* The number of every slice's text. Returns 0; -1: no memory. */
LV_API i64 lv_texts_add(Texts *texts, const u8 *data, const i64 *starts, const i64 *ends, i64 rows, i32 *codes) {
    enum { AHEAD = 8 }; /* slices lie a line of the log apart, too far for the processor to guess the next */
    for (i64 row = 0; row < rows; row++) {
        if (row + AHEAD < rows) __builtin_prefetch(data + starts[row + AHEAD]);
        const u8 *text = data + starts[row];
        size_t size = (size_t)(ends[row] - starts[row]);
        /* Neighbouring lines often agree. */
        if (row > 0 && (size_t)(ends[row - 1] - starts[row - 1]) == size &&
            lv_same(text, data + starts[row - 1], size)) {
            codes[row] = codes[row - 1];
            continue;
        }
        codes[row] = lv_number(texts, text, size);
        if (codes[row] < 0) return -1;
    }
    return 0;
}

LV_API i64 lv_texts_found(const Texts *texts) { return texts->found; }

LV_API i64 lv_texts_bytes(const Texts *texts) { return texts->offsets[texts->found]; }

/* Bytes and offsets of all texts. */
LV_API void lv_texts_copy(const Texts *texts, u8 *out, i32 *offsets) {
    lv_copied(out, texts->bytes, (size_t)texts->offsets[texts->found]);
    memcpy(offsets, texts->offsets, ((size_t)texts->found + 1) * sizeof(i32));
}

/* Path and query of targets, as numbers of their texts; without a `?` the query is -1. Returns 0; -1: no memory. */
LV_API i64 lv_halves(const u8 *data, const i32 *offsets, i64 rows, Texts *paths, Texts *queries, i32 *path,
                     i32 *query) {
    for (i64 row = 0; row < rows; row++) {
        const u8 *from = data + offsets[row], *end = data + offsets[row + 1];
        const u8 *mark = from < end ? memchr(from, '?', (size_t)(end - from)) : NULL;
        path[row] = lv_number(paths, from, (size_t)((mark == NULL ? end : mark) - from));
        query[row] = mark == NULL ? -1 : lv_number(queries, mark + 1, (size_t)(end - mark - 1));
        if (path[row] < 0 || (mark != NULL && query[row] < 0)) return -1;
    }
    return 0;
}

/* The bytes of slices, one after the other; `offsets` (rows + 1, Arrow's) is filled in. The caller has made `out` as
 * large as the sizes add up to. */
LV_API void lv_gather(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, u8 *out, i32 *offsets) {
    i32 at = 0;
    for (i64 row = 0; row < rows; row++) {
        i32 size = (i32)(ends[row] - starts[row]);
        offsets[row] = at;
        lv_copied(out + at, data + starts[row], (size_t)size);
        at += size;
    }
    offsets[rows] = at;
}

/* Marks in `marks` which codes below `count` the rows have; `valid`: a bit for each row, from `offset` on, or null:
 * all are. Returns how many codes were found; it stops where they are all. */
LV_API i64 lv_used(const i32 *codes, const u8 *valid, i64 offset, i64 rows, u8 *marks, i64 count) {
    i64 found = 0;
    for (i64 row = 0; row < rows && found < count; row++) {
        if (valid && !(valid[(offset + row) >> 3] >> ((offset + row) & 7) & 1)) continue;
        found += !marks[codes[row]];
        marks[codes[row]] = 1;
    }
    return found;
}
