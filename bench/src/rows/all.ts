import { ackFloor, ackNaive, ackStandby, duplicates } from './ack.js';
import { applyFloor, applyNaive, workers } from './apply.js';
import { growth } from './growth.js';
import { ackLatency, latency } from './latency.js';
import { backlogMemory } from './memory.js';
import type { Row } from './row.js';
import { verifyAlipay, verifyAlipayFloor, verifyWechatpay } from './verify.js';

export type { Row } from './row.js';

export const ROWS: readonly Row[] = [
  verifyAlipay,
  verifyAlipayFloor,
  verifyWechatpay,
  ackFloor,
  ackNaive,
  ackStandby,
  applyNaive,
  applyFloor,
  latency,
  ackLatency,
  growth,
  backlogMemory,
  duplicates,
  workers,
];
