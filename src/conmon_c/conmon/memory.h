/* A monitor sleeps for as long as its container runs: what it holds of the memory meanwhile. */
#ifndef PODPY_CONMON_MEMORY_H
#define PODPY_CONMON_MEMORY_H

/* Gives back the pages of the program itself; what is needed comes back from the page cache. */
void memory_give_text_back(void);

#endif
