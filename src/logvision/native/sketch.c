/* HyperLogLog registers, filled as Apache DataSketches fills them: Spark reads the sketches and writes them too. */
#include "core.h"

static inline u64 turned(u64 word, int by) { return word << by | word >> (64 - by); }

static inline u64 stirred(u64 word) {
    word = (word ^ word >> 33) * 0xff51afd7ed558ccdull;
    word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53ull;
    return word ^ word >> 33;
}

static const u64 ONE = 0x87c37b91114253d5ull, TWO = 0x4cf5ad432745937full;

/* MurmurHash3 of 128 bits for x64 (Appleby), with the seed of DataSketches. */
static void murmured(const u8 *at, size_t size, u64 *first, u64 *second) {
    u64 a = 9001, b = 9001;
    size_t left = size;
    for (; left >= 16; left -= 16, at += 16) {
        a = turned(a ^ turned(lv_eight(at) * ONE, 31) * TWO, 27) + b;
        a = a * 5 + 0x52dce729;
        b = turned(b ^ turned(lv_eight(at + 8) * TWO, 33) * ONE, 31) + a;
        b = b * 5 + 0x38495ab5;
    }
    u8 rest[16] = {0};
    lv_copied(rest, at, left);
    b ^= turned(lv_eight(rest + 8) * TWO, 33) * ONE; /* of zeros: zero */
    a ^= turned(lv_eight(rest) * ONE, 31) * TWO;
    a ^= size;
    b ^= size;
    a += b;
    b += a;
    a = stirred(a);
    b = stirred(b);
    *first = a + b;
    *second = b + *first;
}

static inline double share(u8 value) { return 1.0 / (double)(1ull << value); }

/* Fills `registers` (2 to the power of `bits`, all 0) with what the texts say; empty ones do not count, as there.
 * Returns how many texts that tells of: the sum of what each change was worth (Cohen, "All-Distances Sketches,
 * Revisited: HIP Estimators for Massive Graphs Analysis", PODS 2014). */
LV_API double lv_registers(const u8 *data, const i32 *offsets, i64 rows, i32 bits, u8 *registers) {
    u64 mask = (1ull << bits) - 1;
    double count = (double)(mask + 1), open = count, told = 0;
    for (i64 row = 0; row < rows; row++) {
        u64 name, luck;
        if (offsets[row] == offsets[row + 1]) continue;
        murmured(data + offsets[row], (size_t)(offsets[row + 1] - offsets[row]), &name, &luck);
        u8 zeros = luck == 0 ? 64 : (u8)__builtin_clzll(luck);
        u8 value = (zeros > 62 ? 62 : zeros) + 1, *held = &registers[name & mask];
        if (*held >= value) continue;
        told += count / open;
        open += share(value) - share(*held);
        *held = value;
    }
    return told;
}
