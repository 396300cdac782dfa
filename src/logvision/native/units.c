/* The units of a batch (detect/units.py): joined into one text, searched for marks, scored by n-grams. */
#include "core.h"

/* All values one after the other, each ended by a line feed; one inside a value becomes a vertical tab.
 * `out` has room for all bytes and one more a value; `ends` gets where the line feeds are. */
LV_API void lv_joined(const u8 *data, const i32 *offsets, i64 rows, u8 *out, i64 *ends) {
    i64 at = 0;
    for (i64 row = 0; row < rows; row++) {
        size_t size = (size_t)(offsets[row + 1] - offsets[row]);
        if (size) memcpy(out + at, data + offsets[row], size);
        for (u8 *mark = size ? memchr(out + at, '\n', size) : NULL; mark != NULL;
             mark = memchr(mark, '\n', (size_t)(out + at + size - mark)))
            *mark = '\v';
        at += (i64)size;
        ends[row] = at;
        out[at++] = '\n';
    }
}

/* Which of some joined texts hold a byte of the table (256 flags). */
LV_API void lv_marked(const u8 *text, const i64 *ends, i64 rows, const u8 *table, u8 *out) {
    i64 at = 0;
    for (i64 row = 0; row < rows; row++) {
        i64 end = ends[row];
        while (at < end && !table[text[at]]) at++;
        out[row] = at < end;
        at = end + 1;
    }
}

/* The weights of a text's n-grams of 2, 3 and 4 bytes, each folded, with a mark (2) at either end, over the
 * root of their number (detect/classifier.py). At most `longest` bytes of a text are read. */
LV_API void lv_margins(const u8 *text, const i64 *starts, const i64 *ends, i64 rows, i64 longest, const u8 *fold,
                       const float *weights, i32 bits, const double *root, float *out) {
    for (i64 row = 0; row < rows; row++) {
        i64 size = ends[row] - starts[row];
        if (size > longest) size = longest;
        const u8 *from = text + starts[row];
        double sums[3] = {0, 0, 0};
        u32 a = 0, b = 0, c = 0; /* the three bytes before */
        for (i64 i = -1; i <= size; i++) {
            u32 d = i < 0 || i == size ? 2 : fold[from[i]];
            u32 two = c * 257 + d, three = (b * 257 + c) * 257 + d, four = ((a * 257 + b) * 257 + c) * 257 + d;
            if (i >= 0) sums[0] += weights[(two ^ 2u) * 2654435761u >> (32 - bits)];
            if (i >= 1) sums[1] += weights[(three ^ 3u) * 2654435761u >> (32 - bits)];
            if (i >= 2) sums[2] += weights[(four ^ 4u) * 2654435761u >> (32 - bits)];
            a = b;
            b = c;
            c = d;
        }
        float total = (float)sums[0] + (float)sums[1] + (float)sums[2];
        out[row] = total / (float)root[size + 2 > 4 ? size + 2 : 4];
    }
}
