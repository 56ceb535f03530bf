import { join } from 'node:path';
import type { SignerId } from '@payonce/testkit/signers/request';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Verdict } from '../src/checker/verdict.js';
import { isClean } from '../src/report.js';
import { type Harness, openHarness, play, type Scene } from './harness.js';
import { type Patch, patchedCopy } from './patched-copy.js';

/** A copy of the compiled product that breaks one promise. */
export interface Variant {
  readonly title: string;
  readonly scenario: (scene: Scene) => Promise<void>;
  readonly patches: readonly Patch[];
  /** A change to the database, if the mistake needs one to show. */
  readonly prepare?: string;
  readonly reported: Partial<Verdict>;
}

export const DUE = 8_888n;
export const PART = 3_000n;
export const ORDERS = 'packages/orders/dist';
const ROOT = join(import.meta.dirname, '..', '..');

/** The payment of a new order. */
export async function newPayment({ composer, order }: Scene, provider: SignerId = 'wechatpay') {
  return { provider, order: await order(DUE), trade: composer.trade() };
}

/** The checker on one harness for the test file that calls it. */
export function useChecker() {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness();
  });
  afterAll(() => harness.end());
  return {
    async isFound({ scenario, patches, prepare, reported }: Variant): Promise<Verdict> {
      const copy = patchedCopy(patches);
      try {
        const { verdict, findings } = await play(harness, copy.root, scenario, prepare);
        expect(verdict, findings.join('\n')).toMatchObject(reported);
        return verdict;
      } finally {
        copy.remove();
      }
    },
    /** The product itself plays the scenarios: there must be no finding. */
    async isInnocent(scenarios: readonly Variant['scenario'][], prepare = ''): Promise<Verdict> {
      const playAll = async (scene: Scene) => {
        for (const scenario of scenarios) await scenario(scene);
      };
      const { verdict, findings } = await play(harness, ROOT, playAll, prepare);
      expect(findings).toEqual([]);
      expect(isClean(verdict)).toBe(true);
      expect(verdict).toMatchObject({ acknowledged: verdict.sent, applied: verdict.sent });
      return verdict;
    },
  };
}
