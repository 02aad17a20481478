/** Writes the documents that are made from tables: `npm run generate`. `npm run generated` fails when one had changed. */
import { writeFileSync } from 'node:fs';
import { isaDocument } from '../emulator/index.ts';

const root = new URL('../', import.meta.url);

writeFileSync(new URL('emulator/ISA.md', root), isaDocument());
