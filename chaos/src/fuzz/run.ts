import type { Random } from '@payonce/testkit/machine/random';
import type { FuzzedGateway } from './gateway.js';
import { type Target, targetsOf } from './genuine.js';
import type { FuzzRequest } from './parts.js';
import { fuzzRequest, genuineRequest } from './requests.js';
import { endingOf, newTally, type Tally } from './tally.js';
import { openWire, type Wire } from './wire.js';

export interface RunOptions {
  readonly gateway: FuzzedGateway;
  /** Per provider. */
  readonly requests: number;
  readonly random: Random;
  /** Called for each finding, with the request. */
  readonly onFailure: (what: string, bytes: Buffer) => void;
  readonly onProgress: (tallies: readonly Tally[]) => void;
  readonly signal: AbortSignal;
}

/** Concurrent connections; each has one request under way. */
const CONNECTIONS = 32;
/**
 * Requests of each provider between two looks into the queue; meanwhile signatures of API v3 grow
 * old.
 */
const EPOCH = 5_000;

/**
 * Sends the requests of all providers, mixed, in epochs. After each it checks the new jobs in the
 * queue.
 */
export async function sendAll(options: RunOptions): Promise<readonly Tally[]> {
  const { gateway, requests, signal } = options;
  const tallies = targetsOf(gateway.signers).map(({ provider }) => newTally(provider));
  const wires = Array.from({ length: CONNECTIONS }, () => openWire(gateway.port));
  try {
    for (let left = requests; left > 0 && !signal.aborted; left -= EPOCH) {
      await epoch(options, tallies, wires, Math.min(left, EPOCH));
      options.onProgress(tallies);
    }
    return tallies;
  } finally {
    for (const wire of wires) wire.close();
  }
}

async function epoch(
  options: RunOptions,
  tallies: readonly Tally[],
  wires: readonly Wire[],
  requests: number,
): Promise<void> {
  const { gateway, random, signal } = options;
  const targets = targetsOf(gateway.signers);
  const genuine = await baseline(options, targets, tallies, wires);
  const pairs = targets.flatMap((target, index) => {
    const tally = tallies[index];
    return tally ? [{ target, tally }] : [];
  });
  let left = requests * pairs.length;
  await Promise.all(
    wires.map(async (wire) => {
      for (; left > 0 && !signal.aborted && gateway.ended() === null; ) {
        const pair = pairs[left % pairs.length];
        left -= 1;
        if (pair === undefined) return;
        await send(options, wire, pair.tally, fuzzRequest(pair.target, random));
      }
    }),
  );
  for (const [jobId, job] of await gateway.takeJobs('sim-')) {
    if (!genuine.has(jobId)) judge(options, targets, tallies, jobId, job);
  }
}

/** Sends every genuine message once. @returns their job IDs */
async function baseline(
  options: RunOptions,
  targets: readonly Target[],
  tallies: readonly Tally[],
  [wire]: readonly Wire[],
): Promise<ReadonlySet<string>> {
  const { gateway } = options;
  await gateway.takeJobs('');
  for (const [index, target] of targets.entries()) {
    const tally = tallies[index];
    if (tally === undefined || wire === undefined) continue;
    for (const one of target.pool) await send(options, wire, tally, genuineRequest(target, one));
  }
  return new Set((await gateway.takeJobs('sim-')).keys());
}

async function send(
  { gateway, onFailure }: RunOptions,
  wire: Wire,
  tally: Tally,
  request: FuzzRequest,
): Promise<void> {
  const reply = await wire.exchange(request);
  const status = reply?.status ?? null;
  const ending = endingOf(request.kind, request.wellFramed, status);
  tally.requests += 1;
  tally[ending] += 1;
  if (ending !== 'failed') return;
  const ended = gateway.ended();
  const what = ended === null ? `answered ${status ?? 'nothing'}` : `the gateway ended (${ended})`;
  onFailure(`${tally.provider}, ${request.kind}: ${what}`, request.bytes);
}

/**
 * Judges a job that no genuine message explains: its ID covers the content, so its content is new.
 * The encrypted part of a refund notice of API v2 is unsigned and may be altered; in another
 * envelope it is the same notice. Any other job was forged.
 */
function judge(
  { onFailure }: RunOptions,
  targets: readonly Target[],
  tallies: readonly Tally[],
  jobId: string,
  job: unknown,
): void {
  const tally = tallies.find(({ provider }) => jobId.startsWith(`${provider}.`));
  if (tally === undefined) throw new Error(`a job of no provider: ${jobId}`);
  const text = JSON.stringify(job);
  const isRewrapped = targets.some(({ sealed }) => sealed.some((one) => text.includes(one)));
  if (/^wechatpay-v2\.sim-wechat-v2\.refund-/.test(jobId) && !isRewrapped) {
    tally.unsignedTaken += 1;
    return;
  }
  tally.forgedAccepted += 1;
  onFailure(
    `${tally.provider}: a forged message, or a genuine one as another, was taken as ${jobId}`,
    Buffer.from(text),
  );
}
