import { httpStatusOf, type ReplyFor } from '../provider.js';

const CONTENT_TYPE = 'text/xml';

/**
 * Anything else (an empty body, `success`, JSON, a page) counts as a failure:
 * pay.weixin.qq.com/doc/v2/partner/4011984734.
 */
const SUCCESS = xml('SUCCESS', 'OK');
/**
 * One text for every rejection: neither a forger nor a padding oracle may learn the reason from it.
 */
const FAILURE = xml('FAIL', 'FAIL');

function xml(code: string, message: string): string {
  return `<xml><return_code><![CDATA[${code}]]></return_code><return_msg><![CDATA[${message}]]></return_msg></xml>`;
}

export const reply: ReplyFor = (outcome) =>
  outcome.outcome === 'accepted'
    ? { status: 200, contentType: CONTENT_TYPE, body: SUCCESS }
    : { status: httpStatusOf(outcome), contentType: CONTENT_TYPE, body: FAILURE };
