/* Rows of integers by 64-bit key (detect/keyed.py). */
#include "keyed.h"

static int index_of(Keyed *keyed, i32 bits) {
    i32 *slots = malloc(sizeof(i32) << bits);
    if (slots == NULL) return -1;
    free(keyed->slots);
    keyed->slots = slots;
    keyed->bits = bits;
    memset(slots, 0xff, sizeof(i32) << bits);
    size_t mask = ((size_t)1 << bits) - 1;
    for (i64 number = 0; number < keyed->count; number++) {
        size_t at = (size_t)(keyed->keys[number] * keyed->odd >> (64 - bits));
        while (slots[at] >= 0) at = (at + 1) & mask;
        slots[at] = (i32)number;
    }
    return 0;
}

/* Room for so many rows, and slots for them. */
static int grown(Keyed *keyed, i64 room) {
    u64 *keys = realloc(keyed->keys, (size_t)room * sizeof(u64));
    if (keys == NULL) return -1;
    keyed->keys = keys;
    i64 *rows = realloc(keyed->rows, (size_t)(room * keyed->width) * sizeof(i64));
    if (rows == NULL) return -1;
    keyed->rows = rows;
    keyed->room = room;
    i32 bits = 6;
    while ((i64)1 << bits <= 2 * room) bits++;
    return bits == keyed->bits ? 0 : index_of(keyed, bits);
}

/* The place of a key among the slots, or the free one where it would be. */
static size_t slot_of(const Keyed *keyed, u64 key) {
    size_t mask = ((size_t)1 << keyed->bits) - 1;
    size_t at = (size_t)(key * keyed->odd >> (64 - keyed->bits));
    while (keyed->slots[at] >= 0 && keyed->keys[keyed->slots[at]] != key) at = (at + 1) & mask;
    return at;
}

i64 lv_keyed_find(const Keyed *keyed, u64 key) { return keyed->slots[slot_of(keyed, key)]; }

i64 lv_keyed_put(Keyed *keyed, u64 key) {
    size_t at = slot_of(keyed, key);
    if (keyed->slots[at] >= 0) return keyed->slots[at];
    if (keyed->count == keyed->room) {
        if (grown(keyed, keyed->room + keyed->room / 2) < 0) return -1;
        at = slot_of(keyed, key);
    }
    i64 number = keyed->count++;
    keyed->keys[number] = key;
    keyed->slots[at] = (i32)number;
    memcpy(lv_keyed_row(keyed, number), keyed->fresh, (size_t)keyed->width * sizeof(i64));
    return number;
}

LV_API void lv_keyed_free(Keyed *keyed) {
    free(keyed->keys);
    free(keyed->rows);
    free(keyed->slots);
    free(keyed);
}

/* An empty one whose new rows are `fresh`, of at most LV_WIDEST integers; NULL: no memory. */
LV_API Keyed *lv_keyed_new(u64 odd, const i64 *fresh, i64 width) {
    Keyed *keyed = calloc(1, sizeof(Keyed));
    if (keyed == NULL) return NULL;
    keyed->odd = odd;
    keyed->width = width;
    memcpy(keyed->fresh, fresh, (size_t)width * sizeof(i64));
    if (grown(keyed, 32) < 0) {
        lv_keyed_free(keyed);
        return NULL;
    }
    return keyed;
}

LV_API i64 lv_keyed_count(const Keyed *keyed) { return keyed->count; }

/* Copies all of it; `keys` and `rows` have room for `lv_keyed_count`. */
LV_API void lv_keyed_save(const Keyed *keyed, u64 *keys, i64 *rows) {
    if (!keyed->count) return;
    memcpy(keys, keyed->keys, (size_t)keyed->count * sizeof(u64));
    memcpy(rows, keyed->rows, (size_t)(keyed->count * keyed->width) * sizeof(i64));
}

/* Instead of all that is there; -1: no memory. */
LV_API i64 lv_keyed_load(Keyed *keyed, const u64 *keys, const i64 *rows, i64 count) {
    keyed->count = 0;
    keyed->bits = 0; /* the slots are made anew */
    if (grown(keyed, count < 32 ? 32 : count) < 0) return -1;
    for (i64 row = 0; row < count; row++) {
        i64 number = lv_keyed_put(keyed, keys[row]);
        memcpy(lv_keyed_row(keyed, number), rows + row * keyed->width, (size_t)keyed->width * sizeof(i64));
    }
    return count;
}
