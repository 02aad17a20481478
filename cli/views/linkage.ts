/** What of a picture is linkage: a string that changes exactly when the diagram has something new to show. */
import type { Picture } from '../../kernel-ts/index.ts';
import { attachments, objectMappers, type Attachment } from './shared.ts';

/** Segments and other shared objects with their counts and flags, their pages, who maps them where, and which frames are mapped. */
export function linkage(picture: Picture): string {
  return JSON.stringify([
    ...picture.namespaces
      .flatMap(({ name, shmIds }) => [name, ...shmIds.entries])
      .map((segment) => {
        if (typeof segment === 'string') return segment;
        const file = picture.files.find((one) => one.file === segment.shmFile);
        const inode = picture.inodes.find((one) => one.inode === file?.inode);
        return [
          [
            segment.id,
            segment.key,
            segment.mode,
            segment.uid,
            segment.gid,
            segment.shmSegsz,
            segment.shmNattch,
          ],
          inode?.iMapping.pages.map((page) => page.pfn) ?? [],
          attachments(picture, segment).map(mapper),
        ];
      }),
    ...picture.sharedObjects.map((object) => {
      const inode = picture.inodes.find((one) => one.inode === object.inode);
      return [
        [object.inode, object.path, object.iMode, object.iUid, object.iGid, object.seals, inode?.iSize],
        inode?.iMapping.pages.map((page) => page.pfn) ?? [],
        object.openBy,
        objectMappers(picture, object).map(mapper),
      ];
    }),
  ]);
}

function mapper({ task, vmas }: Attachment): unknown {
  return [task.pid, vmas.map((vma) => [vma.vmStart, vma.vmEnd, vma.perms, vma.ptes.map((pte) => pte.pfn)])];
}
