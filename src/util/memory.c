/* memory.c - what the system says about the memory of this process. getrusage() would do, but a program that was started
 * by a larger one inherits the larger one's peak. */
#include "util/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A line "VmHWM:     12345 kB" of /proc/self/status (Linux). */
static double from_status(const char *key)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    double kib = (double)NAN;

    if (!f)
        return kib;
    while (fgets(line, sizeof line, f)) {
        unsigned long long n;

        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), ": %llu kB", &n) == 1)
            kib = (double)n;
    }
    fclose(f);
    return 1024.0 * kib;
}

double mmli_memory_resident(void)
{
    return from_status("VmRSS");
}

double mmli_memory_peak(void)
{
    return from_status("VmHWM");
}
