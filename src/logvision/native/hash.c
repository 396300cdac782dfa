/* Hashes of texts: multiply two 64-bit words to 128 bits and fold the halves together, 16 bytes a round
 * (the construction of wyhash, by Wang Yi). */
#include "core.h"

static const u64 MIX1 = 0xa0761d6478bd642full, MIX2 = 0xe7037ed1a0b428dbull;

static inline u64 word8(const u8 *at) {
    u64 word;
    memcpy(&word, at, 8);
    return word;
}

static inline u64 word4(const u8 *at) {
    u32 word;
    memcpy(&word, at, 4);
    return word;
}

static inline u64 folded(u64 a, u64 b) {
    __uint128_t product = (__uint128_t)a * b;
    return (u64)product ^ (u64)(product >> 64);
}

/* What a text is multiplied with is secret: whoever knew it could send words that make a factor zero, and all
 * such texts would fall on one slot. */
u64 lv_hash(const u8 *at, size_t size, u64 key) {
    u64 one = key ^ MIX1, two = folded(one, MIX2) ^ key, state = folded(two, one ^ MIX2) ^ size, a = 0, b = 0;
    size_t left = size;
    while (left > 16) {
        state = folded(word8(at) ^ one, word8(at + 8) ^ state);
        at += 16;
        left -= 16;
    }
    if (left >= 8) {
        a = word8(at);
        b = word8(at + left - 8);
    } else if (left >= 4) {
        a = word4(at);
        b = word4(at + left - 4);
    } else if (left > 0) {
        a = (u64)at[0] << 16 | (u64)at[left >> 1] << 8 | at[left - 1];
    }
    return folded(folded(a ^ two, b ^ state) ^ one, (u64)size ^ MIX2);
}

/* A hash per text. */
LV_API void lv_hashes(const u8 *data, const i32 *offsets, i64 rows, u64 key, u64 *out) {
    for (i64 row = 0; row < rows; row++)
        out[row] = lv_hash(data + offsets[row], (size_t)(offsets[row + 1] - offsets[row]), key);
}
