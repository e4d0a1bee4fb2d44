/* sim_memo: signature checks of this process, and how many were remembered.
 * At work only in programs linked with -Wl,--wrap=crypto_sign_verify_detached
 * (SIM_MEMO_WRAP of src/erasim/local.mk) that call sim_memo_counts. */
#ifndef ERA_ERASIM_SIM_MEMO_H
#define ERA_ERASIM_SIM_MEMO_H

#include <stdint.h>

struct sim_memo_counts {
    uint64_t asked, remembered;
};

struct sim_memo_counts sim_memo_counts(void);

#endif
