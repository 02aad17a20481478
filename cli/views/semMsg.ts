/** Semaphore arrays and message queues with their sleepers, for the diagram. */
import type { IpcNamespacePicture, MsgQueuePicture, SemArrayPicture } from '../../kernel-ts/index.ts';
import { box, indent } from './box.ts';
import { count, hex32, octal } from './format.ts';

/** How much is drawn before the rest is counted. */
const OBJECTS_DRAWN = 6;
const ITEMS_LISTED = 8;

/** Nothing when the namespace has neither. */
export function semMsgLines(namespace: IpcNamespacePicture, margin: number, width: number): string[] {
  const lines: string[] = [];
  const draw = (name: string, groups: string[][]): void =>
    void lines.push('', ...indent(box(name, groups, width), margin));
  const arrays = namespace.semIds.entries;
  const queues = namespace.msgIds.entries;
  for (const array of arrays.slice(0, OBJECTS_DRAWN)) draw('[sem_array]', arrayGroups(array));
  if (arrays.length > OBJECTS_DRAWN)
    lines.push('', `… and ${count(arrays.length - OBJECTS_DRAWN, 'array')} more`);
  for (const queue of queues.slice(0, OBJECTS_DRAWN)) draw('[msg_queue]', queueGroups(queue));
  if (queues.length > OBJECTS_DRAWN)
    lines.push('', `… and ${count(queues.length - OBJECTS_DRAWN, 'queue')} more`);
  return lines;
}

function listed(items: readonly string[]): string[] {
  if (items.length <= ITEMS_LISTED) return [...items];
  return [...items.slice(0, ITEMS_LISTED), `… and ${String(items.length - ITEMS_LISTED)} more`];
}

function permLine(perm: { readonly id: number; readonly key: number; readonly mode: number }): string {
  return `id = ${String(perm.id)}, key = ${hex32(perm.key)}, mode = ${octal(perm.mode)}`;
}

const signed = (n: number): string => (n > 0 ? `+${String(n)}` : String(n));

function arrayGroups(array: SemArrayPicture): string[][] {
  const values = array.sems.map(
    ({ semval, sempid }, i) => `sem ${String(i)}: semval ${String(semval)}, sempid ${String(sempid)}`,
  );
  const sleepers = array.sleepers.map(({ pid, blockedOn, sops }) => {
    const parts = sops.map(
      ({ semNum, semOp }) => `${String(semNum)}:${semOp === 0 ? 'zero?' : signed(semOp)}`,
    );
    return `pid ${String(pid)} sleeps on ${String(blockedOn)}: ${parts.join(' ')}`;
  });
  const undos = array.undos.map(({ pids, semadj }) => {
    const adjustments = semadj.flatMap((n, i) => (n === 0 ? [] : [`${String(i)}:${signed(n)}`]));
    return `exit of ${pids.join(' ')} undoes ${adjustments.join(' ') || 'nothing'}`;
  });
  return [
    [permLine(array), `complex_count = ${String(array.complexCount)}`],
    listed(values),
    listed(sleepers),
    listed(undos),
  ];
}

function queueGroups(queue: MsgQueuePicture): string[][] {
  const messages = queue.messages.map(({ mType, size }) => `type ${String(mType)}, ${count(size, 'byte')}`);
  const sleepers = [
    ...queue.receivers.map(
      ({ pid, msgtyp, mode }) =>
        `pid ${String(pid)} receives: ${mode}${mode === 'any' ? '' : ` ${String(msgtyp)}`}`,
    ),
    ...queue.senders.map(
      ({ pid, mType, size }) => `pid ${String(pid)} sends: type ${String(mType)}, ${count(size, 'byte')}`,
    ),
  ];
  return [
    [
      permLine(queue),
      `q_cbytes = ${String(queue.qCbytes)} of ${String(queue.qQbytes)}, q_qnum = ${String(queue.messages.length)}`,
      `q_lspid = ${String(queue.qLspid)}, q_lrpid = ${String(queue.qLrpid)}`,
    ],
    listed(messages),
    listed(sleepers),
  ];
}
