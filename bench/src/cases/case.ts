import type { Measurement } from '../measurement.js';
import type { Stage } from '../stage.js';

/** One comparison. */
export interface Case {
  readonly name: string;
  /** For `--help`. */
  readonly does: string;
  measure(stage: Stage): Promise<readonly Measurement[]>;
  /** One build's side of `--against`; without it the row has nothing to compare between builds. */
  readonly side?: (stage: Stage) => Promise<Side>;
}

/** The measurement of one build, repeated in turns with another build. */
export interface Side {
  /** One round. Each round has the same names. */
  measure(): Promise<readonly Reading[]>;
  end(): Promise<void>;
}

export interface Reading {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Whether more or less is better. */
  readonly better: 'more' | 'less';
}

/** A side with one measurement and without work between its rounds. */
export function rateSide(name: string, unit: string, measure: () => Promise<number>): Side {
  return {
    measure: async () => [{ name, unit, value: await measure(), better: 'more' }],
    end: async () => {},
  };
}
