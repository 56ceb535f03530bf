import type { Verdict } from './checker/verdict.js';

/** One line of the result: for a fault and its recovery, or for the whole run (`all`). */
export interface Line extends Verdict {
  readonly fault: string;
  /** Null: not everything was applied within the limit. */
  readonly recoverySeconds: number | null;
}

/** Shown as columns in the table. */
const SHOWN = [
  'sent',
  'acknowledged',
  'applied',
  'lost',
  'doubled',
  'falselyAcknowledged',
  'forgedAccepted',
  'eventsExpected',
  'eventsDelivered',
  'eventsLost',
  'eventsUnsigned',
  'eventsOutOfOrder',
  'eventsFalse',
] as const satisfies readonly (keyof Verdict)[];

/** Shown as one sum in the table; the findings name each. */
const RARE = [
  'rowsPerContent',
  'conflicts',
  'deadLetters',
  'foreignTradeBlocked',
  'evidenceDropped',
  'heldUp',
  'beganLate',
  'orderEventsTwice',
  'deliveriesStuck',
] as const satisfies readonly (keyof Verdict)[];

const COUNTS = [...SHOWN, ...RARE, 'recoverySeconds'] as const;

const HEADS: Readonly<Record<(typeof SHOWN)[number], string>> = {
  sent: 'sent',
  acknowledged: 'acknowledged',
  applied: 'applied',
  lost: 'lost',
  doubled: 'doubled',
  falselyAcknowledged: 'falsely ack.',
  forgedAccepted: 'forged acc.',
  eventsExpected: 'events',
  eventsDelivered: 'delivered',
  eventsLost: 'lost',
  eventsUnsigned: 'unsigned',
  eventsOutOfOrder: 'disordered',
  eventsFalse: 'false',
};

/** One JSON object per line. */
export function asJson(lines: readonly Line[]): string {
  return lines
    .map((line) => {
      const counts = COUNTS.map((name) => [name, line[name]] as const);
      return JSON.stringify({ fault: line.fault, ...Object.fromEntries(counts) });
    })
    .join('\n');
}

/** A table for people. */
export function asTable(lines: readonly Line[]): string {
  const width = Math.max(...lines.map(({ fault }) => fault.length), 5);
  const heads = [...SHOWN.map((name) => HEADS[name]), 'other', 'recovery s'];
  const head = ['fault'.padEnd(width), ...heads].join('  ');
  const rows = lines.map((line) => {
    const other = RARE.reduce((sum, name) => sum + line[name], 0);
    const counts = [...SHOWN.map((name) => line[name]), other, line.recoverySeconds ?? '-'];
    const padded = counts.map((count, index) => String(count).padStart(heads[index]?.length ?? 0));
    return [line.fault.padEnd(width), ...padded].join('  ');
  });
  return [head, ...rows].join('\n');
}

/** The counts that must be zero. */
export const WRONGS = [
  'lost',
  'doubled',
  'falselyAcknowledged',
  'forgedAccepted',
  'eventsLost',
  'eventsUnsigned',
  'eventsOutOfOrder',
  'eventsFalse',
  ...RARE,
] as const satisfies readonly (keyof Verdict)[];

export function isClean(verdict: Verdict): boolean {
  return WRONGS.every((wrong) => verdict[wrong] === 0);
}
