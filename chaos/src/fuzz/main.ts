import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@payonce/testkit/machine/random';
import { type Command, wholeNumber } from '@payonce/tooling/command';
import { keepFailure, startFuzzedGateway } from './gateway.js';
import { type Health, watchHealth } from './health.js';
import { sendAll } from './run.js';
import type { Tally } from './tally.js';

interface FuzzOptions {
  readonly requests: number;
  readonly seed: number;
  readonly json: boolean;
}

const DEFAULT_REQUESTS = 200_000;
/** Takes hours; and counters stay exact. */
const MOST_REQUESTS = 100_000_000;
/**
 * Between the warm gateway and the end. Covers its data per connection and fluctuations of the
 * heap.
 */
const GROWTH_MAX_MIB = 64;
/** Of each kind of failure the first ones are enough. */
const FAILURES_KEPT = 20;

const HELP = `npm run fuzz -- [--requests N] [--seed S] [--json]

Starts its own gateway and Redis. Sends arbitrary requests over HTTP on this machine, genuine ones with altered
bytes, fields, headers and framing, and genuine ones in other cuts and envelopes. Exits non-zero if a request gets
5xx or no response, if a genuine one is rejected or a forged one accepted, if one message is accepted as two, or if
the gateway exits, stops responding, logs an error, or grows by more than ${GROWTH_MAX_MIB} MiB after it is warm.

  --requests N  requests for each provider (${DEFAULT_REQUESTS})
  --seed S      repeats the choices of that seed (keys and signatures are new in each run)
  --json        one JSON object per line: one per provider, the last one for the run`;

/** `npm run fuzz`. @returns 0 without a finding; 2 for a wrong command line; else 1 */
export async function fuzz({ root, state, args }: Command): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    (options === HELP ? console.log : console.error)(options);
    return options === HELP ? 0 : 2;
  }
  const folder = join(state, 'fuzz');
  const problems: string[] = [];
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of SIGNALS) process.once(signal, stop);
  say(
    `seed ${options.seed}, ${options.requests} requests of each provider, ${cpus().length} cores`,
  );
  const gateway = await startFuzzedGateway(root, folder);
  try {
    const startedAt = performance.now();
    const health = watchHealth(gateway);
    const tallies = await sendAll({
      gateway,
      requests: options.requests,
      random: seededRandom(options.seed),
      signal: stopping.signal,
      onProgress: (all) => say(progress(all, performance.now() - startedAt)),
      onFailure: (what, bytes) => {
        if (problems.length >= FAILURES_KEPT) return;
        const file = keepFailure(folder, `failure-${problems.length + 1}.bin`, bytes);
        problems.push(`${what}; sent: ${file}`);
      },
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    if (stopping.signal.aborted) problems.push('stopped');
    const measured = await health.stop();
    problems.push(...faultsOf(measured), ...gateway.errors().slice(0, FAILURES_KEPT));
    report(options, tallies, measured, seconds, problems);
  } finally {
    await gateway.end();
    for (const signal of SIGNALS) process.removeListener(signal, stop);
    if (problems.length === 0) rmSync(folder, { recursive: true, force: true });
  }
  return problems.length === 0 ? 0 : 1;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function faultsOf({ warmMiB, lastMiB }: Health): string[] {
  if (lastMiB - warmMiB <= GROWTH_MAX_MIB) return [];
  return [`the gateway grew from ${warmMiB} to ${lastMiB} MiB, more than ${GROWTH_MAX_MIB}`];
}

function report(
  { seed, json }: FuzzOptions,
  tallies: readonly Tally[],
  health: Health,
  seconds: number,
  problems: readonly string[],
): void {
  const requests = tallies.reduce((all, tally) => all + tally.requests, 0);
  const perSecond = Math.round(requests / seconds);
  const run = { seed, requests, seconds: Math.round(seconds), perSecond, ...health, problems };
  if (json) {
    for (const line of [...tallies, run]) console.log(JSON.stringify(line));
  } else {
    console.table(tallies);
    console.log(
      `${requests} requests in ${seconds.toFixed(1)} s: ${perSecond} a second. Memory ${health.warmMiB} MiB when warm, ${health.lastMiB} MiB at the end; slowest sign of life ${Math.round(health.slowestAnswerMs)} ms.`,
    );
  }
  for (const problem of problems) say(`✗ ${problem}`);
  say(problems.length === 0 ? `clean: seed ${seed}` : `NOT CLEAN: seed ${seed}`);
}

function progress(tallies: readonly Tally[], ms: number): string {
  const sent = tallies.reduce((all, tally) => all + tally.requests, 0);
  return `${(ms / 1_000).toFixed(1).padStart(6)} s  ${sent} requests, ${Math.round((sent / ms) * 1_000)} a second`;
}

/** @returns a text after a wrong command line or a request for help */
function readOptions(args: readonly string[]): FuzzOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        requests: { type: 'string', default: String(DEFAULT_REQUESTS) },
        seed: { type: 'string', default: String(randomInt(1, 2 ** 32)) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return HELP;
    return {
      requests: wholeNumber('--requests', values.requests, 1, MOST_REQUESTS),
      seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
      json: values.json,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function say(line: string): void {
  console.error(line);
}
