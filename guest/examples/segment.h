/* segment.h: what producer.c and consumer.c agree on: the key and the layout of the segment. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stdatomic.h>
#include <stdint.h>

#define SEGMENT_KEY 0x1234
#define RECORDS 4

/* No pointers in here: the two processes see the segment at different addresses. */
struct record {
	uint32_t number;
	char text[28];
};

struct segment {
	atomic_uint written; /* records complete so far; stored after the record itself */
	atomic_uint taken;   /* records the consumer is done with */
	struct record records[RECORDS];
};

#endif
