/*
 * Random sequences of operations on two files of tmpfs and a window of mappings of them: each result, errno, size, seal and byte
 * goes into a sum, one line for every sequence. `posix_random SEED` prints the steps of one, to find where two kernels part.
 */
#include "shm.h"
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

#define WINDOW 24
#define STEPS 120
#define SEQUENCES 60

static int fds[2];
static char *window;
static uint32_t state, sum;
static int verbose, step;
static unsigned char bytes[4 * PAGE];

static uint32_t below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

static void mix(uint32_t value)
{
	sum = (sum ^ value) * 16777619u;
}

static uint32_t sum_of(const unsigned char *p, size_t n)
{
	uint32_t s = 2166136261u;
	for (size_t i = 0; i < n; i++)
		s = (s ^ p[i]) * 16777619u;
	return s;
}

/* One result. Errno counts only for -1. */
static __attribute__((format(printf, 2, 3))) void result(long long r, const char *format, ...)
{
	int error = errno;
	mix((uint32_t)r);
	if (r == -1)
		mix((uint32_t)error);
	if (!verbose)
		return;
	char what[200];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	say("%d %s = %lld %s", step, what, r, r == -1 ? errno_name(error) : "");
}

/* A length or an offset: often whole pages, sometimes not. */
static uint32_t amount(uint32_t pages)
{
	uint32_t n = below(pages) * PAGE;
	return below(3) ? n : n + below(PAGE);
}

static void file_step(int which)
{
	static const int modes[] = { 0, 1, 3, 3, 3, 2, 16, 8 };
	int f = (int)below(2), fd = fds[f];
	uint32_t a = amount(10), b = amount(6), m = below(8);
	struct stat st;
	switch (which) {
	case 0:
		result(ftruncate(fd, a), "ftruncate(%d, %u)", f, a);
		break;
	case 1:
		result(fallocate(fd, modes[m], a, b), "fallocate(%d, %d, %u, %u)", f, modes[m], a, b);
		break;
	case 2:
		memset(bytes, (int)below(255) + 1, sizeof bytes);
		b %= sizeof bytes;
		result(pwrite(fd, bytes, b, a), "pwrite(%d, %u bytes, %u)", f, b, a);
		break;
	case 3: {
		memset(bytes, 0, sizeof bytes);
		ssize_t n = pread(fd, bytes, sizeof bytes, a);
		result(n, "pread(%d, %u)", f, a);
		result(sum_of(bytes, sizeof bytes), "content");
		break;
	}
	case 4:
		result(lseek(fd, a, m % 2 ? SEEK_DATA : SEEK_HOLE), "lseek(%d, %u, %s)", f, a, m % 2 ? "SEEK_DATA" : "SEEK_HOLE");
		break;
	case 5: {
		int seals = m == 0 ? (int)(2u << below(4)) : 0;
		result(fcntl(fd, F_ADD_SEALS, seals), "F_ADD_SEALS(%d, %d)", f, seals);
		result(fcntl(fd, F_GET_SEALS), "F_GET_SEALS(%d)", f);
		break;
	}
	case 6: {
		off_t from = a, to = amount(10);
		b %= 3 * PAGE;
		result(copy_file_range(fd, &from, fds[f ^ (m == 0)], &to, b, 0), "copy_file_range(%d, %u, %d, %u bytes)", f, a, f ^ (m == 0), b);
		break;
	}
	default:
		NEED(fstat(fd, &st));
		result(st.st_size, "size(%d)", f);
		result(st.st_blocks, "blocks(%d)", f);
	}
}

/* The window as somebody sees who reads page by page and cannot be killed by it. */
static uint32_t seen(void)
{
	uint32_t s = 0;
	for (int i = 0; i < WINDOW; i++) {
		struct iovec local = { bytes, PAGE }, remote = { window + i * PAGE, PAGE };
		long n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
		uint32_t page = n == PAGE ? sum_of(bytes, PAGE) : (uint32_t)errno;
		s = (s ^ page) * 16777619u;
		if (verbose)
			say("  page %d: %s%u", i, n == PAGE ? "" : "errno ", page);
	}
	return s;
}

static long remap(void *start, size_t size, size_t page)
{
	return syscall(SYS_remap_file_pages, start, size, 0, page, 0);
}

static void window_step(int which)
{
	static const int advices[] = { MADV_NORMAL, MADV_DONTNEED, MADV_REMOVE, MADV_WILLNEED, 22, 23, MADV_DONTFORK, MADV_DOFORK, 18, 19 };
	static const int protections[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE };
	static const int syncs[] = { MS_SYNC, MS_ASYNC, MS_INVALIDATE, 0, MS_SYNC | MS_ASYNC };
	uint32_t x = below(WINDOW), y = 1 + below(WINDOW - x < 6 ? WINDOW - x : 6), n = below(1000);
	char *at = window + x * PAGE;
	int protection = protections[n % 5];
	switch (which) {
	case 0:
	case 1: {
		int f = (int)below(2), page = (int)below(6), kind = (int)below(5);
		int flags = (kind < 3 ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | (below(6) == 0 ? MAP_ANONYMOUS : 0) | (below(4) == 0 ? MAP_POPULATE : 0);
		void *p = mmap(at, y * PAGE, protection, flags, flags & MAP_ANONYMOUS ? -1 : fds[f], flags & MAP_ANONYMOUS ? 0 : page * PAGE);
		result(p == MAP_FAILED ? -1 : 0, "mmap(%u, %u, %d, %x, %d, %d)", x, y, protection, (unsigned)flags, f, page);
		break;
	}
	case 2:
		result(munmap(at, y * PAGE), "munmap(%u, %u)", x, y);
		break;
	case 3:
		result(mprotect(at, y * PAGE, protection), "mprotect(%u, %u, %d)", x, y, protection);
		break;
	case 4:
		result(madvise(at, y * PAGE, advices[n % 10]), "madvise(%u, %u, %d)", x, y, advices[n % 10]);
		break;
	case 5:
		result(msync(at, y * PAGE, syncs[n % 5]), "msync(%u, %u, %d)", x, y, syncs[n % 5]);
		break;
	case 6: {
		unsigned char there[WINDOW] = { 0 };
		long r = mincore(at, y * PAGE, there);
		for (uint32_t i = 0; i < y; i++) {
			there[i] &= 1;
			if (verbose && r == 0)
				say("  page %u: %d", x + i, there[i]);
		}
		result(r, "mincore(%u, %u)", x, y);
		if (r == 0)
			result(sum_of(there, y), "residence");
		break;
	}
	case 7:
	case 8: {
		struct iovec local = { bytes, 1 + below(2 * PAGE) }, remote = { at + below(PAGE), local.iov_len };
		memset(bytes, (int)below(255) + 1, sizeof bytes);
		result(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), "write(%u, %u bytes)", x, (unsigned)local.iov_len);
		break;
	}
	case 9:
		if (n % 3 == 0) {
			/* A child sees the same, writes what it can, and ends. */
			int status;
			pid_t pid = (pid_t)NEED(fork());
			if (pid == 0) {
				uint32_t s = seen();
				struct iovec local = { "child", 5 }, remote = { at, 5 };
				long r = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
				_exit((int)((s ^ (uint32_t)r) & 0x7f));
			}
			NEED(waitpid(pid, &status, 0));
			result(WEXITSTATUS(status), "fork, and write(%u)", x);
			break;
		}
		result(remap(at, y * PAGE, n % 7), "remap_file_pages(%u, %u, %u)", x, y, n % 7);
		break;
	default:
		result(seen(), "the window");
	}
}

static void sequence(uint32_t seed)
{
	state = seed * 2654435761u + 1;
	sum = 2166136261u;
	fds[0] = (int)NEED(syscall(SYS_memfd_create, "random", 2));
	fds[1] = (int)NEED(shm_open("/random", O_RDWR | O_CREAT | O_EXCL, 0600));
	NEED(shm_unlink("/random"));
	window = mmap(NULL, WINDOW * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(window == MAP_FAILED ? -1 : 0);
	for (step = 0; step < STEPS; step++) {
		if (below(5) < 2)
			file_step((int)below(8));
		else
			window_step((int)below(11));
	}
	result(seen(), "the window");
	NEED(munmap(window, WINDOW * PAGE));
	NEED(close(fds[0]));
	NEED(close(fds[1]));
	say("sequence %u: %08x", (unsigned)seed, (unsigned)sum);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		uint32_t first = (uint32_t)atoi(argv[1]), last = argc > 2 ? (uint32_t)atoi(argv[2]) : first;
		verbose = argc == 2;
		for (uint32_t seed = first; seed <= last; seed++)
			sequence(seed);
		return 0;
	}
	for (uint32_t seed = 1; seed <= SEQUENCES; seed++)
		sequence(seed);
	return done();
}
