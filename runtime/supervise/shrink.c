/* Shrinks the foreground runtime before it waits for the payload: see shrink.h. Only the waiting process does
 * this. */
#include "supervise/shrink.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Segments that are never written have no contents of their own: dropping their pages loses nothing. Those
 * that are writable, or were while the program was linked (RELRO lies in them), must stay.
 */
static int drop_read_only_segments(struct dl_phdr_info *object, size_t size, void *page_size)
{
    uintptr_t page = *(uintptr_t *)page_size;

    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = start + segment->p_memsz;

        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        start &= ~(page - 1);
        end = (end + page - 1) & ~(page - 1);
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void shrink_resident_memory(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    malloc_trim(0);
    dl_iterate_phdr(drop_read_only_segments, &page);
}
