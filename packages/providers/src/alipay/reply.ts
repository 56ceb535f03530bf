import { httpStatusOf, type ReplyFor } from '../provider.js';

/**
 * Alipay accepts exactly the seven bytes `success` as an acknowledgement, and repeats the notice
 * for anything else (opendocs open/270/105902).
 */
export const reply: ReplyFor = (outcome) =>
  outcome.outcome === 'accepted'
    ? { status: 200, contentType: 'text/plain', body: 'success' }
    : { status: httpStatusOf(outcome), contentType: 'text/plain', body: 'fail' };
