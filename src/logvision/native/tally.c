/* Counts of windows (windows/counting.py). */
#include "table.h"

typedef struct {
    i64 requests, success, errors, attacks;
    u64 bytes; /* sums of what logs claim may go round */
} Tally;

/* What each key of (group, code) that occurs adds up to, in order of first appearance: a key is
 * `groups * width + code + 1`. `flags`: 1 success, 2 server error, 0 neither; plus 3: attack. `keys` and
 * `tallies` have a place for each row. Returns how many keys there are; -1: no memory. */
LV_API i64 lv_tallied(const i64 *groups, const i32 *codes, const u8 *flags, const i64 *volume, i64 rows,
                      i64 width, u64 odd, u64 *keys, Tally *tallies) {
    Table table = lv_table(odd, keys);
    if (table.slots == NULL) return -1;
    for (i64 row = 0; row < rows; row++) {
        i64 before = table.found;
        i32 number = lv_table_number(&table, (u64)(groups[row] * width + codes[row] + 1));
        if (number < 0) return -1;
        if (number == before) tallies[number] = (Tally){0};
        Tally *tally = &tallies[number];
        u8 flag = flags[row];
        tally->attacks += flag >= 3;
        if (flag >= 3) flag -= 3;
        tally->requests++;
        tally->success += flag == 1;
        tally->errors += flag == 2;
        tally->bytes += (u64)volume[row];
    }
    free(table.slots);
    return table.found;
}
