/* What a program finds when it starts: stack, auxiliary vector, argv, environment, descriptors, ids, uname. */
#include "check.h"
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>

extern char **environ;
extern char __ehdr_start[] __attribute__((weak, visibility("hidden")));
extern void _start(void);
static int bss[100000];
static int data[1000] = { 1, 2, 3 };
static const int constant[1000] = { 4, 5, 6 };
static _Thread_local int tls = 77;
static _Thread_local int tls_zero;
static int constructed;

static __attribute__((constructor)) void construct(void)
{
	constructed = 1;
}

int main(int argc, char **argv)
{
	struct utsname name;

	EQUALS("argc", argc, 1);
	TRUE("argv[0], NULL", argv[0] != NULL && argv[1] == NULL);
	TRUE("the environment", environ != NULL);
	EQUALS("AT_PAGESZ", getauxval(AT_PAGESZ), 4096);
	EQUALS("AT_CLKTCK", getauxval(AT_CLKTCK), 100);
	EQUALS("AT_UID", getauxval(AT_UID), 0);
	EQUALS("AT_EUID", getauxval(AT_EUID), 0);
	EQUALS("AT_GID", getauxval(AT_GID), 0);
	EQUALS("AT_SECURE", getauxval(AT_SECURE), 0);
	EQUALS("AT_BASE of a static program", getauxval(AT_BASE), 0);
	TRUE("AT_ENTRY is _start", getauxval(AT_ENTRY) == (unsigned long)(uintptr_t)&_start);
	TRUE("AT_PHDR points to program headers", getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) >= 3);
	TRUE("AT_RANDOM points to 16 bytes", getauxval(AT_RANDOM) != 0);
	TRUE("AT_EXECFN is a path", getauxval(AT_EXECFN) && *(const char *)(uintptr_t)getauxval(AT_EXECFN) != 0);
	EQUALS("sysconf(_SC_PAGESIZE)", sysconf(_SC_PAGESIZE), 4096);

	TRUE("data", data[0] == 1 && data[2] == 3 && data[999] == 0);
	TRUE("constants", constant[1] == 5 && constant[999] == 0);
	int zero = 1;
	for (int i = 0; i < 100000; i++)
		zero &= bss[i] == 0;
	TRUE("bss is zero", zero);
	TRUE("thread-local data", tls == 77 && tls_zero == 0);
	TRUE("constructors have run", constructed);
	volatile long double alignment = 1;
	TRUE("the stack is aligned", ((uintptr_t)&alignment & 15) == 0);
	WORKS("stdin is open", fcntl(0, F_GETFD));
	WORKS("stdout is open", fcntl(1, F_GETFD));
	WORKS("stderr is open", fcntl(2, F_GETFD));
	FAILS("nothing else is", fcntl(3, F_GETFD), EBADF);

	TRUE("uid, euid", getuid() == 0 && geteuid() == 0);
	TRUE("gid, egid", getgid() == 0 && getegid() == 0);
	TRUE("pid above 1", getpid() > 1);
	TRUE("one thread: tid is pid", gettid() == getpid());
	NEED(uname(&name));
	TEXT("sysname", name.sysname, "Linux");
	TRUE("the release is 5 or newer", atoi(name.release) >= 5);
	unsigned char random[32];
	EQUALS("getrandom", getrandom(random, sizeof random, 0), 32);
	int sum = 0;
	for (int i = 0; i < 32; i++)
		sum |= random[i];
	TRUE("is not all zero", sum != 0);
	struct rlimit limit;
	WORKS("getrlimit", getrlimit(RLIMIT_NOFILE, &limit));
	TRUE("some files may be open", limit.rlim_cur >= 256);
	FAILS("getrlimit of an unknown one", getrlimit(99, &limit), EINVAL);
	return done();
}
