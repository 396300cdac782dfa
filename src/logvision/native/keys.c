/* 64-bit keys of events: made of parts, numbered, and what each adds up to. */
#include "table.h"

/* Keys become those of one more part: `hashes[codes[row]]`, of a negative code the last of the `count`. */
LV_API void lv_mixed(u64 *keys, const i32 *codes, i64 rows, const u64 *hashes, i64 count) {
    for (i64 row = 0; row < rows; row++) {
        u64 mixed = (keys[row] ^ hashes[codes[row] < 0 ? count - 1 : codes[row]]) * 0x9e3779b97f4a7c15ull;
        keys[row] = mixed ^ mixed >> 29;
    }
}

/* `codes[row]` becomes the number of the row's key among the distinct ones, in order of first appearance,
 * `first[code]` the row that had it first. `names` has a place for each row. Returns how many there are; -1: no
 * memory. */
LV_API i64 lv_numbered(const u64 *keys, i64 rows, u64 odd, i32 *codes, i32 *first, u64 *names) {
    Table table = lv_table(odd, names);
    if (table.slots == NULL) return -1;
    for (i64 row = 0; row < rows; row++) {
        i64 before = table.found;
        i32 number = lv_table_number(&table, keys[row]);
        if (number < 0) return -1;
        if (number == before) first[number] = (i32)row;
        codes[row] = number;
    }
    free(table.slots);
    return table.found;
}

/* Which keys stand in their place of the table, a pair of keys; `pairs`, how many it has, is a power of two. */
LV_API void lv_known(const u64 *table, i64 pairs, const u64 *keys, i64 rows, u8 *known) {
    enum { AHEAD = 16 }; /* the table is larger than most caches */
    u64 mask = (u64)pairs - 1;
    for (i64 row = 0; row < rows; row++) {
        if (row + AHEAD < rows) __builtin_prefetch(table + 2 * (keys[row + AHEAD] & mask));
        const u64 *pair = table + 2 * (keys[row] & mask);
        known[row] = pair[0] == keys[row] || pair[1] == keys[row];
    }
}

typedef struct {
    i64 requests, success, errors, attacks;
    u64 bytes; /* sums of what logs claim may go round */
} Tally;

_Static_assert(sizeof(Tally) == 40, "a row of int64");

/* What each key of (group, code) that occurs adds up to (windows/counting.py), by first appearance: a key is
 * `groups * width + code + 1`. `flags`: 1 success, 2 server error, 0 neither; plus 3: attack. `keys` and
 * `tallies` have a place for each row. Returns how many keys there are; -1: no memory. */
LV_API i64 lv_tallied(const i64 *groups, const i32 *codes, const u8 *flags, const i64 *volume, i64 rows,
                      i64 width, u64 odd, u64 *keys, Tally *tallies) {
    Table table = lv_table(odd, keys);
    if (table.slots == NULL) return -1;
    for (i64 row = 0; row < rows; row++) {
        i64 before = table.found;
        i32 number = lv_table_number(&table, (u64)groups[row] * (u64)width + (u64)((i64)codes[row] + 1));
        if (number < 0) return -1;
        if (number == before) tallies[number] = (Tally){0};
        u8 answer = flags[row] >= 3 ? flags[row] - 3 : flags[row];
        Tally *tally = &tallies[number];
        tally->attacks += flags[row] >= 3;
        tally->requests++;
        tally->success += answer == 1;
        tally->errors += answer == 2;
        tally->bytes += (u64)volume[row];
    }
    free(table.slots);
    return table.found;
}
