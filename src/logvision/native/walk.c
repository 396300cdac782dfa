/* Forms of paths on their way down the tree of routes, and what is learned on it (enrich/places.py). */
#include "places.h"

/* A form on its way down the tree. */
typedef struct {
    Word word;     /* its next segment, below the place where it stands */
    const u8 *end; /* of the form, whose last slash is not read */
    i32 below;     /* where its next segment leads; NONE: to no place */
    i32 asked;     /* its number among what was answered, from 1 on; 0: none yet; NONE: it is settled */
    u8 lost;       /* it leads to no place */
    u8 slash;      /* it ended with a slash */
} Walker;

/* What was answered on a level: a word at a place, to the first CLIENTS clients. */
typedef struct {
    const Walker *walker;
    u32 clients[CLIENTS];
    i32 count;
    i64 moment;
} Asked;

typedef struct {
    Walker *walkers;
    i32 *on; /* of walkers: those that go on */
    Asked *asked;
    i32 *slots; /* of asked, by place and word */
    i32 *order; /* of asked: in the order of time */
    u64 mask;
    i64 going;
} Walk;

/* Where a walker's next segment leads; true: learning can change that. */
static int looks(const Tree *tree, Walker *walker) {
    const Word *word = &walker->word;
    walker->below = lv_find_place(tree, word);
    if (walker->below != NONE) return tree->places[walker->below].count > 0;
    if (lv_is_word(word->text)) {
        u8 text[LV_VARIABLE];
        Word variable = lv_word(tree, word->above, text, lv_fallback(tree, word, text));
        walker->below = lv_find(tree, &variable);
        if (walker->below != NONE && tree->places[word->above].state == CLOSED) return 0;
    }
    return !tree->full;
}

/* The number, from 1 on, of what a walker asks at its place; `asked` more are known. */
static i32 number(const Walk *walk, const Walker *walker, i32 asked) {
    u64 at = walker->word.hash & walk->mask;
    for (; walk->slots[at]; at = (at + 1) & walk->mask)
        if (lv_same_word(&walk->asked[walk->slots[at] - 1].walker->word, &walker->word)) return walk->slots[at];
    walk->slots[at] = asked + 1;
    return asked + 1;
}

/* Learn what was answered on this level. A word's moment is when it is confirmed, or else when it came: who is
 * busiest is confirmed first. Of one answered to many the clients beyond CLIENTS are not looked at. */
static void teach(Tree *tree, Walk *walk, const i32 *answered, const u32 *clients, i64 answers) {
    i32 asked = 0;
    i64 moments = 0;
    memset(walk->slots, 0, (walk->mask + 1) * sizeof(i32));
    for (i64 row = 0; row < answers; row++) {
        Walker *walker = &walk->walkers[answered[row]];
        if (walker->asked == NONE) continue;
        if (walker->asked == 0) {
            walker->asked = number(walk, walker, asked);
            if (walker->asked > asked) {
                walk->asked[asked++] = (Asked){.walker = walker, .moment = moments};
                walk->order[moments++] = asked;
            }
        }
        Asked *word = &walk->asked[walker->asked - 1];
        /* A placeholder is settled by any one answer. */
        u32 client = lv_is_word(walker->word.text) ? clients[row] : 0;
        i32 other = 0;
        while (other < word->count && word->clients[other] != client) other++;
        if (other < word->count || word->count == CLIENTS) continue;
        word->clients[word->count++] = client;
        if (word->count == CLIENTS) {
            walk->order[word->moment] = 0;
            walk->order[moments++] = walker->asked;
        }
    }
    for (i64 moment = 0; moment < moments; moment++) {
        if (!walk->order[moment]) continue;
        const Asked *word = &walk->asked[walk->order[moment] - 1];
        lv_learn(tree, &word->walker->word, word->clients, word->count);
    }
}

/* Take all forms down the tree, a level at a time; what was answered is learned before the level is passed. */
static void descend(Tree *tree, Walk *walk, i64 forms, const u8 *data, const i32 *offsets, const i32 *answered,
                    const u32 *clients, i64 answers) {
    walk->going = 0;
    for (i32 form = 0; form < forms; form++) {
        Walker *walker = &walk->walkers[form];
        const u8 *at = data + offsets[form], *end = data + offsets[form + 1];
        u8 slash = end > at && end[-1] == '/';
        end -= slash;
        *walker = (Walker){.word = {.text = at, .above = ROOT}, .end = end, .asked = NONE, .slash = slash};
        if (end > at) walk->on[walk->going++] = form;
    }
    for (int level = 0; level < LV_DEPTH && walk->going; level++) {
        int open = 0;
        for (i64 n = 0; n < walk->going; n++) {
            Walker *walker = &walk->walkers[walk->on[n]];
            const u8 *text = walker->word.text, *next = memchr(text + 1, '/', (size_t)(walker->end - text - 1));
            i64 size = (next == NULL ? walker->end : next) - text;
            /* No form has a longer one. */
            walker->word = lv_word(tree, walker->word.above, text, (size_t)(size < LV_WORD ? size : LV_WORD));
            walker->asked = looks(tree, walker) ? 0 : NONE;
            open |= walker->asked == 0;
        }
        if (open && answers) {
            tree->clock++;
            teach(tree, walk, answered, clients, answers);
            for (i64 n = 0; n < walk->going; n++) {
                Walker *walker = &walk->walkers[walk->on[n]];
                if (tree->places[walker->word.above].changed == tree->clock) looks(tree, walker);
            }
        }
        i64 going = 0;
        for (i64 n = 0; n < walk->going; n++) {
            Walker *walker = &walk->walkers[walk->on[n]];
            walker->asked = NONE;
            walker->lost = walker->below == NONE;
            if (walker->lost) continue;
            walker->word.above = walker->below;
            walker->word.text += walker->word.size;
            if (walker->word.text < walker->end) walk->on[going++] = walk->on[n];
        }
        walk->going = going;
    }
}

/* The route of where a form ended. */
static u8 *route(const Tree *tree, const Walker *walker, u8 *out) {
    i32 places[LV_DEPTH], depth = 0;
    const Word *word = &walker->word;
    u8 *start = out;
    for (i32 at = word->above; at != ROOT; at = tree->places[at].above) places[depth++] = at;
    while (depth--) out = lv_copied(out, tree->places[places[depth]].word, tree->places[places[depth]].size);
    if (!walker->lost) {
        out = lv_copied(out, word->text, (size_t)(walker->end - word->text)); /* {rest}, beyond the last level */
    } else {
        if (lv_is_word(word->text)) out += lv_fallback(tree, word, out);
        else out = lv_copied(out, word->text, word->size);
        if (word->text + word->size < walker->end) out = lv_copied(out, "/{rest}", 7);
    }
    if (out == start || walker->slash) *out++ = '/';
    return out;
}

/* The routes of forms (forms.c), after learning which were answered to which clients, in the order of time.
 * `out` has room for 80 bytes a form more than the forms have. Returns 0; -1: no memory. */
LV_API i64 lv_places_routes(Tree *tree, const u8 *data, const i32 *offsets, i64 forms, const i32 *answered,
                            const u32 *clients, i64 answers, u8 *out, i32 *ends) {
    Walk walk = {.mask = 15};
    while (walk.mask + 1 < 2 * (u64)forms) walk.mask = walk.mask * 2 + 1;
    walk.walkers = malloc((size_t)(forms + 1) * sizeof(Walker));
    walk.on = malloc((size_t)(forms + 1) * sizeof(i32));
    walk.asked = malloc((size_t)(forms + 1) * sizeof(Asked));
    walk.slots = malloc((walk.mask + 1) * sizeof(i32));
    walk.order = malloc((size_t)(2 * forms + 1) * sizeof(i32));
    if (walk.walkers && walk.on && walk.asked && walk.slots && walk.order) {
        lv_recycle(tree);
        i64 forgotten = tree->forgotten;
        descend(tree, &walk, forms, data, offsets, answered, clients, answers);
        /* A place that was passed may be gone. */
        if (tree->forgotten > forgotten) descend(tree, &walk, forms, data, offsets, answered, clients, 0);
        u8 *at = out;
        ends[0] = 0;
        for (i64 form = 0; form < forms; form++) {
            if (offsets[form + 1] > offsets[form]) at = route(tree, &walk.walkers[form], at);
            else at = lv_copied(at, "{other}", 7);
            ends[form + 1] = (i32)(at - out);
        }
    } else {
        tree->failed = 1;
    }
    free(walk.walkers);
    free(walk.on);
    free(walk.asked);
    free(walk.slots);
    free(walk.order);
    return tree->failed ? -1 : 0;
}
