/* A monitor or a forwarder sleeps while its container runs; it should hold little memory meanwhile. */
#ifndef PODPY_COMMON_MEMORY_H
#define PODPY_COMMON_MEMORY_H

/* Gives back the program's own pages; needed ones come back from the page cache. */
void memory_give_text_back(void);

#endif
