import { httpStatusOf, type ReplyFor } from '../provider.js';

/** One text for every rejection: a probing sender must learn nothing. */
const FAILURE = JSON.stringify({ code: 'FAIL', message: 'not accepted' });

/**
 * The status decides: WeChat takes a 200 with `FAIL` in it for success
 * (docs/providers/wechatpay.md, "Reply"). 204 without a body accepts; any other reply means a
 * re-send.
 */
export const reply: ReplyFor = (outcome) =>
  outcome.outcome === 'accepted'
    ? { status: 204, contentType: null, body: '' }
    : { status: httpStatusOf(outcome), contentType: 'application/json', body: FAILURE };
