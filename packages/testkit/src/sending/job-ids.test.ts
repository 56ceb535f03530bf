import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jobIdScanner } from './job-ids.js';

const IDS = [
  'alipay.sim-alipay.2026112301234567890123456789012345.0a1b2c3d4e5f6071',
  'wechatpay.sim-wechat.0f0e8f4e-8d0c-4c0b-9c37-2f8f6b8f3c11.deadbeefdeadbeef',
  'wechatpay-v2.sim-wechat-v2.payment-4200001234-SUCCESS.0000000000000000',
  // Of the previous release.
  'wechatpay-v2.sim-wechat-v2.refund-5000001234-SUCCESS.0000000a',
];

test('every job ID is found once, however the stream is cut into pieces', () => {
  const stream = Buffer.from(
    `*3\r\n$5\r\n\xc3${IDS[0]}\xda\0\x05${IDS[1]}\r\n"${IDS[2]}"\0${IDS[3]}\r\n`,
    'latin1',
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: stream.length }), { maxLength: 40 }), (cuts) => {
      const found: string[] = [];
      const scan = jobIdScanner((jobId) => found.push(jobId));
      const edges = [0, ...new Set(cuts)].sort((a, b) => a - b);
      for (const [index, start] of edges.entries()) scan(stream.subarray(start, edges[index + 1]));
      expect(found).toEqual(IDS);
    }),
  );
});

test('the same job ID sent twice is reported twice, and half of one is not reported', () => {
  const found: string[] = [];
  const scan = jobIdScanner((jobId) => found.push(jobId));
  scan(Buffer.from(`${IDS[0]} ${IDS[0]} ${IDS[1]?.slice(0, -1)}`));
  expect(found).toEqual([IDS[0], IDS[0]]);
});
