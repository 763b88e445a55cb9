/* memory.h - what the system says about the memory of this process. */
#ifndef MMLI_UTIL_MEMORY_H
#define MMLI_UTIL_MEMORY_H

/* Bytes of this process that are resident now, and were at most. NaN where the system does not say. */
double mmli_memory_resident(void);
double mmli_memory_peak(void);

#endif
