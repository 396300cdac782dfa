/* Distinct values of a column: a code per row in order of first appearance. */
#include "core.h"

typedef struct {
    u32 tag; /* half of the hash: its low bits say where the slot is, so that a table grows without any text */
    i32 code; /* -1: free */
} Slot;

static Slot *slots_of(size_t count) {
    Slot *slots = malloc(count * sizeof(Slot));
    if (slots != NULL) memset(slots, 0xff, count * sizeof(Slot));
    return slots;
}

/* `codes[row]` becomes the number of the row's text among the distinct ones, `first[code]` the row that had
 * it first. Returns how many there are; -1: no memory. */
LV_API i64 lv_distinct(const u8 *data, const i64 *starts, const i64 *ends, i64 rows, u64 key, i32 *codes,
                       i32 *first) {
    size_t count = 1024, mask = count - 1;
    Slot *slots = slots_of(count);
    if (slots == NULL) return -1;
    i64 found = 0;
    for (i64 row = 0; row < rows; row++) {
        const u8 *text = data + starts[row];
        size_t size = (size_t)(ends[row] - starts[row]);
        /* Neighbouring lines often agree. */
        if (row > 0 && (size_t)(ends[row - 1] - starts[row - 1]) == size &&
            lv_same(text, data + starts[row - 1], size)) {
            codes[row] = codes[row - 1];
            continue;
        }
        u64 hash = lv_hash(text, size, key);
        u32 tag = (u32)(hash >> 32);
        size_t at = tag & mask;
        for (;; at = (at + 1) & mask) {
            i32 code = slots[at].code;
            if (code < 0) {
                slots[at] = (Slot){tag, (i32)found};
                first[found] = (i32)row;
                codes[row] = (i32)found++;
                break;
            }
            if (slots[at].tag == tag) {
                i64 other = first[code];
                if ((size_t)(ends[other] - starts[other]) == size && lv_same(text, data + starts[other], size)) {
                    codes[row] = code;
                    break;
                }
            }
        }
        if ((size_t)found * 2 > count) {
            size_t wider = count * 4;
            Slot *grown = slots_of(wider);
            if (grown == NULL) {
                free(slots);
                return -1;
            }
            for (size_t from = 0; from < count; from++) {
                if (slots[from].code < 0) continue;
                size_t place = slots[from].tag & (wider - 1);
                while (grown[place].code >= 0) place = (place + 1) & (wider - 1);
                grown[place] = slots[from];
            }
            free(slots);
            slots = grown;
            count = wider;
            mask = wider - 1;
        }
    }
    free(slots);
    return found;
}

/* The bytes of some rows, one after the other; `offsets` (rows + 1, Arrow's) is filled in. The caller has
 * made `out` as large as the sizes add up to. */
LV_API void lv_gather(const u8 *data, const i64 *starts, const i64 *ends, const i32 *which, i64 rows, u8 *out,
                      i32 *offsets) {
    i32 at = 0;
    for (i64 row = 0; row < rows; row++) {
        i64 from = which == NULL ? row : which[row];
        i32 size = (i32)(ends[from] - starts[from]);
        offsets[row] = at;
        lv_copied(out + at, data + starts[from], (size_t)size);
        at += size;
    }
    offsets[rows] = at;
}
