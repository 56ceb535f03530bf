import type { z } from 'zod';
import type { PaymentEvent, Rail } from './event.js';
import type { ReadSecret } from './secret.js';

export type ProviderId = 'alipay' | 'wechatpay' | 'wechatpay-v2';

/** One HTTP request to a notify address, as bytes. */
export interface NotificationRequest {
  /** Exactly as received; never re-serialised. */
  readonly body: Buffer;
  /** Lower-case names. Node joins a repeated header with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * When the gateway received it. A provider uses no other clock. Freshness and retired keys are
   * judged by this time, so the worker reaches the same verdict hours later.
   */
  readonly receivedAt: Date;
}

declare const verified: unique symbol;

/** A request of proved origin. Only `verify` creates one, and `decode` accepts no other. */
export interface VerifiedRequest<Message = unknown> {
  readonly [verified]: true;
  /** The opened content (decrypted if the protocol encrypts), in the provider's shape. */
  readonly message: Message;
}

/** Only `verify` of the adapters may call it. */
export function verifiedRequest<Message>(message: Message): VerifiedRequest<Message> {
  return { message } as VerifiedRequest<Message>;
}

/**
 * Why a request was rejected. For metrics and logs; the sender gets one constant text.
 * - `malformed`: not this protocol's message (missing or repeated fields, broken encoding, wrong
 *   shape)
 * - `not_a_notification`: genuine shape, but another signed message (a browser return, an API
 *   response)
 * - `bad_signature`: the signature is wrong
 * - `signature_probe`: the signature is wrong on purpose (`WECHATPAY/SIGNTEST/…`)
 * - `unknown_key`: it names a key that the channel does not have, or has retired
 * - `stale`: the signed time is outside the window
 * - `undecryptable`: genuine envelope, but the content does not open
 * - `foreign_envelope`: the content opens, but its unauthenticated envelope names another payee
 */
export type RejectReason =
  | 'malformed'
  | 'not_a_notification'
  | 'bad_signature'
  | 'signature_probe'
  | 'unknown_key'
  | 'stale'
  | 'undecryptable'
  | 'foreign_envelope';

export type Verification<Message = unknown> =
  | {
      readonly ok: true;
      readonly request: VerifiedRequest<Message>;
      /** Stable over re-sends. Up to 128 characters, as the provider wrote it. */
      readonly notificationId: string;
      /**
       * The order number, or the notification ID without one. It determines the shard of the queue,
       * so that an order's notifications meet in one batch; nothing else depends on it.
       */
      readonly shardKey: string;
      /**
       * SHA-256, 64 hex digits, of the business content, without parts that vary between sendings.
       */
      readonly digest: string;
      /**
       * `signed`, or `encrypted` for a message that is only encrypted with a shared key (v2 refund
       * notices).
       */
      readonly authenticity: 'signed' | 'encrypted';
      /**
       * When this copy was sent, by the provider's clock; null if the protocol does not state it.
       */
      readonly sentAt: Date | null;
    }
  | Rejection;

export interface Rejection {
  readonly ok: false;
  readonly reason: RejectReason;
  /** Of the signed text, if the signature is right all the same. */
  readonly signedDigest?: string;
}

export type Verified = Extract<Verification, { ok: true }>;

/**
 * The rule for a message's ID and digest.
 * - `text`: both are functions of exactly the authenticated text
 * - `former`: the rule of the previous release. It judges that release's jobs of versions 1 and 2,
 *   dead letters and rows, so that an update causes no conflict and no dead letter
 */
export type ContentRule = 'text' | 'former';

/** The name of a message and the digest of its content. */
export type ContentIdentity = Pick<Verified, 'notificationId' | 'digest'>;

export type ReceiveOutcome =
  /** Durable: it will not be lost. */
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected'; readonly reason: RejectReason }
  /** No such channel: 404. */
  | { readonly outcome: 'unknown_channel' }
  /**
   * Refused before it was read: too large (413), wrong method (405), encoded (415), or after too
   * many rejected requests (429).
   */
  | { readonly outcome: 'refused'; readonly status: 405 | 413 | 415 | 429 }
  /** Durability unknown: the provider must send it again. */
  | { readonly outcome: 'unavailable' };

/** The exact bytes of an HTTP reply. */
export interface ProviderReply {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/**
 * One adapter, bound to one channel's credentials. All three verbs are synchronous, do no I/O and
 * keep no state that affects a result; `verify` never throws for any bytes.
 */
export interface PaymentProvider<Message = unknown> {
  readonly id: ProviderId;
  readonly rail: Rail;
  /** Header names (lower-case) that verification needs. A job carries them with the body. */
  readonly signatureHeaders: readonly string[];
  /**
   * Optional headers with one accepted value; absence means that value. Only the gateway checks
   * them, so jobs do not carry them.
   */
  readonly gatewayOnlyHeaders: readonly string[];
  /** For the expiry alarm and the masked summary; never the key itself. */
  readonly keys: readonly KeyInfo[];
  /** @param rule `text` unless the previous release accepted the request */
  verify(request: NotificationRequest, rule?: ContentRule): Verification<Message>;
  /** The identity by the previous release's rule; null where both rules agree. */
  formerIdentity(request: VerifiedRequest<Message>): ContentIdentity | null;
  decode(request: VerifiedRequest<Message>): PaymentEvent[];
}

export interface KeyInfo {
  /** A serial, or the source's name (`env SHOP_KEY`, `file secrets/a.pem`). */
  readonly name: string;
  /** Certificates expire; bare keys do not. */
  readonly expiresAt: Date | null;
  readonly retiredAt: Date | null;
}

/**
 * All about a provider in one entry (`registry/`): no other code enumerates providers. `settings`
 * validates the channel's block of the channel file (without `provider`, `merchant`, `simulated`).
 */
export interface ProviderDefinition<Settings = unknown> {
  readonly id: ProviderId;
  readonly settings: z.ZodType<Settings>;
  /** Of a request's body; larger ones get 413 (docs/providers/README.md, "At a glance"). */
  readonly maxBodyBytes: number;
  /** Reads and parses the keys. @throws Error naming the setting at fault, never a value. */
  create(settings: Settings, readSecret: ReadSecret): PaymentProvider;
  reply: ReplyFor;
}

/** The reply depends on the protocol, not on a channel: an unknown channel gets one too. */
export type ReplyFor = (outcome: ReceiveOutcome) => ProviderReply;

/** HTTP status of an outcome; the body differs per provider. */
export function httpStatusOf(outcome: Exclude<ReceiveOutcome, { outcome: 'accepted' }>): number {
  switch (outcome.outcome) {
    case 'rejected':
      return outcome.reason === 'malformed' || outcome.reason === 'not_a_notification' ? 400 : 401;
    case 'unknown_channel':
      return 404;
    case 'refused':
      return outcome.status;
    case 'unavailable':
      return 503;
  }
}
