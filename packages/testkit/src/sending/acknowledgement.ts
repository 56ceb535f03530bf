import type { SignerId } from '../signers/request.js';

/** The reply of a notify address. */
export interface Reply {
  readonly status: number;
  /** Exact bytes, cut off where the provider would stop reading. */
  readonly body: Buffer;
}

export type Refusal = 'wrong_status' | 'wrong_body';

/** Whether the provider accepts this reply as an acknowledgement. Null when it does. */
export function refusalOf(provider: SignerId, reply: Reply): Refusal | null {
  switch (provider) {
    case 'alipay':
      // Exactly seven bytes: no blank, BOM or line break (docs/providers/alipay.md, "Reply").
      if (reply.status !== 200) return 'wrong_status';
      return reply.body.equals(Buffer.from('success')) ? null : 'wrong_body';
    case 'wechatpay-v2':
      // An empty body, `success`, JSON, HTML are wrong (docs/providers/wechatpay-v2.md, "Reply").
      if (reply.status !== 200) return 'wrong_status';
      return V2_SUCCESS.test(reply.body.toString('utf8')) ? null : 'wrong_body';
    case 'wechatpay':
      // The status outranks the body, even {"code":"FAIL"} (docs/providers/wechatpay.md, "Reply").
      return reply.status === 200 || reply.status === 204 ? null : 'wrong_status';
  }
}

/** One `<xml>` root with return_code SUCCESS; CDATA or plain, other elements in any order. */
const V2_SUCCESS =
  /^\s*<xml>(?:(?!<\/?xml>)[\s\S])*<return_code>(?:<!\[CDATA\[SUCCESS\]\]>|SUCCESS)<\/return_code>(?:(?!<\/?xml>)[\s\S])*<\/xml>\s*$/;
