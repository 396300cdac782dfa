/* Leaky buckets and values met lately (detect/buckets.py). Times and levels are far from the ends of int64: the
 * caller's `never` is -2^62, and no sum here is of more than two of them. */
#include "core.h"

/* Which rows bring a value that was not met within `memory` of its last time; `last` is kept up to date. */
LV_API void lv_met(const i32 *codes, const i64 *times, i64 rows, i64 memory, i64 *last, u8 *fresh) {
    for (i64 row = 0; row < rows; row++) {
        i64 before = last[codes[row]];
        fresh[row] = times[row] - before > memory || before - times[row] > memory;
        last[codes[row]] = times[row];
    }
}

typedef struct {
    i64 at, level, since, count, shut, first; /* as in detect/buckets.py */
} Bucket;

typedef struct {
    i64 bucket, stay, first, last, events;
} Alert;

typedef struct {
    i64 full, leak, hold_off, relief, back, never;
} Size;

_Static_assert(sizeof(Bucket) == 48 && sizeof(Alert) == 40 && sizeof(Size) == 48, "rows of int64");

enum { REPEATS, FILLS, RELIEVES };

/* `detect.buckets.poured`, which see. `stay` and `open` have a place for each bucket, `alerts` for each row. */
LV_API i64 lv_poured(const i64 *places, const i64 *times, const u8 *kinds, i64 rows, const Size *size,
                     Bucket *buckets, i64 count, i64 *stay, i64 *open, i64 *stays, Alert *alerts) {
    i64 found = 0, next = count;
    for (i64 place = 0; place < count; place++) {
        stay[place] = place;
        open[place] = -1;
    }
    for (i64 row = 0; row < rows; row++) {
        i64 place = places[row], t = times[row];
        Bucket *b = &buckets[place];
        int relieves = kinds[row] == RELIEVES;
        if (b->shut > size->never) {
            if (t < b->shut && t >= b->shut - size->hold_off - size->back) {
                if (t > b->at) b->at = t;
                stays[row] = relieves ? -1 : stay[place];
                if (relieves) continue;
                if (open[place] < 0) {
                    open[place] = found;
                    alerts[found++] = (Alert){place, stay[place], b->first, t, 0};
                }
                Alert *alert = &alerts[open[place]];
                alert->events++;
                if (t > alert->last) alert->last = t;
                continue;
            }
            open[place] = -1;
            *b = (Bucket){t, 0, b->since, b->count, size->never, size->never};
        }
        i64 gap = b->at == size->never ? 0 : t - b->at;
        if (gap < -size->back) b->level = 0;
        if (gap > 0 || gap < -size->back || b->at == size->never) b->at = t;
        b->level -= (gap > 0 ? gap : 0) + (relieves ? size->relief : 0);
        if (b->level <= 0) {
            b->level = b->count = 0;
            b->since = t;
            stay[place] = next++;
        }
        stays[row] = relieves ? -1 : stay[place];
        if (relieves) continue;
        b->count++;
        if (kinds[row] == FILLS) b->level += size->leak;
        if (b->level > size->full) {
            open[place] = found;
            alerts[found++] = (Alert){place, stay[place], b->since, t, b->count};
            b->shut = t + size->hold_off;
            b->first = b->since;
            b->level = b->count = 0;
        }
    }
    return found;
}
