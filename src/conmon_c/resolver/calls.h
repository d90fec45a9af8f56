/* What the process may still do once it listens. */
#ifndef PODPY_RESOLVER_CALLS_H
#define PODPY_RESOLVER_CALLS_H

/* Keeps the two capabilities that listeners of further networks need, and the system calls of its work. Messages come
   from containers: this is for the day when the parser has a hole. */
void confine(void);

#endif
