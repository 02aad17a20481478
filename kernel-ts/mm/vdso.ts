/**
 * The page of code that the kernel lends to every process (Linux: arch/riscv/kernel/vdso.c, vdso/rt_sigreturn.S): the
 * trampoline through which handlers return, riscv having no sa_restorer. One frame for all, made when it is first touched.
 *
 * Known to be missing: it is no ELF image (so there is no AT_SYSINFO_EHDR, and clocks are read by system calls), [vvar].
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/mman.ts';
import type { MmContext } from './context.ts';
import type { MmStruct } from './mm.ts';
import { VM_AREA_CACHEP, kmemCacheAlloc } from './slab.ts';
import { mayExpandVm, vmStatAccount } from './accounting.ts';
import { allocPage, getPage, pageToPhys, type Page } from './page.ts';
import {
  FaultCode,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  vmAreaInit,
  type VmOperations,
} from './vma.ts';
import { vmaLink } from './vmaOps.ts';

/** __vdso_rt_sigreturn: li a7, 139; ecall. */
const RT_SIGRETURN = [0x08b0_0893, 0x0000_0073];

/** The address of a handler's return, in the address space as it is (the page can be moved and unmapped). */
export function vdsoSigreturn(mm: MmStruct): number {
  return mm.vdso;
}

function vdsoPage(ctx: MmContext): Page | null {
  const { vm } = ctx;
  if (vm.vdsoPage === null) {
    const page = allocPage(ctx, 0);
    if (page === null) return null;
    RT_SIGRETURN.forEach((word, i) => ctx.ram.write32(pageToPhys(page) + 4 * i, word));
    vm.vdsoPage = page;
  }
  return vm.vdsoPage;
}

/** special_mapping_vmops: install_special_mapping of [vdso]. */
const VDSO_VM_OPS: VmOperations = {
  name: 'special_mapping_vmops',
  mapsName: '[vdso]',
  open: (_ctx, vma) => {
    vma.vmMm.vdso = vma.vmStart;
  },
  nopage: (ctx) => {
    const page = vdsoPage(ctx);
    if (page === null) return -FaultCode.Oom;
    getPage(ctx, page);
    return page;
  },
};

/** Bytes that stay free between the top-down area and the page, so that what runs over a mapping's end meets nothing. */
const VDSO_GAP = 16 * PAGE_SIZE;

/**
 * arch_setup_additional_pages(): maps the page into a fresh address space. It lies above mmapBase, not as the first mapping
 * below it as in Linux, so that a program's first mapping is where the top-down area begins. False: no room.
 */
export function setupVdso(ctx: MmContext, mm: MmStruct): boolean {
  const start = mm.layout.mmapBase + VDSO_GAP;
  const end = start + PAGE_SIZE;
  if (mm.mmap.intersection(start, end) !== null || !mayExpandVm(ctx, mm, 0, 1)) return false;
  if (!kmemCacheAlloc(ctx, VM_AREA_CACHEP)) return false;
  const flags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_DONTEXPAND;
  const page = start >>> PAGE_SHIFT;
  const vma = vmAreaInit(ctx, mm, page, page + 1, flags, 0);
  vma.vmOps = VDSO_VM_OPS;
  vmaLink(mm, vma);
  vmStatAccount(mm, flags, 1);
  mm.vdso = start;
  return true;
}
