/* The tree of a site's routes (enrich/places.py says what it learns and why): places, and the words that wait
 * outside of crowded ones. Numbers in one array, found by (place, word) in one table of chains. */
#include "places.h"

enum { WORDS = 64, WAITERS = 4 * WORDS };

/* A place as it is saved; its parent is one of those before it. */
typedef struct {
    i32 above;
    u32 clients[CLIENTS - 1];
    u8 state, count, size;
    u8 word[LV_WORD];
} Saved;

_Static_assert(sizeof(Saved) == 88, "as paths.py has it");

static i32 *slot(const Tree *tree, u32 hash) { return &tree->slots[hash & (u64)(2 * tree->room - 1)]; }

i32 lv_find(const Tree *tree, const Word *word) {
    i32 at = *slot(tree, word->hash);
    for (; at != NONE; at = tree->places[at].chained) {
        const Place *place = &tree->places[at];
        if (place->hash == word->hash && place->above == word->above && place->size == word->size &&
            lv_same(place->word, word->text, word->size))
            return at;
    }
    return NONE;
}

i32 lv_find_place(const Tree *tree, const Word *word) {
    i32 at = lv_find(tree, word);
    return at != NONE && tree->places[at].state == WAITING ? NONE : at;
}

size_t lv_fallback(const Tree *tree, const Word *word, u8 *out) {
    const u8 *dot, *text = word->text;
    i64 known = 0;
    if (text[1] != '.')
        known = lv_extension(tree->extensions, tree->extension_count, text + 1, text + word->size, &dot);
    memcpy(out, "/{slug}", 7);
    if (!known) return 7;
    out[7] = '.';
    size_t size = 8;
    for (const u8 *name = tree->extensions + (known - 1) * LV_EXTENSION; size < LV_VARIABLE && *name; name++)
        out[size++] = *name;
    return size;
}

static void link_slot(Tree *tree, i32 at) {
    Place *place = &tree->places[at];
    i32 *head = slot(tree, place->hash);
    place->chained = *head;
    *head = at;
}

/* Room for one more; 0: no memory. */
static int widen(Tree *tree) {
    if (tree->used < tree->room) return 1;
    i64 room = tree->room ? tree->room * 2 : 256;
    Place *places = realloc(tree->places, (size_t)room * sizeof(Place));
    if (places == NULL) return 0;
    tree->places = places;
    i32 *slots = realloc(tree->slots, 2 * (size_t)room * sizeof(i32));
    if (slots == NULL) return 0;
    tree->slots = slots;
    tree->room = room;
    for (i64 n = 0; n < 2 * room; n++) slots[n] = NONE;
    for (i32 at = 0; at < tree->used; at++)
        if (places[at].state != GONE) link_slot(tree, at);
    return 1;
}

/* A new place or waiting word at the end of its parent's children; NONE: no memory. */
static i32 fresh(Tree *tree, const Word *word, u8 state) {
    i32 at = tree->free;
    if (at != NONE) {
        tree->free = tree->places[at].chained;
    } else if (widen(tree)) {
        at = (i32)tree->used++;
    } else {
        tree->failed = 1;
        return NONE;
    }
    Place *place = &tree->places[at];
    *place = (Place){.above = word->above, .first = NONE, .last = NONE, .next = NONE, .before = NONE, .state = state};
    place->hash = word->hash;
    place->size = word->size;
    memcpy(place->word, word->text, word->size);
    link_slot(tree, at);
    *(state == WAITING ? &tree->waiting : &tree->count) += 1;
    if (word->above == NONE) return at;
    Place *parent = &tree->places[word->above];
    place->before = parent->last;
    if (parent->last == NONE) parent->first = at;
    else tree->places[parent->last].next = at;
    parent->last = at;
    if (state == WAITING) {
        parent->waiting++;
    } else {
        parent->words += lv_is_word(word->text);
        parent->changed = tree->clock;
    }
    return at;
}

static void unlink_slot(Tree *tree, i32 at) {
    Place *place = &tree->places[at];
    i32 *link = slot(tree, place->hash);
    while (*link != at) link = &tree->places[*link].chained;
    *link = place->chained;
}

/* Take a place, or a waiting word, and what is below it out of the tree. Numbers of places stay what they are
 * until the next batch: paths may stand there. */
static void gone(Tree *tree, i32 at) {
    for (i32 child = tree->places[at].first; child != NONE; child = tree->places[child].next) gone(tree, child);
    Place *place = &tree->places[at];
    i32 *list = place->state == WAITING ? &tree->free : &tree->dropped;
    unlink_slot(tree, at);
    *(place->state == WAITING ? &tree->waiting : &tree->count) -= 1;
    place->state = GONE;
    place->changed = tree->clock;
    place->chained = *list;
    *list = at;
}

static void drop(Tree *tree, i32 at) {
    Place *place = &tree->places[at], *parent = &tree->places[place->above];
    if (place->state == WAITING) {
        parent->waiting--;
    } else {
        parent->words -= lv_is_word(place->word);
        parent->changed = tree->clock;
    }
    *(place->before == NONE ? &parent->first : &tree->places[place->before].next) = place->next;
    *(place->next == NONE ? &parent->last : &tree->places[place->next].before) = place->before;
    gone(tree, at);
}

/* Make room: let go of words that few clients were answered for. No room gained: stop learning. */
static void forget(Tree *tree) {
    tree->forgotten++;
    for (int enough = 2; enough <= CLIENTS; enough += CLIENTS - 2) {
        for (i32 at = 0; at < tree->used; at++) {
            const Place *place = &tree->places[at];
            if (place->state <= CLOSED && place->count > 0 && place->count < enough) drop(tree, at);
        }
        if (tree->count <= tree->limit * 9 / 10) return;
    }
    tree->full = 1;
}

static void note(Place *place, const u32 *clients, int count) {
    place->count = count < CLIENTS ? (u8)count : 0;
    if (place->count) memcpy(place->clients, clients, (size_t)count * sizeof(u32));
}

/* Make a place, confirmed or with the clients its word was answered to; 0: there is no room. */
static int grow(Tree *tree, const Word *word, const u32 *clients, int count) {
    if (tree->count >= tree->limit && !tree->full) forget(tree);
    if (tree->full || tree->places[word->above].state == GONE) return 0;
    i32 at = fresh(tree, word, ROOMY);
    if (at == NONE) return 0;
    note(&tree->places[at], clients, count);
    return 1;
}

/* The clients of a place's word and those of the others that are not among them. */
static int joined(const Place *place, const u32 *clients, int count, u32 *out) {
    int have = 0;
    if (place != NULL)
        for (; have < place->count; have++) out[have] = place->clients[have];
    for (int n = 0, known = have; n < count; n++) {
        int other = 0;
        while (other < known && out[other] != clients[n]) other++;
        if (other == known) out[have++] = clients[n];
    }
    return have;
}

/* Make a place a variable: words that too few clients were answered for wait outside. */
static void crowd(Tree *tree, i32 at) {
    Place *place = &tree->places[at];
    place->state = CROWDED;
    place->changed = tree->clock;
    for (i32 child = place->first; child != NONE; child = tree->places[child].next) {
        Place *word = &tree->places[child];
        if (!word->count) continue;
        for (i32 below = word->first; below != NONE; below = tree->places[below].next) gone(tree, below);
        word->first = word->last = NONE;
        word->words = word->waiting = 0;
        word->state = WAITING;
        tree->count--;
        tree->waiting++;
        place->words--;
        place->waiting++;
    }
}

/* Keep the first half of the confirmed words for ever: being first, they are the busiest. */
static void shut(Tree *tree, i32 at) {
    int kept = 0;
    tree->places[at].state = CLOSED;
    for (i32 child = tree->places[at].first, next; child != NONE; child = next) {
        next = tree->places[child].next;
        if (tree->places[child].state == WAITING || (lv_is_word(tree->places[child].word) && ++kept > WORDS / 2))
            drop(tree, child);
    }
}

/* Full of words that one client asked for: let them go, busy ones come back soon. */
static void clear(Tree *tree, i32 at) {
    for (int most = 1; most < CLIENTS && tree->places[at].waiting >= WAITERS; most += CLIENTS - 2)
        for (i32 child = tree->places[at].first, next; child != NONE; child = next) {
            next = tree->places[child].next;
            if (tree->places[child].state == WAITING && tree->places[child].count <= most) drop(tree, child);
        }
}

/* The same for the words of all places, when they are too many together. */
static void clear_all(Tree *tree) {
    for (int most = 1; most < CLIENTS && tree->waiting > tree->limit / 2; most += CLIENTS - 2)
        for (i32 at = 0; at < tree->used; at++)
            if (tree->places[at].state == WAITING && tree->places[at].count <= most) drop(tree, at);
}

/* Count clients for a waiting word; true when the word may stay from now on. */
static int confirms(Tree *tree, const Word *word, const u32 *clients, int count) {
    u32 have[2 * CLIENTS];
    i32 waiting = lv_find(tree, word);
    count = joined(waiting == NONE ? NULL : &tree->places[waiting], clients, count, have);
    if (waiting != NONE) drop(tree, waiting);
    if (count >= CLIENTS) {
        if (tree->places[word->above].words < WORDS) return 1;
        shut(tree, word->above);
        return 0;
    }
    clear(tree, word->above);
    if (tree->waiting >= tree->limit) clear_all(tree);
    waiting = fresh(tree, word, WAITING);
    if (waiting != NONE) note(&tree->places[waiting], have, count);
    return 0;
}

/* Does its place take a word in; if not, what was asked for is its variable. */
static int takes(Tree *tree, const Word *word, const u32 *clients, int count) {
    if (tree->places[word->above].state == ROOMY) {
        if (tree->places[word->above].words < WORDS) return grow(tree, word, clients, count);
        crowd(tree, word->above);
    }
    return tree->places[word->above].state == CROWDED && confirms(tree, word, clients, count) &&
           grow(tree, word, NULL, 0);
}

void lv_learn(Tree *tree, const Word *word, const u32 *clients, int count) {
    i32 place = lv_find_place(tree, word);
    if (place != NONE) {
        u32 have[2 * CLIENTS];
        if (!tree->places[place].count) return;
        count = joined(&tree->places[place], clients, count, have);
        note(&tree->places[place], have, count);
    } else if (tree->places[word->above].state != GONE) {
        if (!lv_is_word(word->text)) {
            grow(tree, word, NULL, 0);
        } else if (!takes(tree, word, clients, count)) {
            u8 text[LV_VARIABLE];
            Word variable = lv_word(tree, word->above, text, lv_fallback(tree, word, text));
            if (lv_find(tree, &variable) == NONE) grow(tree, &variable, NULL, 0);
        }
    }
}

void lv_recycle(Tree *tree) {
    while (tree->dropped != NONE) {
        i32 at = tree->dropped;
        tree->dropped = tree->places[at].chained;
        tree->places[at].chained = tree->free;
        tree->free = at;
    }
}

LV_API void lv_places_free(Tree *tree) {
    if (tree == NULL) return;
    free(tree->places);
    free(tree->slots);
    free(tree);
}

/* An empty tree of at most `limit` places; NULL: no memory. The table of extensions must outlive it. */
LV_API Tree *lv_places_new(i64 limit, u64 key, const u8 *extensions, i64 extension_count) {
    Tree *tree = calloc(1, sizeof(Tree));
    if (tree == NULL) return NULL;
    tree->limit = limit;
    tree->key = key;
    tree->extensions = extensions;
    tree->extension_count = extension_count;
    tree->free = tree->dropped = NONE;
    Word root = lv_word(tree, NONE, (const u8 *)"", 0);
    if (fresh(tree, &root, ROOMY) == NONE) {
        lv_places_free(tree);
        return NULL;
    }
    return tree;
}

LV_API i64 lv_places_count(const Tree *tree) { return tree->count; }

LV_API i32 lv_places_full(const Tree *tree) { return tree->full; }

/* How many rows `lv_places_save` writes. */
LV_API i64 lv_places_saved(const Tree *tree) {
    i64 rows = 0;
    for (i64 at = 0; at < tree->used; at++) rows += tree->places[at].state != GONE;
    return rows;
}

/* All places and waiting words, parents first, siblings oldest first. Returns 0; -1: no memory. */
LV_API i64 lv_places_save(const Tree *tree, Saved *rows) {
    i32 *row_of = malloc((size_t)tree->used * sizeof(i32));
    if (row_of == NULL) return -1;
    i32 row = 0;
    for (i32 at = ROOT; at != NONE;) {
        const Place *place = &tree->places[at];
        Saved *saved = &rows[row];
        *saved = (Saved){.above = place->above == NONE ? NONE : row_of[place->above], .state = place->state};
        saved->count = place->count;
        saved->size = place->size;
        memcpy(saved->clients, place->clients, sizeof place->clients);
        memcpy(saved->word, place->word, place->size);
        row_of[at] = row++;
        i32 next = place->first;
        while (next == NONE && at != NONE) {
            next = tree->places[at].next;
            at = tree->places[at].above;
        }
        at = next;
    }
    free(row_of);
    return 0;
}

/* Whether a place may have children: it is one, and they are no deeper than forms go. */
static int is_above(const Tree *tree, i32 at) {
    int depth = 0;
    if (tree->places[at].state == WAITING) return 0;
    for (; at != ROOT && depth < LV_DEPTH; at = tree->places[at].above) depth++;
    return depth < LV_DEPTH;
}

/* Take up saved rows, the root first, into a new tree. Returns 0; -1: no memory, or rows that no tree has. */
LV_API i64 lv_places_load(Tree *tree, const Saved *rows, i64 count, int full) {
    tree->full = full;
    for (i32 row = 0; row < count; row++) {
        const Saved *saved = &rows[row];
        if (saved->state >= GONE || saved->count >= CLIENTS) return -1;
        if (row == ROOT) {
            if (saved->size) return -1;
            tree->places[ROOT].state = saved->state;
            continue;
        }
        if (saved->above < 0 || saved->above >= row || saved->size < 2 || saved->size > LV_WORD) return -1;
        if (!is_above(tree, saved->above)) return -1;
        Word word = lv_word(tree, saved->above, saved->word, saved->size);
        if (fresh(tree, &word, saved->state) == NONE) return -1;
        note(&tree->places[row], saved->clients, saved->count);
    }
    return 0;
}

