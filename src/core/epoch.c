#include "src/core/epoch.h"

uint64_t era_epoch_at(const struct era_clock_params *clock, uint64_t reading)
{
    if (reading < clock->genesis_ms)
        return 0;
    uint64_t epoch = (reading - clock->genesis_ms) / clock->epoch_ms;
    return epoch > ERA_EPOCH_MAX ? ERA_EPOCH_MAX : epoch;
}

uint64_t era_epoch_start(const struct era_clock_params *clock, uint64_t epoch)
{
    return era_add_sat(clock->genesis_ms, era_mul_sat(epoch, clock->epoch_ms));
}
