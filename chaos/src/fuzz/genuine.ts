import { randomUUID } from 'node:crypto';
import type { SimulatedSigners } from '@payonce/testkit/channels/channels';
import type { Random } from '@payonce/testkit/machine/random';
import type {
  PaymentInput,
  ProviderSigner,
  RefundInput,
  SignedNotification,
  SignedRequest,
  SignerId,
} from '@payonce/testkit/signers/request';
import { CUTTABLE } from '../workload/recut.js';
import { mutateBytes, nastyText } from './bytes.js';

/** A message as the provider sends it, which its channel accepts. */
export interface Genuine extends SignedRequest {
  /** The same message signed by another key, or altered on the way. */
  forge(random: Random): SignedRequest;
}

/** The material for requests of one provider. */
export interface Target {
  readonly provider: SignerId;
  /** The channel for hostile requests. */
  readonly path: string;
  /** Another channel, with the same keys, for hostile content that is genuinely signed. */
  readonly ownPath: string;
  /** The separator between the fields of a body. */
  readonly separator: string;
  readonly pool: readonly Genuine[];
  /** The cipher texts of its refund notices, if they are encrypted and not signed. */
  readonly sealed: readonly string[];
  signHostile(random: Random): SignedRequest;
}

const CHANNELS = { alipay: 'alipay', wechatpay: 'wechat', 'wechatpay-v2': 'wechat-v2' } as const;
const SEPARATORS = { alipay: '&', wechatpay: ',', 'wechatpay-v2': '\n' } as const;
const EACH = 4;

/** Freshly signed: API v3 accepts nothing older than five minutes. */
export function targetsOf(signers: SimulatedSigners): readonly Target[] {
  const { 'sim-alipay': alipay, 'sim-wechat': v3, 'sim-wechat-v2': v2 } = signers;
  return [
    target(
      alipay,
      (n) => [
        alipay.closed({ ...about(n), closedAt: new Date() }),
        alipay.finished(payment(n)),
        alipay.waiting(about(n)),
        alipay.platformMessage({ method: 'alipay.fund.trans.order.changed', content: { n } }),
      ],
      (random) => {
        const { fields } = alipay.payment(payment(random.between(0, 9_999))).content;
        const at = random.between(0, fields.length - 1);
        const [name = 'a'] = fields[at] ?? [];
        const hostile = [random.chance(0.2) ? nastyText(random) : name, nastyText(random)] as const;
        return alipay.fields(fields.with(at, hostile));
      },
    ),
    target(
      v3,
      (n) => [
        v3.failed(payment(n)),
        v3.refund({ ...refund(n), status: 'ABNORMAL' }),
        v3.combined({ combinedOrderNumber: `C${n}`, paidAt: new Date(), orders: [about(n)] }),
        v3.event({ eventType: 'PAYSCORE.USER_PAID', resource: { n } }),
      ],
      (random) => {
        const { body, content } = v3.payment(payment(random.between(0, 9_999)));
        if (random.chance(0.3)) return v3.bytes(mutateBytes(body, random));
        const resource = mutateBytes(Buffer.from(content.resource), random).toString('latin1');
        return v3.event({
          eventType: random.pick([content.eventType, nastyText(random)]),
          resource,
        });
      },
    ),
    target(
      v2,
      (n) => [v2.failed(payment(n)), v2.refund({ ...refund(n), status: 'CHANGE' })],
      (random) => {
        const { content } = v2.payment(payment(random.between(0, 9_999)));
        const at = random.between(0, content.fields.length - 1);
        const [name = 'a'] = content.fields[at] ?? [];
        if (random.chance(0.7))
          return v2.fields(content.fields.with(at, [name, nastyText(random)]));
        return v2.reqInfo(
          random.chance(0.5) ? nastyText(random) : `<root>${nastyText(random)}</root>`,
        );
      },
    ),
  ];
}

function target<Content>(
  signer: ProviderSigner<Content>,
  others: (n: string) => readonly SignedNotification<Content>[],
  signHostile: Target['signHostile'],
): Target {
  const { id: provider } = signer;
  const channel = CHANNELS[provider];
  const pool = Array.from({ length: EACH }, () => unique()).flatMap((n) => [
    signer.payment({ ...payment(n), text: CUTTABLE[provider] }),
    signer.refund(refund(n)),
    ...others(n),
  ]);
  return {
    provider,
    path: `/notify/${provider}/sim-${channel}`,
    ownPath: `/notify/${provider}/own-${channel}`,
    separator: SEPARATORS[provider],
    sealed: pool.flatMap(({ body }) => {
      const [, sealed] = /<req_info><!\[CDATA\[(.*?)\]\]>/.exec(body.toString('utf8')) ?? [];
      return sealed === undefined ? [] : [sealed];
    }),
    pool: pool.map((notification) => ({
      body: notification.body,
      headers: notification.headers,
      forge: (random) =>
        signer.forge(notification, random.pick(['foreign_key', 'changed_content'] as const)),
    })),
    signHostile,
  };
}

const unique = () => randomUUID().replaceAll('-', '').slice(0, 24);

function about(n: number | string) {
  return { orderNumber: `F${n}`, trade: `42${n}`, amount: 8_888n };
}

function payment(n: number | string): PaymentInput {
  return { ...about(n), paidAt: new Date() };
}

function refund(n: number | string): RefundInput {
  return {
    ...about(n),
    refundId: `50${n}`,
    refundAmount: 3_000n,
    refundedTotal: 3_000n,
    refundedAt: new Date(),
    full: false,
  };
}
