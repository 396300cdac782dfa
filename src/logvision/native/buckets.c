/* Leaky buckets and values met lately (detect/buckets.py). Times and levels are far from the ends of int64: the
 * caller's `never` is -2^62, and no sum here is of more than two of them. */
#include "keyed.h"

typedef struct {
    i64 at, level, since, count, shut, first; /* as in detect/buckets.py */
} Bucket;

typedef struct {
    i64 actor, stay, first, last, events;
} Alert;

typedef struct {
    i64 full, leak, hold_off, relief, memory, back, never;
} Size;

_Static_assert(sizeof(Bucket) == 48 && sizeof(Alert) == 40 && sizeof(Size) == 56, "rows of int64");

enum { REPEATS, FILLS, RELIEVES, NOTHING };

/* What an actor of the batch has: the number of a bucket, and what is known of it since the batch began. */
typedef struct {
    i32 bucket, stay, alert;
} Actor;

enum { UNKNOWN = -2, NONE = -1 };

/* Whether a value is new to a bucket; it is met from now on. -1: no memory. */
static int met(Keyed *seen, u64 value, i64 t, i64 memory) {
    i64 number = lv_keyed_put(seen, value);
    if (number < 0) return -1;
    i64 *last = lv_keyed_row(seen, number), before = *last;
    *last = t;
    return t - before > memory || before - t > memory;
}

/* `detect.buckets.Buckets.pour`, which see. `effects`: of each shape. `values` is NULL where all events are new;
 * a negative one is the last of the `known` hashes. `actors` has a place for each name, `alerts` one for each row.
 * `stays[row]`: a number for the time from one emptiness of a bucket to the next; -1: of what does not count.
 * Returns how many alerts there are; -1: no memory. */
LV_API i64 lv_poured(const i64 *shapes, const u8 *effects, const i32 *whose, const i64 *times, i64 rows,
                     const u64 *names, i64 count, const i32 *values, const u64 *hashes, i64 known, const Size *size,
                     Keyed *buckets, Keyed *seen, Actor *actors, i32 *stays, Alert *alerts) {
    i64 found = 0, next = count;
    for (i64 name = 0; name < count; name++) actors[name] = (Actor){UNKNOWN, (i32)name, NONE};
    for (i64 row = 0; row < rows; row++) {
        u8 effect = effects[shapes[row]];
        stays[row] = NONE;
        if (effect == NOTHING || whose[row] < 0) continue;
        Actor *actor = &actors[whose[row]];
        i64 t = times[row];
        int relieves = effect == RELIEVES, fills = effect == FILLS;
        if (actor->bucket == UNKNOWN) actor->bucket = (i32)lv_keyed_find(buckets, names[whose[row]]);
        if (actor->bucket == NONE) {
            if (relieves) continue;
            actor->bucket = (i32)lv_keyed_put(buckets, names[whose[row]]);
            if (actor->bucket < 0) return -1;
        }
        if (fills && values != NULL) {
            u64 value = hashes[values[row] < 0 ? known - 1 : values[row]];
            fills = met(seen, value ^ names[whose[row]] * 0x9e3779b97f4a7c15ull, t, size->memory);
            if (fills < 0) return -1;
        }
        Bucket *b = (Bucket *)lv_keyed_row(buckets, actor->bucket);
        if (b->shut > size->never) {
            if (t < b->shut && t >= b->shut - size->hold_off - size->back) {
                if (t > b->at) b->at = t;
                if (relieves) continue;
                stays[row] = actor->stay;
                if (actor->alert < 0) {
                    actor->alert = (i32)found;
                    alerts[found++] = (Alert){whose[row], actor->stay, b->first, t, 0};
                }
                Alert *alert = &alerts[actor->alert];
                alert->events++;
                if (t > alert->last) alert->last = t;
                continue;
            }
            actor->alert = NONE;
            *b = (Bucket){t, 0, b->since, b->count, size->never, size->never};
        }
        i64 gap = b->at == size->never ? 0 : t - b->at;
        if (gap < -size->back) b->level = 0;
        if (gap > 0 || gap < -size->back || b->at == size->never) b->at = t;
        b->level -= (gap > 0 ? gap : 0) + (relieves ? size->relief : 0);
        if (b->level <= 0) {
            b->level = b->count = 0;
            b->since = t;
            actor->stay = (i32)next++;
        }
        if (relieves) continue;
        stays[row] = actor->stay;
        b->count++;
        if (fills) b->level += size->leak;
        if (b->level > size->full) {
            actor->alert = (i32)found;
            alerts[found++] = (Alert){whose[row], actor->stay, b->since, t, b->count};
            b->shut = t + size->hold_off;
            b->first = b->since;
            b->level = b->count = 0;
        }
    }
    return found;
}
