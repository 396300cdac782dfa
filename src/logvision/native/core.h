/* What the files of the core share. Every function here is called by ctypes with the GIL released:
 * no Python object is touched, no global is written after start, and all lengths come with their bytes.
 * Texts are given as in Arrow: bytes and rows + 1 rising offsets (int32), or slices as int64 starts and ends.
 */
#ifndef LOGVISION_CORE_H
#define LOGVISION_CORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define LV_API __declspec(dllexport)
#else
#define LV_API __attribute__((visibility("default")))
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/* A keyed 64-bit hash: the key is of the process, so nobody can send texts that all fall on one slot. */
u64 lv_hash(const u8 *at, size_t size, u64 key);

/* CRC-32 (ISO 3309) of a text behind one that has `crc`; 0: behind none. Not keyed: for numbers that are saved. */
u32 lv_crc32(u32 crc, const u8 *at, const u8 *end);

/* The canonical form of a text, never longer than it; returns its size. */
size_t lv_decoded(const u8 *text, size_t size, int query, u8 *out);

/* Bytes of the longest extension that is known (enrich/shape.py), and of a word of a route with the slash before it
 * (forms.c). */
enum { LV_EXTENSION = 11, LV_WORD = 65 };

/* Segments of a form that are kept; a tail stands for the rest. */
enum { LV_DEPTH = 10 };

/* The number of a text's extension among the known ones, from 1 on, and where its dot is; 0: it has none of them.
 * They are sorted, LV_EXTENSION bytes each, filled up with zeros. */
i64 lv_extension(const u8 *extensions, i64 count, const u8 *at, const u8 *end, const u8 **dot);

static inline int lv_same(const u8 *a, const u8 *b, size_t size) { return size == 0 || memcmp(a, b, size) == 0; }

/* Eight bytes as a number of which the first is the lowest. */
static inline u64 lv_eight(const u8 *at) {
    u64 word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Appends a text; returns its end. */
static inline u8 *lv_copied(u8 *out, const void *text, size_t size) {
    if (size) memcpy(out, text, size);
    return out + size;
}

#endif
