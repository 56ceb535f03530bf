import type {
  NotificationRequest,
  PaymentProvider,
  ProviderDefinition,
  ProviderReply,
} from '@payonce/providers/provider';
import type {
  PaymentInput,
  ProviderSigner,
  RefundInput,
  SignedRequest,
} from '@payonce/testkit/signers/request';
import type fc from 'fast-check';

/** A request with its fault (or peculiarity), for a test's title. */
export type Case = readonly [title: string, request: SignedRequest];

/**
 * The suite's data of one provider. The signers are the testkit's, which share no code with the
 * adapters: an error cannot hide in both.
 */
export interface Harness {
  readonly definition: ProviderDefinition;
  /** With the genuine keys live, or retired at a moment. */
  provider(retiredAt?: Date): PaymentProvider;
  /** Settings that are valid except for the keys' content. */
  readonly settings: unknown;
  readonly signer: ProviderSigner;
  readonly rail: 'alipay' | 'wechat';

  /** The request without each header or field that the protocol authenticates. */
  withoutEach(request: SignedRequest): Case[];
  /** The request with each header or field doubled. */
  withDoubled(request: SignedRequest): Case[];
  /** The request with a changed signature text. */
  withSignature(request: SignedRequest, change: (signature: string) => string): SignedRequest;
  /** Genuinely signed, but no notification. */
  readonly notNotifications: readonly Case[];
  /** Text or escapes that cannot be read. */
  readonly brokenEncodings: readonly Case[];
  /**
   * The fields in another order: harmless if order has no meaning, null if the bytes are signed.
   */
  reordered(request: SignedRequest): SignedRequest | null;
  /** The same content written differently, if the bytes are signed; otherwise null. */
  reserialised(request: SignedRequest): SignedRequest | null;
  /**
   * How far the signed time may be from the time of receipt; null if the protocol has no such
   * window.
   */
  readonly windowSeconds: number | null;
  /** The request under a key that the channel does not list, if requests name their key. */
  unknownKey(request: SignedRequest): SignedRequest | null;
  /** Bodies of almost `size` bytes whose verification takes long, and fails. */
  expensive(size: number): readonly (readonly [title: string, body: Buffer])[];
  /** Genuinely signed (or encrypted) requests with any content. */
  readonly anySigned: fc.Arbitrary<SignedRequest>;

  readonly replies: {
    readonly accepted: ProviderReply;
    readonly failure: Omit<ProviderReply, 'status'>;
  };
}

export const NOW = new Date('2026-11-23T08:32:00Z');

export const PAYMENT: PaymentInput = {
  orderNumber: 'order-1',
  trade: '4200002026112300000000000001',
  amount: 8880n,
  paidAt: new Date('2026-11-23T08:31:58Z'),
  notificationId: '2026112300000000000000000000000001',
  text: '中文 a+b 100% & "quoted" \'<b>\'',
};

export const REFUND: RefundInput = {
  orderNumber: PAYMENT.orderNumber,
  trade: PAYMENT.trade,
  amount: PAYMENT.amount,
  refundId: '50300002026112300000000000001',
  refundAmount: 300n,
  refundedTotal: 300n,
  refundedAt: new Date('2026-11-23T08:31:59Z'),
  full: false,
  paidAt: PAYMENT.paidAt,
  notificationId: '2026112300000000000000000000000002',
};

export function received(request: SignedRequest, receivedAt = NOW): NotificationRequest {
  return { body: request.body, headers: request.headers, receivedAt };
}

/** `before`, as many `piece`s as there is room for, `after`: at most `size` bytes. */
export function filled(size: number, before: string, piece: string, after: string): Buffer {
  const room = size - Buffer.byteLength(before) - Buffer.byteLength(after);
  const pieces = piece.repeat(Math.floor(room / Buffer.byteLength(piece)));
  return Buffer.from(`${before}${pieces}${after}`);
}

export function withBody(request: SignedRequest, text: string): SignedRequest {
  return { ...request, body: Buffer.from(text, 'utf8') };
}
