import type { Figure } from '../figure.js';
import type { Stage } from '../stage.js';

/** One comparison. */
export interface Row {
  readonly name: string;
  /** For `--help`. */
  readonly does: string;
  measure(stage: Stage): Promise<readonly Figure[]>;
  /** One build's side of `--against`; without it the row compares nothing that a build has. */
  readonly side?: (stage: Stage) => Promise<Side>;
}

/** What one build does, again and again, in turns with another build. */
export interface Side {
  /** One round. Each round has the same names. */
  measure(): Promise<readonly Reading[]>;
  end(): Promise<void>;
}

export interface Reading {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What is wanted of the value. */
  readonly better: 'more' | 'less';
}

/** A side with one figure, which needs nothing between its rounds. */
export function rateSide(name: string, unit: string, measure: () => Promise<number>): Side {
  return {
    measure: async () => [{ name, unit, value: await measure(), better: 'more' }],
    end: async () => {},
  };
}
