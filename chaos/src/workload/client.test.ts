import { expect, test } from 'vitest';
import { isAcknowledgement } from './client.js';

const reply = (status: number, body: string) => ({ status, body: Buffer.from(body) });
const V2 =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';

test.each([
  ['alipay', reply(200, 'success'), true],
  ['alipay', reply(200, 'success\n'), false],
  ['alipay', reply(204, ''), false],
  ['alipay', reply(503, 'success'), false],
  ['wechatpay', reply(204, ''), true],
  ['wechatpay', reply(200, '{"code":"FAIL"}'), true],
  ['wechatpay', reply(401, ''), false],
  ['wechatpay-v2', reply(200, V2), true],
  ['wechatpay-v2', reply(200, V2.replace('SUCCESS', 'FAIL')), false],
  ['wechatpay-v2', reply(200, ''), false],
  ['wechatpay-v2', reply(500, V2), false],
] as const)('%s takes %o for an acknowledgement: %s', (provider, reply, acknowledged) => {
  expect(isAcknowledgement(provider, reply)).toBe(acknowledged);
});
