import fc from 'fast-check';

/**
 * The seed of the generated cases. `PAYONCE_SEED=7 npx vitest run --project unit
 * tests/differential` gives others, and the printed seed gives the same ones again. The keys differ
 * in each run, so the bytes of signatures differ.
 */
function seed(): number {
  const text = process.env.PAYONCE_SEED ?? '20261123';
  if (!/^\d{1,9}$/.test(text)) throw new Error('PAYONCE_SEED is not a number of up to 9 digits');
  return Number(text);
}

export function forAll<T>(cases: fc.Arbitrary<T>, runs: number, check: (value: T) => void): void {
  fc.assert(fc.property(cases, check), { seed: seed(), numRuns: runs });
}

export async function forAllAsync<T>(
  cases: fc.Arbitrary<T>,
  runs: number,
  check: (value: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(cases, check), { seed: seed(), numRuns: runs });
}

/** Counts verdicts, so that a run shows (and a test can require) how much was compared. */
export function createTally(title: string) {
  const counts = new Map<string, number>();
  return {
    add: (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1),
    of: (what: string) => counts.get(what) ?? 0,
    print: () => {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const parts = [...counts].sort().map(([what, count]) => `${what} ${count}`);
      console.info(`${title}, seed ${seed()}: ${total} verdicts compared (${parts.join(', ')})`);
    },
  };
}

/**
 * Values that broke real integrations at least once (docs/providers/README.md, "Known mistakes"),
 * and values that look like markup.
 */
const AWKWARD = [
  '',
  ' ',
  'a+b',
  '1 + 1 = 2',
  '100%',
  '50% & more',
  '%',
  '%2B',
  '%zz',
  '%7B%22a%22%3A1%7D',
  '&',
  'a&b=c',
  '=',
  'a=b',
  '"double" and \'single\'',
  '&quot;escaped&quot;',
  '&notify=1',
  '中文订单（测试）',
  '😀👩‍👩‍👧',
  'é\u0301',
  ' leading',
  'trailing  ',
  'a\tb',
  'a\nb',
  '\u00a0',
  '\ufeff',
  '\ufffd',
  '<b>&amp;</b>',
  '&#65;',
  '\\',
  '\\/',
  '{"a":"b"}',
  '[{"amount":"0.01","fundChannel":"ALIPAYACCOUNT"}]',
  '@file',
  'null',
  'undefined',
  'false',
  '[object Object]',
  '0',
  '-1',
  '00012',
  '0.10',
  '1e5',
  '0x1F',
  '4200000012202609168888888888',
  'QUJDRA==',
  'ab+/cd==',
] as const;

const character = fc.oneof(
  fc.constantFrom(...' \t+%&=?#/\\"\'<>;:,.{}[]@*~_-aZ09éß中文订单，。😀𠮷\u200b\u3000\u202e'),
  // fast-check's `binary` is the same, and takes half a second to set up.
  fc
    .integer({ min: 0, max: 0x10ffff })
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code)),
);

/** Any text that a field may contain: no half surrogate pairs, since UTF-8 cannot encode them. */
export const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...AWKWARD) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 3, arbitrary: fc.string({ unit: character, maxLength: 40 }) },
  { weight: 2, arbitrary: fc.base64String({ maxLength: 64 }) },
  { weight: 2, arbitrary: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 30n }).map(String) },
  {
    weight: 2,
    arbitrary: fc.array(fc.constantFrom(...AWKWARD), { maxLength: 6 }).map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('长'.repeat(3000), 'x+%&='.repeat(1500)) },
);

/** Names that no SDK knows: providers add fields, and sign them. */
export const newName = fc.stringMatching(/^x_[a-z]{1,12}$/);
