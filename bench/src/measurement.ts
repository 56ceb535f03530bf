import Table from 'cli-table3';

/** The result of one comparison. */
export interface Measurement {
  readonly name: string;
  /** Median of the rounds; the better direction is up unless the unit is a time or a size. */
  readonly value: number;
  readonly unit: string;
  /** In the same unit, measured in turns with `value`; null without a baseline. */
  readonly baseline: number | null;
  /** `value / baseline`, the median of the ratios per round. */
  readonly ratio: number | null;
  /** Describes the baseline. */
  readonly against: string;
}

/** The result of one row between two builds. */
export interface BuildMeasurement {
  readonly name: string;
  readonly unit: string;
  /** Medians of the rounds: of this build, and of the other. */
  readonly value: number;
  readonly baseline: number;
  /**
   * Median of the ratios per round. At 1 or more this build is as fast or faster, even if the unit
   * is a time.
   */
  readonly ratio: number;
  /** The smallest and the greatest ratio of a round. */
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** One JSON object per line. */
export function buildMeasurementAsJson(measurement: BuildMeasurement): string {
  const { name, value, unit, baseline, ratio, min, max, rounds } = measurement;
  return JSON.stringify({ name, value, unit, baseline, ratio, min, max, rounds });
}

/** A table for people. */
export function buildMeasurementsAsTable(measurements: readonly BuildMeasurement[]): string {
  const table = new Table({
    head: ['name', 'this build', 'other build', 'unit', 'ratio', 'min', 'max', 'rounds'],
    colAligns: ['left', 'right', 'right', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, value, baseline, unit, ratio, min, max, rounds } of measurements) {
    table.push([name, value, baseline, unit, ratio, min, max, rounds]);
  }
  return table.toString();
}

/** One JSON object per line. */
export function asJson({ name, value, unit, baseline, ratio }: Measurement): string {
  return JSON.stringify({ name, value, unit, baseline, ratio });
}

/** A table for people. */
export function asTable(measurements: readonly Measurement[]): string {
  const table = new Table({
    head: ['name', 'value', 'unit', 'baseline', 'ratio', 'against'],
    colAligns: ['left', 'right', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { name, value, unit, baseline, ratio, against } of measurements) {
    table.push([name, value, unit, baseline ?? '–', ratio ?? '–', against]);
  }
  return table.toString();
}

/** Three significant digits are more precise than a noisy machine. */
export function rounded(value: number): number {
  if (value === 0) return 0;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 3)));
}
