/* What the program was started with, and needs no more. */
#ifndef PODPY_FORWARD_MEMORY_H
#define PODPY_FORWARD_MEMORY_H

/* Gives the pages of the program's own code and constants back: what is needed again is read from the page cache. Most
   of what a start touches never is, and each container has a process. */
void memory_give_text_back(void);

#endif
