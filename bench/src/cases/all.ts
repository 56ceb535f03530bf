import { ackFloor, ackNaive, ackStandby, duplicates } from './ack.js';
import { applyFloor, applyNaive, workers } from './apply.js';
import type { Case } from './case.js';
import { growth } from './growth.js';
import { ackLatency, latency } from './latency.js';
import { backlogMemory } from './memory.js';
import { verifyAlipay, verifyAlipayFloor, verifyWechatpay } from './verify.js';

export type { Case } from './case.js';

export const CASES: readonly Case[] = [
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
