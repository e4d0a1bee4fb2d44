/* When a load is over. */
#include <criterion/criterion.h>

#include "src/erad/heap.h"

static size_t looks_until_over(struct era_heap *heap)
{
    for (size_t looks = 1; looks < 100; looks++)
        if (era_heap_is_over(heap))
            return looks;
    return 0;
}

Test(heap, the_start_is_a_load_and_over_once)
{
    struct era_heap heap;
    era_heap_begin(&heap);
    cr_assert_eq(looks_until_over(&heap), 4);
    cr_assert_eq(looks_until_over(&heap), 0);
}

Test(heap, a_load_is_over_when_little_was_heard_for_four_looks)
{
    struct era_heap heap;
    era_heap_begin(&heap);
    (void)looks_until_over(&heap);
    heap.heard_bytes = 1000000;
    cr_assert_not(era_heap_is_over(&heap));
    heap.heard_bytes = 100;
    cr_assert_not(era_heap_is_over(&heap));
    heap.heard_bytes = 1000000; /* it was not */
    cr_assert_not(era_heap_is_over(&heap));
    cr_assert_eq(looks_until_over(&heap), 4);
}

Test(heap, little_that_comes_again_and_again_is_no_load)
{
    struct era_heap heap;
    era_heap_begin(&heap);
    (void)looks_until_over(&heap);
    for (size_t i = 0; i < 1000; i++) {
        heap.heard_bytes = 10000;
        cr_assert_not(era_heap_is_over(&heap));
    }
}
