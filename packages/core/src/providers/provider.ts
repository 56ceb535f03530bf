import type { z } from 'zod';
import type { PaymentEvent, Rail } from './event.js';
import type { ReadSecret } from './secret.js';

export type ProviderId = 'alipay' | 'wechatpay' | 'wechatpay-v2';

/** One HTTP request to a notify address, as bytes. */
export interface NotificationRequest {
  /** Exactly what was received; never re-serialised. */
  readonly body: Buffer;
  /** Lower-case names. A header that came twice is joined by Node with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * When the gateway received it. The only clock a provider knows: freshness and retired keys are
   * judged against it, so the worker reaches the same verdict hours later.
   */
  readonly receivedAt: Date;
}

declare const verified: unique symbol;

/** A request whose origin was proved. Only `verify` makes one, and only such a one can be decoded. */
export interface VerifiedRequest<Message = unknown> {
  readonly [verified]: true;
  /** The opened content (decrypted where the protocol encrypts), in the provider's own shape. */
  readonly message: Message;
}

/** Called by `verify` of the adapters, and by nothing else. */
export function verifiedRequest<Message>(message: Message): VerifiedRequest<Message> {
  return { message } as VerifiedRequest<Message>;
}

/**
 * Why a request was refused. For metrics and logs; the sender gets one constant text.
 * - `malformed`: not this protocol's message (missing or doubled fields, broken encoding, wrong shape)
 * - `not_a_notification`: genuine shape, but another signed message (a browser return, an API answer)
 * - `bad_signature`: the signature is wrong
 * - `signature_probe`: the signature is wrong on purpose (`WECHATPAY/SIGNTEST/…`)
 * - `unknown_key`: it names a key that the channel does not have, or has retired
 * - `stale`: the signed time is outside the window
 * - `undecryptable`: genuine envelope, but the content cannot be opened
 * - `foreign_envelope`: the content opens, but its envelope, which nothing authenticates, names another payee
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
       * The order number; the notification ID where there is none. Decides the shard of the queue, so that an
       * order's notifications meet in one batch; nothing else depends on it.
       */
      readonly shardKey: string;
      /** SHA-256, 64 hex digits, of the business content without what changes from sending to sending. */
      readonly digest: string;
      /** `signed`, or `encrypted` for what is only encrypted with a shared key (v2 refund notices). */
      readonly authenticity: 'signed' | 'encrypted';
      /** When this copy was sent, by the provider's clock; null where the protocol does not say. */
      readonly sentAt: Date | null;
    }
  | { readonly ok: false; readonly reason: RejectReason };

/**
 * Which rule names a message and its content.
 * - `text`: the notification ID and the digest are functions of exactly what is authenticated
 * - `former`: as the release before did. Jobs of versions 1 and 2, dead letters and rows that it wrote are
 *   judged by this rule, so that an update makes no conflict and no dead letter
 */
export type ContentRule = 'text' | 'former';

/** The name of a message and the digest of its content. */
export type ContentIdentity = Pick<
  Extract<Verification, { ok: true }>,
  'notificationId' | 'digest'
>;

export type ReceiveOutcome =
  /** Durable: it will not be lost. */
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'rejected'; readonly reason: RejectReason }
  /** No such channel: 404. */
  | { readonly outcome: 'unknown_channel' }
  /** Too large (413), wrong method (405), encoded (415), too many refused (429): refused before it was read. */
  | { readonly outcome: 'refused'; readonly status: 405 | 413 | 415 | 429 }
  /** Not known to be durable: the provider must send it again. */
  | { readonly outcome: 'unavailable' };

/** The exact bytes of an HTTP reply. */
export interface ProviderReply {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/**
 * One adapter, bound to one channel's credentials. All three verbs are synchronous, do no I/O and
 * keep no state that an answer depends on; `verify` never throws, whatever the bytes.
 */
export interface PaymentProvider<Message = unknown> {
  readonly id: ProviderId;
  readonly rail: Rail;
  /** Header names (lower-case) that verification needs: what a job has to carry besides the body. */
  readonly signatureHeaders: readonly string[];
  /**
   * Header names that verification looks at where they are there, and that may be absent: it accepts one value, which
   * is what absence means. The gateway judges them; a job needs not carry them.
   */
  readonly judgedHeaders: readonly string[];
  /** For the expiry alarm and the masked summary; never the key itself. */
  readonly keys: readonly KeyInfo[];
  /** @param rule `text` unless the request was accepted by the release before */
  verify(request: NotificationRequest, rule?: ContentRule): Verification<Message>;
  /** The same message by the rule of the release before; null where both rules agree. */
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
 * All that is known of a provider in one entry (`registry.ts`): nothing else enumerates providers.
 * `settings` validates the channel's block of the channel file (without `provider`, `merchant`, `simulated`).
 */
export interface ProviderDefinition<Settings = unknown> {
  readonly id: ProviderId;
  readonly settings: z.ZodType<Settings>;
  /** Reads and parses the keys. @throws Error naming the setting at fault, never a value. */
  create(settings: Settings, readSecret: ReadSecret): PaymentProvider;
  reply: ReplyFor;
}

/** The reply belongs to the protocol, not to a channel: an unknown channel is answered too. */
export type ReplyFor = (outcome: ReceiveOutcome) => ProviderReply;

/** HTTP status of an outcome; the body differs per provider. */
export function statusOf(outcome: Exclude<ReceiveOutcome, { outcome: 'accepted' }>): number {
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
