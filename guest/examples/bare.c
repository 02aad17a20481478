/* Bare metal: no kernel, no library. Runs under `sameframe bare`, Spike and QEMU's virt machine (without the exit). */
__asm__(".section .text.init, \"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "  la gp, __global_pointer$\n"
        ".option pop\n"
        "  la sp, stack_top\n"
        "  li a1, 0\n" /* QEMU leaves addresses in a1 and a2 */
        "  li a2, 0\n"
        "  la t0, trap\n"
        "  csrw mtvec, t0\n"
        "  li t0, 0x6000\n" /* mstatus.FS: floating point is off at reset */
        "  csrs mstatus, t0\n"
        "  call main\n"
        "1: wfi\n"
        "  j 1b\n"
        ".text");

char stack[4096] __attribute__((aligned(16)));
__asm__(".globl stack_top\n.equ stack_top, stack + 4096");

/* The host takes commands here: an odd number exits with its half. */
volatile unsigned long long tohost __attribute__((aligned(64)));
volatile unsigned long long fromhost __attribute__((aligned(64)));

static void print(const char *text) {
  volatile char *uart = (volatile char *)0x10000000;
  while (*text) *uart = *text++;
}

static void print_number(unsigned n) {
  if (n >= 10) print_number(n / 10);
  char digit[2] = {(char)('0' + n % 10), 0};
  print(digit);
}

__attribute__((interrupt("machine"), aligned(4))) void trap(void) {
  unsigned cause, pc;
  __asm__ volatile("csrr %0, mcause\n csrr %1, mepc" : "=r"(cause), "=r"(pc));
  print("trap, cause ");
  print_number(cause);
  print("\n");
  __asm__ volatile("csrw mepc, %0" : : "r"(pc + 4));
}

int main(void) {
  print("hello from machine mode\n");
  __asm__ volatile("ecall");
  __asm__ volatile(".word 0"); /* no instruction */
  print("done\n");
  tohost = 3 << 1 | 1;
  return 0;
}
