/* smaps.h: how much of a mapping is there. */
#ifndef SMAPS_H
#define SMAPS_H

#include "shm.h"

/* The Rss that smaps tells of the VMA at an address, in KiB; -1: there is none. */
static CHECK_UNUSED long rss(const volatile void *address)
{
	static char text[1 << 18];
	char start[24];
	size_t length = 0;
	ssize_t n;
	int fd = (int)NEED(open("/proc/self/smaps", O_RDONLY));

	while ((n = NEED(read(fd, text + length, sizeof text - 1 - length))) > 0)
		length += (size_t)n;
	text[length] = 0;
	NEED(close(fd));
	snprintf(start, sizeof start, "%08lx-", (unsigned long)address);
	const char *at = strstr(text, start);
	at = at == NULL ? NULL : strstr(at, "\nRss:");
	return at == NULL ? -1 : strtol(at + 5, NULL, 10);
}

#endif
