/* Numbers for 64-bit keys in order of first appearance. The table grows with what is found: most columns have few
 * values, and a small one stays in the cache. */
#ifndef LOGVISION_TABLE_H
#define LOGVISION_TABLE_H

#include "core.h"

typedef struct {
    i32 *slots; /* a number, or -1: free; NULL: no memory */
    i32 bits;
    u64 odd; /* an odd number that is secret: nobody can choose keys that fall on one slot */
    u64 *keys; /* of each number; the caller's, with room for all */
    i64 found;
} Table;

static inline void lv_table_grow(Table *table, i32 bits) {
    free(table->slots);
    table->bits = bits;
    table->slots = malloc(sizeof(i32) << bits);
    if (table->slots == NULL) return;
    memset(table->slots, 0xff, sizeof(i32) << bits);
    size_t mask = ((size_t)1 << bits) - 1;
    for (i64 number = 0; number < table->found; number++) {
        size_t at = (size_t)(table->keys[number] * table->odd >> (64 - bits));
        while (table->slots[at] >= 0) at = (at + 1) & mask;
        table->slots[at] = (i32)number;
    }
}

static inline Table lv_table(u64 odd, u64 *keys) {
    Table table = {NULL, 0, odd, keys, 0};
    lv_table_grow(&table, 10);
    return table;
}

/* The number of a key, a new one where it was not met yet; -1: no memory. */
static inline i32 lv_table_number(Table *table, u64 key) {
    size_t mask = ((size_t)1 << table->bits) - 1;
    size_t at = (size_t)(key * table->odd >> (64 - table->bits));
    i32 number;
    while ((number = table->slots[at]) >= 0) {
        if (table->keys[number] == key) return number;
        at = (at + 1) & mask;
    }
    number = (i32)table->found;
    table->slots[at] = number;
    table->keys[table->found++] = key;
    if (table->found * 2 > (i64)mask) {
        lv_table_grow(table, table->bits + 2);
        if (table->slots == NULL) return -1;
    }
    return number;
}

#endif
