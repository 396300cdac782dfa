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
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/* A keyed 64-bit hash: the key is of the process, so nobody can send texts that all fall on one slot. */
u64 lv_hash(const u8 *at, size_t size, u64 key);

/* The canonical form of a text, never longer than it; returns its size. */
size_t lv_decoded(const u8 *text, size_t size, int query, u8 *out);

static inline int lv_same(const u8 *a, const u8 *b, size_t size) { return size == 0 || memcmp(a, b, size) == 0; }

#endif
