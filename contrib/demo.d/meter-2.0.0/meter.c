/* meter 2.0.0: one reading of an electricity meter. From era 2 on a reading
 * counts watt-hours: the same number means something else, so every node has to
 * change at the same moment. Before, it counts kilowatt-hours as 1.0.0 does.
 * usage: meter NAME NUMBER ERA */
#include <stdio.h>
#include <stdlib.h>

#define WATT_HOURS 1UL
#define WATT_HOURS_OF_A_KILOWATT_HOUR 1000UL

/* What the meter NAME counted up to its reading NUMBER. Made up, and the same everywhere. */
static unsigned long watt_hours(const char *name, unsigned long number)
{
    unsigned long load = 0;
    for (; *name; name++)
        load = (load * 31 + (unsigned char)*name) % 400;
    return 1000000 + number * (200 + load);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: meter NAME NUMBER ERA\n", stderr);
        return 64;
    }
    unsigned long unit = strtoul(argv[3], NULL, 10) >= 2 ? WATT_HOURS : WATT_HOURS_OF_A_KILOWATT_HOUR;
    printf("{\"meter\":\"%s\",\"reading\":%lu}\n", argv[1], watt_hours(argv[1], strtoul(argv[2], NULL, 10)) / unit);
    return 0;
}
