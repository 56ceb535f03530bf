import type { Figure } from '../figure.js';
import type { Stage } from '../stage.js';

/** One comparison. */
export interface Row {
  readonly name: string;
  /** For `--help`. */
  readonly does: string;
  measure(stage: Stage): Promise<readonly Figure[]>;
}
