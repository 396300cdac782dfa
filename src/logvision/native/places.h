/* The tree of a site's routes, which places.c keeps and walk.c goes down. */
#ifndef LOGVISION_PLACES_H
#define LOGVISION_PLACES_H

#include "core.h"

enum { CLIENTS = 5 };

/* WAITING: a word that is no place yet. GONE: what a place was whose number may still be in use, or is free. */
enum { ROOMY, CROWDED, CLOSED, WAITING, GONE };

enum { NONE = -1, ROOT = 0 };

typedef struct {
    i32 chained; /* the next in its slot, or in the list of free or dropped ones */
    u32 hash;    /* of its word here; what is looked at for every word comes first, in one line of the cache */
    i32 above;   /* its parent */
    u32 changed; /* when one of its children, a place too, last came or went */
    u8 count;    /* of clients that were answered for its word; 0: enough */
    u8 state, size;
    u8 word[LV_WORD];
    u32 clients[CLIENTS - 1];
    i32 first, last, next, before; /* its children oldest first, its siblings */
    i32 words, waiting;            /* children that are places and no placeholders; that wait */
} Place;

/* A word below a place, with the slash before it. */
typedef struct {
    const u8 *text;
    u32 hash; /* of the text and the place */
    i32 above;
    u8 size;
} Word;

typedef struct {
    Place *places;
    i32 *slots;
    i64 used, room;            /* of places; two slots for each: most words that are looked for are not there */
    i64 count, waiting, limit; /* places; words that wait, all together; the most of each */
    i64 forgotten;             /* how often places were dropped anywhere to make room */
    i32 free, dropped;         /* the first of each list */
    int full, failed;          /* no more is learned; there was no memory */
    u32 clock; /* goes on as places learn */
    u64 key;
    const u8 *extensions;
    i64 extension_count;
} Tree;

enum { LV_VARIABLE = 8 + LV_EXTENSION };

static inline Word lv_word(const Tree *tree, i32 above, const u8 *text, size_t size) {
    return (Word){text, (u32)(lv_hash(text, size, tree->key ^ (u64)above << 20) >> 32), above, (u8)size};
}

static inline int lv_same_word(const Word *word, const Word *other) {
    return word->hash == other->hash && word->above == other->above && word->size == other->size &&
           lv_same(word->text, other->text, word->size);
}

/* A word of the site, and no placeholder. */
static inline int lv_is_word(const u8 *text) { return text[1] != '{'; }

/* The place or waiting word that a word is; NONE: there is none. */
i32 lv_find(const Tree *tree, const Word *word);

/* The same, but no waiting word. */
i32 lv_find_place(const Tree *tree, const Word *word);

/* The placeholder that a word becomes when it is none of the route's, LV_VARIABLE bytes at most; its size. */
size_t lv_fallback(const Tree *tree, const Word *word, u8 *out);

/* Take in that a word was answered to clients (distinct, CLIENTS at most). */
void lv_learn(Tree *tree, const Word *word, const u32 *clients, int count);

/* Numbers of places that are gone may be used again: nothing stands there any more. */
void lv_recycle(Tree *tree);

#endif
