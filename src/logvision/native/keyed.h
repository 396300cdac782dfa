/* Rows of integers by 64-bit key (detect/keyed.py), in the order in which the keys came. */
#ifndef LOGVISION_KEYED_H
#define LOGVISION_KEYED_H

#include "core.h"

enum { LV_WIDEST = 6 };

typedef struct {
    u64 *keys;
    i64 *rows;
    i32 *slots; /* the number of a row, or -1: free; fewer than half are taken */
    u64 odd;    /* secret: nobody can choose keys that fall on one slot */
    i64 count, room, width;
    i32 bits;
    i64 fresh[LV_WIDEST]; /* a new row */
} Keyed;

/* The number of a key's row; -1: it has none. */
i64 lv_keyed_find(const Keyed *keyed, u64 key);

/* The same, a new one where it had none; -1: no memory. Rows may move. */
i64 lv_keyed_put(Keyed *keyed, u64 key);

static inline i64 *lv_keyed_row(const Keyed *keyed, i64 number) { return keyed->rows + number * keyed->width; }

#endif
