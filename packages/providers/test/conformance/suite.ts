import { describe, expect, it } from 'vitest';
import { accepts, identifies } from './accepts.js';
import { costs } from './costs.js';
import type { Harness } from './harness.js';
import { rejects } from './rejects.js';
import { survives } from './survives.js';

/** The guarantees of every provider, whatever its protocol. */
export function describeConformance(title: string, makeHarness: () => Harness): void {
  describe(title, () => {
    const harness = makeHarness();
    const provider = harness.provider();
    accepts(harness, provider);
    identifies(harness, provider);
    rejects(harness, provider);
    survives(harness, provider);
    costs(harness, provider);
    configures(harness);
    replies(harness);
  });
}

function configures(harness: Harness): void {
  it('names an unreadable key, and never its content', () => {
    const settings = harness.definition.settings.parse(harness.settings);
    const create = () => harness.definition.create(settings, () => 'hunter2');
    expect(create).toThrow(/KEY/);
    expect(create).not.toThrow(/hunter2/);
  });

  it('lists its keys for the expiry alarm', () => {
    const retiredAt = new Date('2026-11-01T00:00:00Z');
    const { keys } = harness.provider(retiredAt);
    expect(keys).toContainEqual(expect.objectContaining({ retiredAt, expiresAt: null }));
  });

  it('rejects unknown settings', () => {
    const { settings } = harness.definition;
    expect(settings.safeParse(harness.settings).success).toBe(true);
    expect(settings.safeParse({ ...Object(harness.settings), typo: 1 }).success).toBe(false);
    expect(settings.safeParse({}).success).toBe(false);
  });
}

function replies(harness: Harness): void {
  const { reply } = harness.definition;
  const failure = (status: number) => ({ status, ...harness.replies.failure });

  it('acknowledges with exactly the provider’s bytes', () => {
    expect(reply({ outcome: 'accepted' })).toEqual(harness.replies.accepted);
  });

  it('gives every rejection the same bytes, so a prober learns nothing but the status', () => {
    const unauthentic = [
      'bad_signature',
      'signature_probe',
      'unknown_key',
      'stale',
      'undecryptable',
      'foreign_envelope',
    ] as const;
    for (const reason of unauthentic)
      expect(reply({ outcome: 'rejected', reason })).toEqual(failure(401));
    for (const reason of ['malformed', 'not_a_notification'] as const) {
      expect(reply({ outcome: 'rejected', reason })).toEqual(failure(400));
    }
    expect(reply({ outcome: 'unknown_channel' })).toEqual(failure(404));
    expect(reply({ outcome: 'unavailable' })).toEqual(failure(503));
    for (const status of [405, 413, 415] as const) {
      expect(reply({ outcome: 'refused', status })).toEqual(failure(status));
    }
  });
}
