/*
 * intmix.c: what integer programs do, in turn: linked lists (find, reverse, merge sort), a small matrix, a state
 * machine over text, a CRC over all results.
 */
#include "bench.h"

enum { NODES = 100, SIDE = 12 };

struct node {
	struct node *next;
	int16_t key, data;
};

static struct node nodes[NODES];

static uint16_t crc16(uint16_t crc, uint16_t value)
{
	for (int i = 0; i < 16; i++) {
		int bit = (crc ^ value) & 1;
		crc >>= 1;
		if (bit)
			crc ^= 0xa001;
		value >>= 1;
	}
	return crc;
}

static struct node *make_list(uint32_t seed)
{
	for (int i = 0; i < NODES; i++) {
		nodes[i].key = (int16_t)i;
		nodes[i].data = (int16_t)(next_random(&seed) >> 16);
		nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
	}
	return nodes;
}

static struct node *find(struct node *list, int16_t data)
{
	while (list && list->data != data)
		list = list->next;
	return list;
}

static struct node *reverse(struct node *list)
{
	struct node *done = NULL;
	while (list) {
		struct node *next = list->next;
		list->next = done;
		done = list;
		list = next;
	}
	return done;
}

static int by_data(const struct node *a, const struct node *b)
{
	return a->data - b->data;
}

static int by_key(const struct node *a, const struct node *b)
{
	return a->key - b->key;
}

static struct node *merge(struct node *a, struct node *b, int (*compare)(const struct node *, const struct node *))
{
	struct node head, *tail = &head;
	while (a && b) {
		struct node **least = compare(a, b) <= 0 ? &a : &b;
		tail->next = *least;
		tail = *least;
		*least = (*least)->next;
	}
	tail->next = a ? a : b;
	return head.next;
}

static struct node *sort(struct node *list, int (*compare)(const struct node *, const struct node *))
{
	if (!list || !list->next)
		return list;
	struct node *slow = list, *fast = list->next;
	while (fast && fast->next) {
		slow = slow->next;
		fast = fast->next->next;
	}
	struct node *second = slow->next;
	slow->next = NULL;
	return merge(sort(list, compare), sort(second, compare), compare);
}

static uint16_t lists(uint16_t crc, uint32_t seed)
{
	struct node *list = make_list(seed);
	for (int i = 0; i < 10; i++) {
		struct node *found = find(list, nodes[(seed + (uint32_t)i * 37u) % NODES].data);
		crc = crc16(crc, found ? (uint16_t)found->key : 0);
		list = reverse(list);
	}
	list = sort(list, by_data);
	crc = crc16(crc, (uint16_t)list->key);
	list = sort(list, by_key);
	return crc16(crc, (uint16_t)list->data);
}

static uint16_t matrix(uint16_t crc, uint32_t seed)
{
	static int16_t a[SIDE][SIDE], b[SIDE][SIDE];
	static int32_t c[SIDE][SIDE];
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = (int16_t)(seed + (uint32_t)(i * j));
			b[i][j] = (int16_t)(a[i][j] ^ (i + j));
		}
	int32_t sum = 0;
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			int32_t dot = 0;
			for (int k = 0; k < SIDE; k++)
				dot += a[i][k] * b[k][j] >> 2;
			c[i][j] = dot;
			sum += dot > 1000 ? 10 : c[j][i] & 15;
		}
	return crc16(crc, (uint16_t)sum);
}

enum state { START, INT, FRACTION, EXPONENT_SIGN, EXPONENT, WORD, STATES };

/* Classifies comma-separated fields: integers, decimals, exponents, other words. */
static uint16_t machine(uint16_t crc, const char *text)
{
	uint16_t count[STATES] = { 0 };
	enum state state = START;
	for (;; text++) {
		char c = *text;
		if (c == ',' || c == 0) {
			count[state]++;
			state = START;
			if (c == 0)
				break;
			continue;
		}
		int digit = c >= '0' && c <= '9';
		switch (state) {
		case START: state = digit || c == '-' || c == '+' ? INT : c == '.' ? FRACTION : WORD; break;
		case INT: state = digit ? INT : c == '.' ? FRACTION : c == 'e' ? EXPONENT_SIGN : WORD; break;
		case FRACTION: state = digit ? FRACTION : c == 'e' ? EXPONENT_SIGN : WORD; break;
		case EXPONENT_SIGN: state = digit || c == '-' || c == '+' ? EXPONENT : WORD; break;
		case EXPONENT: state = digit ? EXPONENT : WORD; break;
		default: break;
		}
	}
	for (int i = 0; i < STATES; i++)
		crc = crc16(crc, count[i]);
	return crc;
}

int main(int argc, char **argv)
{
	static char text[] = "5012,-874,+122,35.54400,.1234500,-110.700,5.500e+3,-.123e-2,87e+832,T0.3e-1F,-T.T++Tq,1T3.4e4z";
	long n = iterations(argc, argv, 1000);
	uint16_t crc = 0xffff;
	for (long i = 0; i < n; i++) {
		crc = lists(crc, (uint32_t)i + crc);
		crc = matrix(crc, (uint32_t)i);
		text[i % 90] ^= 1;
		crc = machine(crc, text);
	}
	return report("intmix", crc);
}
