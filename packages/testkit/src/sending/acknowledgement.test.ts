import { expect, test } from 'vitest';
import type { SignerId } from '../signers/request.js';
import { refusalOf } from './acknowledgement.js';

const xml = (code: string) =>
  `<xml><return_code>${code}</return_code><return_msg><![CDATA[OK]]></return_msg></xml>`;

const accepted: [SignerId, number, string][] = [
  ['alipay', 200, 'success'],
  ['wechatpay-v2', 200, xml('<![CDATA[SUCCESS]]>')],
  ['wechatpay-v2', 200, `\n${xml('SUCCESS')}\n`],
  ['wechatpay', 200, ''],
  ['wechatpay', 204, ''],
  ['wechatpay', 200, '{"code":"FAIL"}'],
];

test.each(accepted)('%s accepts %i %j as an acknowledgement', (provider, status, body) => {
  expect(refusalOf(provider, { status, body: Buffer.from(body) })).toBeNull();
});

const refused: [SignerId, number, string, string][] = [
  ['alipay', 200, 'success\n', 'wrong_body'],
  ['alipay', 200, ' success', 'wrong_body'],
  ['alipay', 200, '\ufeffsuccess', 'wrong_body'],
  ['alipay', 200, '"success"', 'wrong_body'],
  ['alipay', 200, '', 'wrong_body'],
  ['alipay', 201, 'success', 'wrong_status'],
  ['alipay', 302, 'success', 'wrong_status'],
  ['wechatpay-v2', 200, '', 'wrong_body'],
  ['wechatpay-v2', 200, 'success', 'wrong_body'],
  ['wechatpay-v2', 200, '{"return_code":"SUCCESS"}', 'wrong_body'],
  ['wechatpay-v2', 200, xml('<![CDATA[FAIL]]>'), 'wrong_body'],
  ['wechatpay-v2', 200, `${xml('FAIL')}${xml('SUCCESS')}`, 'wrong_body'],
  ['wechatpay-v2', 503, xml('SUCCESS'), 'wrong_status'],
  ['alipay', 204, '', 'wrong_status'],
  ['alipay', 503, 'success', 'wrong_status'],
  ['wechatpay', 202, '', 'wrong_status'],
  ['wechatpay', 401, '', 'wrong_status'],
  ['wechatpay', 503, '{"code":"SUCCESS"}', 'wrong_status'],
];

test.each(refused)('%s sends again after %i %j', (provider, status, body, reason) => {
  expect(refusalOf(provider, { status, body: Buffer.from(body) })).toBe(reason);
});
