/* Numbers remembered for texts, over all batches: bounded, exact (the texts themselves are kept and compared).
 * Two generations: when the young one is full it becomes the old one, and what is asked for again moves over. */
#include "core.h"

typedef struct {
    u32 tag, size;
    i64 text; /* place in the generation's bytes */
    i32 code;
    i32 taken;
} Entry;

typedef struct {
    Entry *entries;
    u8 *bytes;
    i64 used, room, count;
} Generation;

typedef struct {
    Generation young, old;
    i64 half;      /* texts of one generation */
    i64 half_room; /* bytes of one generation */
    u64 mask, key;
} Memo;

static int opened(Generation *generation, u64 slots) {
    memset(generation, 0, sizeof *generation);
    generation->entries = calloc(slots, sizeof(Entry));
    return generation->entries != NULL;
}

static void closed(Generation *generation) {
    free(generation->entries);
    free(generation->bytes);
}

LV_API void lv_memo_free(Memo *memo) {
    if (memo == NULL) return;
    closed(&memo->young);
    closed(&memo->old);
    free(memo);
}

/* Room for `limit` texts that have `bytes` bytes together; NULL: no memory. */
LV_API Memo *lv_memo_new(i64 limit, i64 bytes, u64 key) {
    Memo *memo = calloc(1, sizeof(Memo));
    if (memo == NULL) return NULL;
    memo->half = limit / 2 > 0 ? limit / 2 : 1;
    memo->half_room = bytes / 2 > 0 ? bytes / 2 : 1;
    memo->key = key;
    u64 slots = 64;
    while (slots < (u64)memo->half * 2) slots *= 2;
    memo->mask = slots - 1;
    if (!opened(&memo->young, slots) || !opened(&memo->old, slots)) {
        lv_memo_free(memo);
        return NULL;
    }
    return memo;
}

LV_API i64 lv_memo_size(const Memo *memo) { return memo->young.count + memo->old.count; }

static Entry *place(const Memo *memo, const Generation *generation, const u8 *text, u32 size, u64 hash) {
    u32 tag = (u32)(hash >> 32);
    for (u64 at = hash & memo->mask;; at = (at + 1) & memo->mask) {
        Entry *entry = &generation->entries[at];
        if (!entry->taken) return entry;
        if (entry->tag == tag && entry->size == size && lv_same(generation->bytes + entry->text, text, size))
            return entry;
    }
}

/* True: it is kept now, or is too long to be kept at all; false: no memory. */
static int keep(Memo *memo, const u8 *text, u32 size, u64 hash, i32 code) {
    if (size > memo->half_room) return 1;
    Generation *young = &memo->young;
    if (young->count >= memo->half || young->used + size > memo->half_room) {
        Generation fresh;
        if (!opened(&fresh, memo->mask + 1)) return 0;
        closed(&memo->old);
        memo->old = *young;
        *young = fresh;
    }
    if (young->used + size > young->room) {
        i64 room = young->room ? young->room * 2 : 4096;
        while (room < young->used + size) room *= 2;
        u8 *bytes = realloc(young->bytes, (size_t)room);
        if (bytes == NULL) return 0;
        young->bytes = bytes;
        young->room = room;
    }
    Entry *entry = place(memo, young, text, size, hash);
    if (entry->taken) {
        entry->code = code;
        return 1;
    }
    if (size) memcpy(young->bytes + young->used, text, size);
    *entry = (Entry){(u32)(hash >> 32), size, young->used, code, 1};
    young->used += size;
    young->count++;
    return 1;
}

/* The code of every text, -1 for those that are not known. Returns how many are not; -1: no memory. */
LV_API i64 lv_memo_find(Memo *memo, const u8 *data, const i32 *offsets, i64 rows, i32 *codes) {
    i64 unknown = 0;
    for (i64 row = 0; row < rows; row++) {
        const u8 *text = data + offsets[row];
        u32 size = (u32)(offsets[row + 1] - offsets[row]);
        u64 hash = lv_hash(text, size, memo->key);
        Entry *entry = place(memo, &memo->young, text, size, hash);
        if (entry->taken) {
            codes[row] = entry->code;
            continue;
        }
        Entry *older = memo->old.count ? place(memo, &memo->old, text, size, hash) : NULL;
        if (older != NULL && older->taken) {
            codes[row] = older->code;
            if (!keep(memo, text, size, hash, codes[row])) return -1;
        } else {
            codes[row] = -1;
            unknown++;
        }
    }
    return unknown;
}

/* Remember codes of some texts. Returns 0; -1: no memory. */
LV_API i64 lv_memo_keep(Memo *memo, const u8 *data, const i32 *offsets, const i64 *which, i64 rows,
                        const i32 *codes) {
    for (i64 row = 0; row < rows; row++) {
        i64 at = which[row];
        const u8 *text = data + offsets[at];
        u32 size = (u32)(offsets[at + 1] - offsets[at]);
        if (!keep(memo, text, size, lv_hash(text, size, memo->key), codes[row])) return -1;
    }
    return 0;
}
