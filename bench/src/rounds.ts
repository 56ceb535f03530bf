import type { Reading, Side } from './cases/case.js';
import { type BuildMeasurement, type Measurement, rounded } from './measurement.js';
import type { Stage } from './stage.js';

/** Returns one measurement of a side, for example a rate per second. */
export type Measure = () => Promise<number>;

export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly ours: Measure;
  /** Several alternatives: the one with the highest median is the baseline. */
  readonly others: Readonly<Record<string, Measure>>;
}

/**
 * Takes turns (A, B, A, B, …), so that other load on the machine affects all sides alike.
 * @returns medians; the ratio is the median of the ratios per round
 */
export async function compare(
  { scale: { rounds }, say }: Pick<Stage, 'scale' | 'say'>,
  { name, unit, ours, others }: Comparison,
): Promise<[Measurement]> {
  const own: number[] = [];
  const found = new Map(Object.keys(others).map((label): [string, number[]] => [label, []]));
  for (let round = 1; round <= rounds; round += 1) {
    own.push(await ours());
    for (const [label, measure] of Object.entries(others)) {
      found.get(label)?.push(await measure());
    }
    const last = [...found].map(([label, values]) => `${label} ${rounded(values.at(-1) ?? 0)}`);
    say(`${name} ${round}/${rounds}: ${[rounded(own.at(-1) ?? 0), ...last].join(', ')} ${unit}`);
  }
  const [label, values] = bestOf(found);
  const ratios = own.map((value, index) => value / (values[index] ?? Number.NaN));
  return [
    {
      name,
      unit,
      value: rounded(median(own)),
      baseline: rounded(median(values)),
      ratio: rounded(median(ratios)),
      against: label,
    },
  ];
}

/** Repeats one measurement, with nothing to compare. */
export async function repeat(
  { name, unit, against }: Pick<Measurement, 'name' | 'unit' | 'against'>,
  rounds: number,
  measure: Measure,
  say: (line: string) => void,
): Promise<Measurement> {
  const values: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    values.push(await measure());
    say(`${name} ${round}/${rounds}: ${rounded(values.at(-1) ?? 0)} ${unit}`);
  }
  return { name, unit, against, value: rounded(median(values)), baseline: null, ratio: null };
}

/**
 * Runs two builds in turns (A B, B A, A B, …): the second one finds the machine in another state.
 * @returns a measurement for each name; a ratio of 1 or more means that `ours` is as good or better
 */
export async function alternate(
  ours: Side,
  theirs: Side,
  rounds: number,
  say: (line: string) => void,
): Promise<readonly BuildMeasurement[]> {
  const found: { own: readonly Reading[]; other: readonly Reading[] }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const inOrder = round % 2 === 1 ? [ours, theirs] : [theirs, ours];
    const readings = new Map<Side, readonly Reading[]>();
    for (const side of inOrder) readings.set(side, await side.measure());
    const pair = { own: readings.get(ours) ?? [], other: readings.get(theirs) ?? [] };
    found.push(pair);
    for (const { own, other } of pairsOf(pair)) {
      const both = `${rounded(own.value)}, against ${rounded(other.value)} ${own.unit}`;
      say(`${own.name} ${round}/${rounds}: ${both}, ratio ${rounded(ratioOf(own, other))}`);
    }
  }
  const names = found[0]?.own.map(({ name }) => name) ?? [];
  return names.map((name) => {
    const pairs = found.flatMap(pairsOf).filter(({ own }) => own.name === name);
    const ratios = pairs.map(({ own, other }) => ratioOf(own, other));
    return {
      name,
      unit: pairs[0]?.own.unit ?? '',
      value: rounded(median(pairs.map(({ own }) => own.value))),
      baseline: rounded(median(pairs.map(({ other }) => other.value))),
      ratio: rounded(median(ratios)),
      min: rounded(Math.min(...ratios)),
      max: rounded(Math.max(...ratios)),
      rounds,
    };
  });
}

function pairsOf({ own, other }: { own: readonly Reading[]; other: readonly Reading[] }) {
  return own.flatMap((reading) => {
    const counterpart = other.find(({ name }) => name === reading.name);
    return counterpart === undefined ? [] : [{ own: reading, other: counterpart }];
  });
}

function ratioOf(own: Reading, other: Reading): number {
  return own.better === 'more' ? own.value / other.value : other.value / own.value;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function bestOf(found: ReadonlyMap<string, readonly number[]>): [string, readonly number[]] {
  const ranked = [...found].sort(([, a], [, b]) => median(b) - median(a));
  const [best] = ranked;
  if (best === undefined) throw new Error('there is nothing to compare with');
  return [best[0], best[1]];
}
