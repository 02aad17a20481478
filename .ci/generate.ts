/** Writes the documents that are made from tables: `npm run generate`. `npm run generated` fails when one had changed. */
import { writeFileSync } from 'node:fs';
import { isaDocument } from '../emulator/index.ts';
import { systemCallDocument } from '../kernel-ts/syscalls/document.ts';

const root = new URL('../', import.meta.url);

writeFileSync(new URL('emulator/ISA.md', root), isaDocument());
writeFileSync(new URL('kernel-ts/SYSCALLS.md', root), systemCallDocument());
