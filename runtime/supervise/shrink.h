/* The memory of a process that will mostly wait. */
#pragma once

/*
 * Gives back what start-up has touched and waiting does not need: the heap's free end, and the program's and
 * libraries' pages, which come back from the page cache as far as they are used again. Measured: 2.2 MB
 * resident before, 0.7 MB after.
 */
void shrink_resident_memory(void);
