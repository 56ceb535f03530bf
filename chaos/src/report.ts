import type { Verdict } from './ledger.js';

/** One line of the result: of a fault and its recovery, or of the whole run (`all`). */
export interface Line extends Verdict {
  readonly fault: string;
  /** Null: not everything was applied within the limit. */
  readonly recoverySeconds: number | null;
}

const COUNTS = [
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
  'recoverySeconds',
] as const satisfies readonly (keyof Line)[];

const HEADS: Readonly<Record<(typeof COUNTS)[number], string>> = {
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
  recoverySeconds: 'recovery s',
};

/** One JSON object a line. */
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
  const head = ['fault'.padEnd(width), ...COUNTS.map((name) => HEADS[name])].join('  ');
  const rows = lines.map((line) => {
    const counts = COUNTS.map((name) => String(line[name] ?? '-').padStart(HEADS[name].length));
    return [line.fault.padEnd(width), ...counts].join('  ');
  });
  return [head, ...rows].join('\n');
}

/** What must be nothing. */
const WRONGS = [
  'lost',
  'doubled',
  'falselyAcknowledged',
  'forgedAccepted',
  'eventsLost',
  'eventsUnsigned',
  'eventsOutOfOrder',
  'eventsFalse',
] as const satisfies readonly (keyof Verdict)[];

export function isClean(verdict: Verdict): boolean {
  return WRONGS.every((wrong) => verdict[wrong] === 0);
}
