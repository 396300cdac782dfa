/* The tree of a site's routes, which places.c keeps and walk.c goes down. */
#ifndef LOGVISION_PLACES_H
#define LOGVISION_PLACES_H

#include "core.h"

enum { CLIENTS = 5 };

/* WAITING: a word that is no place yet. GONE: what a place was whose number may still be in use, or is free. */
enum { ROOMY, CROWDED, CLOSED, WAITING, GONE };

enum { NONE = -1, ROOT = 0 };

typedef struct {
    i32 above, first, last, next, before; /* its parent, its children oldest first, its siblings */
    i32 chained;                          /* the next in its slot, or in the list of free or dropped ones */
    i32 words, waiting;                   /* children that are places and no placeholders; that wait */
    u32 clients[CLIENTS - 1];             /* that were answered for its word, */
    u8 count;                             /* so many; 0: enough */
    u8 state, size;
    u8 word[LV_WORD];
} Place;

typedef struct {
    Place *places;
    i32 *slots;
    i64 used, room;            /* of places; two slots for each: most words that are looked for are not there */
    i64 count, waiting, limit; /* places; words that wait, all together; the most of each */
    i64 forgotten;             /* how often places were dropped anywhere to make room */
    i32 free, dropped;         /* the first of each list */
    int full, failed;          /* no more is learned; there was no memory */
    u64 key;
    const u8 *extensions;
    i64 extension_count;
} Tree;

/* A word of the site, and no placeholder. */
static inline int lv_is_word(const u8 *word) { return word[1] != '{'; }

/* The place or waiting word below a place; NONE: there is none. */
i32 lv_find(const Tree *tree, i32 above, const u8 *word, size_t size);

/* The same, but no waiting word. */
i32 lv_find_place(const Tree *tree, i32 above, const u8 *word, size_t size);

/* The placeholder that a word becomes when it is none of the route's: LV_VARIABLE bytes at most; its size. */
size_t lv_fallback(const Tree *tree, const u8 *word, size_t size, u8 *out);

/* Take in that a word was answered at a place to clients (distinct, CLIENTS at most). */
void lv_learn(Tree *tree, i32 at, const u8 *word, size_t size, const u32 *clients, int count);

/* Numbers of places that are gone may be used again: nothing stands there any more. */
void lv_recycle(Tree *tree);

static inline u64 lv_word_hash(const Tree *tree, i32 above, const u8 *word, size_t size) {
    return lv_hash(word, size, tree->key ^ (u64)above << 20);
}

enum { LV_VARIABLE = 8 + LV_EXTENSION };

#endif
