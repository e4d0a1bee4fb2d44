/* fuzz: what every target defines: feed size bytes to one decoder; return 0.
 * Properties are asserted there (what decodes must encode to the same bytes). */
#ifndef ERA_TESTS_FUZZ_H
#define ERA_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
