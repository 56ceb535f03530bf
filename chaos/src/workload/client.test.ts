import { expect, test } from 'vitest';
import { isAcknowledgement } from './client.js';

const says = (status: number, body: string) => ({ status, body: Buffer.from(body) });
const V2 =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';

test.each([
  ['alipay', says(200, 'success'), true],
  ['alipay', says(200, 'success\n'), false],
  ['alipay', says(204, ''), false],
  ['alipay', says(503, 'success'), false],
  ['wechatpay', says(204, ''), true],
  ['wechatpay', says(200, '{"code":"FAIL"}'), true],
  ['wechatpay', says(401, ''), false],
  ['wechatpay-v2', says(200, V2), true],
  ['wechatpay-v2', says(200, V2.replace('SUCCESS', 'FAIL')), false],
  ['wechatpay-v2', says(200, ''), false],
  ['wechatpay-v2', says(500, V2), false],
] as const)('%s takes %o for an acknowledgement: %s', (provider, reply, acknowledged) => {
  expect(isAcknowledgement(provider, reply)).toBe(acknowledged);
});
