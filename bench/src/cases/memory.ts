import { join } from 'node:path';
import { remaining } from '../backlog.js';
import { type Measurement, rounded } from '../measurement.js';
import { wechatpayPayments, writeRequests } from '../requests.js';
import type { Stage } from '../stage.js';
import type { Case } from './case.js';

const BODY_BYTES = 1_024;
/** All of them are sent; the measurement does not wait for the rest of this time. */
const SENDING_LIMIT_MS = 60_000;

export const backlogMemory: Case = {
  name: 'backlog.memory',
  does: 'bytes of Redis for a waiting v3 notification of 1 KiB, against its body',
  measure: async (stage) => [await bytesPerWaiting(stage)],
};

/** Without rounds: an allocator does not depend on other load on the machine. */
async function bytesPerWaiting(stage: Stage): Promise<Measurement> {
  const { scale, stores, programs } = stage;
  const requests = wechatpayPayments(stage.signers, scale.waiting, BODY_BYTES);
  const file = join(stage.folder, 'wechatpay.jsonl');
  writeRequests(file, requests);
  const target = await stores.freshTarget();
  try {
    const gateway = await programs.gateway(target, 'redis');
    const before = await usedBytes(stage);
    await programs.load({
      origin: gateway.origin,
      file,
      warmMs: 0,
      measureMs: SENDING_LIMIT_MS,
    });
    await gateway.stop();
    const waiting = await remaining(stores.redis);
    if (waiting !== requests.length) throw new Error(`${waiting} of ${requests.length} wait`);
    const value = ((await usedBytes(stage)) - before) / waiting;
    const baseline =
      requests.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0) / requests.length;
    stage.say(`backlog.memory: ${rounded(value)} bytes for a body of ${rounded(baseline)}`);
    return {
      name: 'backlog.memory',
      unit: 'bytes',
      value: rounded(value),
      baseline: rounded(baseline),
      ratio: rounded(value / baseline),
      against: 'the body alone',
    };
  } finally {
    await target.remove();
  }
}

async function usedBytes({ stores }: Stage): Promise<number> {
  const memory = await stores.redis.info('memory');
  return Number(/^used_memory:(\d+)/m.exec(memory)?.[1]);
}
