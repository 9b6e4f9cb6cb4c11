/*
 * huge_pages - some 2 MiB pages more for the time of a test, given back when the program ends.
 */
#ifndef HUGE_PAGES_H
#define HUGE_PAGES_H

#include <stdio.h>
#include <stdlib.h>

#define HUGE_PAGES_PATH "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static int huge_pages_borrowed;

static inline int huge_pages_read(const char *name)
{
    char path[128];
    int value = -1;
    snprintf(path, sizeof(path), HUGE_PAGES_PATH "%s", name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%d", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

/* By how much the pool changed. Relative, for others may borrow at the same time. */
static inline int huge_pages_change(int by)
{
    int before = huge_pages_read("nr_hugepages");
    FILE *file = before < 0 ? NULL : fopen(HUGE_PAGES_PATH "nr_hugepages", "w");
    if (file == NULL)
        return 0;
    fprintf(file, "%d\n", before + by);
    fclose(file);
    return huge_pages_read("nr_hugepages") - before;
}

static inline void huge_pages_return(void)
{
    huge_pages_change(-huge_pages_borrowed);
}

/* False where there is no permission or no memory in one piece. */
static inline int huge_pages_borrow(int count)
{
    huge_pages_borrowed = huge_pages_change(count);
    atexit(huge_pages_return);
    return huge_pages_borrowed >= count;
}

#endif
