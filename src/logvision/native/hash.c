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

u32 lv_crc32(u32 crc, const u8 *at, const u8 *end) {
    static const u32 NIBBLES[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                    0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    crc = ~crc;
    for (; at < end; at++) {
        crc = crc >> 4 ^ NIBBLES[(crc ^ *at) & 15];
        crc = crc >> 4 ^ NIBBLES[(crc ^ *at >> 4) & 15];
    }
    return ~crc;
}

/* CRC-32 of every text: clients as numbers that are the same in every process. */
LV_API void lv_crcs(const u8 *data, const i32 *offsets, i64 rows, u32 *out) {
    for (i64 row = 0; row < rows; row++) out[row] = lv_crc32(0, data + offsets[row], data + offsets[row + 1]);
}
