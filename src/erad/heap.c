#include "src/erad/heap.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define LOAD_BYTES  65536 /* heard between two looks: that is a load */
#define QUIET_LOOKS 4 /* without one, and it is over: by then the node has forgotten what was only for it */
/* What is at least so large has pages of its own, which go when it is freed. By itself malloc moves this
 * bound up to the largest that ever was. */
#define OWN_PAGES_BYTES (128 * 1024)

void era_heap_begin(struct era_heap *heap)
{
    *heap = (struct era_heap){.loaded = true};
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, OWN_PAGES_BYTES);
    mallopt(M_ARENA_MAX, 1); /* of the arenas of threads, malloc_trim leaves the upper end */
#endif
}

bool era_heap_is_over(struct era_heap *heap)
{
    heap->quiet = heap->heard_bytes >= LOAD_BYTES ? 0 : heap->quiet + 1;
    heap->loaded = heap->loaded || heap->quiet == 0;
    heap->heard_bytes = 0;
    bool over = heap->loaded && heap->quiet >= QUIET_LOOKS;
    heap->loaded = heap->loaded && !over;
    return over;
}

#ifdef __GLIBC__
/* glibc keeps up to seven freed pieces of each small size for the thread that freed them, out of
 * malloc_trim's sight, and each keeps its page. */
#define KEPT_EACH  7
#define KEPT_SIZES 64
#define KEPT_STEP  16

static void *free_all(void *pieces)
{
    void **p = pieces;
    for (size_t i = 0; i < (size_t)KEPT_EACH * KEPT_SIZES; i++)
        free(p[i]);
    return NULL;
}

/* They are taken out, and given to a thread that ends: what is kept for it goes with it. */
static void free_what_is_kept(void)
{
    static void *pieces[KEPT_EACH * KEPT_SIZES];
    pthread_t thread;
    for (size_t i = 0; i < (size_t)KEPT_EACH * KEPT_SIZES; i++)
        pieces[i] = malloc((i / KEPT_EACH + 1) * KEPT_STEP + sizeof(size_t));
    if (pthread_create(&thread, NULL, free_all, pieces) == 0)
        pthread_join(thread, NULL);
    else
        (void)free_all(pieces);
}
#endif

void era_heap_trim(void)
{
#ifdef __GLIBC__
    free_what_is_kept();
    malloc_trim(0);
#endif
}
