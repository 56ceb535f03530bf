import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimelineEntry } from '../schemas/timeline.js';
import { inTimeOrder } from './timeline-order.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const decision = (second: number, position = 0): TimelineEntry => ({
  ...{ kind: 'decision', at: at(second), notification: '1', position },
  ...{ outcome: 'applied', holdReason: null, tries: 0 },
});
const reply = (second: number): TimelineEntry => ({
  ...{ kind: 'reply', at: at(second), notification: '1', status: 200 },
  ...{ contentType: null, body: '', reported: true },
});
const orderEvent = (second: number, id = '1'): TimelineEntry => ({
  ...{ kind: 'order_event', at: at(second), id, type: 'order.paid' },
  ...{ milestone: 'paid', version: 1 },
});

describe('the entries of a timeline', () => {
  it('are in the order of their times, wherever they are in the pipeline', () => {
    const shuffled = [reply(3), orderEvent(1), decision(2)];
    expect(inTimeOrder(shuffled)).toEqual([orderEvent(1), decision(2), reply(3)]);
  });

  it('with one time are in the order of the pipeline: one transaction writes one time', () => {
    const written = [orderEvent(1), decision(1), reply(1)];
    expect(inTimeOrder(written)).toEqual([reply(1), decision(1), orderEvent(1)]);
  });

  it('with one time and kind keep their order, and none is lost or invented', () => {
    const kinds = [decision, reply, orderEvent] as const;
    const entry = fc
      .tuple(fc.nat({ max: 4 }), fc.nat({ max: 2 }))
      .map(([second, kind]) => (kinds[kind] ?? reply)(second));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const sorted = inTimeOrder(entries);
        expect(new Set(sorted)).toEqual(new Set(entries));
        expect(sorted).toHaveLength(entries.length);
        for (const [index, one] of sorted.entries()) {
          const next = sorted[index + 1];
          if (next === undefined) continue;
          expect(one.at <= next.at).toBe(true);
          if (one.at === next.at && one.kind === next.kind) {
            expect(entries.indexOf(one)).toBeLessThan(entries.indexOf(next));
          }
        }
      }),
    );
  });
});
