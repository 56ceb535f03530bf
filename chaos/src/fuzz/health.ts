import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { FuzzedGateway } from './gateway.js';

/** The state of the process under the requests. */
export interface Health {
  /** Resident memory after the warm-up, and at the end: medians, in MiB. */
  readonly warmMiB: number;
  readonly lastMiB: number;
  /** The longest time until it reported that it is alive. */
  readonly slowestAnswerMs: number;
}

const INTERVAL_MS = 100;
/** The first part, with compilation and caches: no leak, but not flat. */
const WARM_UP = 0.25;
const MiB = 1024 * 1024;

export interface Watch {
  /** @throws the error that occurred meanwhile */
  stop(): Promise<Health>;
}

export function watchHealth(gateway: FuzzedGateway): Watch {
  const samples: number[] = [];
  let slowestAnswerMs = 0;
  let failure: unknown = null;
  let stopped = false;
  const watch = async () => {
    while (!stopped && failure === null) {
      try {
        slowestAnswerMs = Math.max(slowestAnswerMs, await gateway.isAlive());
        samples.push(residentBytes(gateway.pid) / MiB);
      } catch (error) {
        failure = error;
      }
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  };
  const watching = watch();
  return {
    async stop() {
      stopped = true;
      await watching;
      if (failure !== null) {
        throw new Error('the gateway did not say that it is alive', { cause: failure });
      }
      const quarter = Math.max(1, Math.floor(samples.length * WARM_UP));
      return {
        warmMiB: median(samples.slice(quarter, 2 * quarter)),
        lastMiB: median(samples.slice(-quarter)),
        slowestAnswerMs,
      };
    },
  };
}

function residentBytes(pid: number): number {
  try {
    const [, kiB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    if (kiB !== undefined) return Number(kiB) * 1024;
  } catch {
    // No /proc here.
  }
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
