/** Views on their way to a descriptor: as wide as its terminal, coloured only there. */
import { isatty } from 'node:tty';
import { createColors } from 'picocolors';
import type { Picture } from '../kernel-ts/index.ts';
import { writeFully } from './io.ts';
import { diagramView } from './views/diagram.ts';
import { hex } from './views/format.ts';
import { paint } from './views/paint.ts';
import { sharedFrames } from './views/shared.ts';

/** Honours NO_COLOR and FORCE_COLOR as picocolors and most commands do. */
function coloursOf(fd: number): ReturnType<typeof createColors> {
  const { env } = process;
  const wanted = env['FORCE_COLOR'] !== undefined || (isatty(fd) && env['TERM'] !== 'dumb');
  return createColors(wanted && env['NO_COLOR'] === undefined);
}

function widthOf(fd: number): number {
  const columns = fd === 2 ? process.stderr.columns : process.stdout.columns;
  // A terminal that does not know its size says 0.
  return isatty(fd) && columns > 0 ? columns : 100;
}

/** Prints a finished view; frames that several places map are shown in green. */
export function show(view: string, picture: Picture, fd: 1 | 2): void {
  const shared = [...sharedFrames(picture).keys()].map(hex);
  writeFully(fd, paint(view, coloursOf(fd), shared));
}

export function drawDiagram(picture: Picture, fd: 1 | 2): void {
  show(diagramView(picture, { width: widthOf(fd) }), picture, fd);
}
