/* Distinct texts, numbered in order of first appearance. They are copied one behind the other as they come, so that
 * to compare with one that is known does not go back to the log. */
#ifndef LOGVISION_TEXTS_H
#define LOGVISION_TEXTS_H

#include "core.h"

typedef struct {
    u32 tag; /* half of the hash: its low bits say where the slot is, so that a table grows without any text */
    i32 number; /* -1: free */
} Slot;

typedef struct {
    Slot *slots;
    size_t mask;  /* one less than slots, of which at most half are taken */
    i32 *offsets; /* as Arrow has them */
    u8 *bytes;
    i64 found, room;
    u64 key;
} Texts;

/* The number of a text, a new one where it was not met yet; -1: no memory, or more than 2 GiB of texts. */
i32 lv_number(Texts *texts, const u8 *text, size_t size);

#endif
