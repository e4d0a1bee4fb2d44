/* meter 1.0.0: one reading of an electricity meter, in kilowatt-hours.
 * usage: meter NAME NUMBER */
#include <stdio.h>
#include <stdlib.h>

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
    if (argc < 3) {
        fputs("usage: meter NAME NUMBER\n", stderr);
        return 64;
    }
    printf("{\"meter\":\"%s\",\"reading\":%lu}\n", argv[1], watt_hours(argv[1], strtoul(argv[2], NULL, 10)) / 1000);
    return 0;
}
