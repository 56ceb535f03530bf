import type { SimulatedChannels } from '@payonce/testkit/channels/channels';
import type { AlipayNotification, AlipaySigner } from '@payonce/testkit/signers/alipay';
import type {
  ProviderSigner,
  SignedNotification,
  SignedRequest,
  SignerId,
} from '@payonce/testkit/signers/request';
import type { WechatpayNotification, WechatpaySigner } from '@payonce/testkit/signers/wechatpay';
import type {
  WechatpayV2Notification,
  WechatpayV2Signer,
} from '@payonce/testkit/signers/wechatpay-v2';
import { asSignatureProbe } from '@payonce/testkit/signers/wechatpay-wire';
import type { Message, SendInput } from './messages.js';

/** A message that can be sent any number of times. */
export interface Scenario {
  readonly provider: SignerId;
  /** Null for v2, which has none. */
  readonly notificationId: string | null;
  readonly first: SignedRequest;
  /** The same message as the provider re-sends it, with a new signature. */
  again(): SignedRequest;
}

type Wanted = Pick<SendInput, 'channel' | 'message' | 'forge' | 'signWith'>;

/**
 * @returns null when the provider sends no such message, or when it cannot be forged in this way
 */
export function compose(channels: SimulatedChannels, wanted: Wanted): Scenario | null {
  const { signers } = channels;
  const { message, forge } = wanted;
  if (forge === 'signature_probe' && wanted.channel !== 'sim-wechat') return null;
  switch (wanted.channel) {
    case 'sim-alipay':
      return scenario(
        signers['sim-alipay'],
        composeAlipayNotification(signers['sim-alipay'], message),
        forge,
      );
    case 'sim-wechat': {
      const publicKey = wanted.signWith === 'public_key';
      const signer = publicKey ? channels.wechatPublicKeySigner : signers['sim-wechat'];
      return scenario(signer, composeWechatpayNotification(signer, message), forge);
    }
    case 'sim-wechat-v2': {
      const signer = signers['sim-wechat-v2'];
      return scenario(signer, composeWechatpayV2Notification(signer, message), forge);
    }
  }
}

function scenario<Content>(
  signer: ProviderSigner<Content>,
  notification: SignedNotification<Content> | null,
  forge: SendInput['forge'],
): Scenario | null {
  if (notification === null) return null;
  const falsified = (genuine: SignedNotification<Content>): SignedRequest => {
    if (forge === undefined) return genuine;
    return forge === 'signature_probe' ? asSignatureProbe(genuine) : signer.forge(genuine, forge);
  };
  return {
    provider: signer.id,
    notificationId: notification.notificationId,
    first: falsified(notification),
    again: () => falsified(signer.resend(notification)),
  };
}

function composeAlipayNotification(
  signer: AlipaySigner,
  message: Message,
): AlipayNotification | null {
  switch (message.kind) {
    case 'payment':
      return signer.payment(message);
    case 'finished':
      return signer.finished(message);
    case 'waiting':
      return signer.waiting(message);
    case 'closed':
      return signer.closed(message);
    case 'refund':
      // Alipay sends successful refunds only.
      return message.status === 'success' ? signer.refund(message) : null;
    case 'platform_message':
      return signer.platformMessage(message);
    default:
      return null;
  }
}

const V3_REFUND = { success: 'SUCCESS', abnormal: 'ABNORMAL', closed: 'CLOSED' } as const;

function composeWechatpayNotification(
  signer: WechatpaySigner,
  message: Message,
): WechatpayNotification | null {
  switch (message.kind) {
    case 'payment':
      return signer.payment(message);
    case 'failed':
      return signer.failed(message);
    case 'refund':
      return signer.refund({ ...message, status: V3_REFUND[message.status] });
    case 'combined':
      return signer.combined(message);
    case 'event':
      return signer.event(message);
    default:
      return null;
  }
}

const V2_REFUND = { success: 'SUCCESS', abnormal: 'CHANGE', closed: 'REFUNDCLOSE' } as const;

function composeWechatpayV2Notification(
  signer: WechatpayV2Signer,
  message: Message,
): WechatpayV2Notification | null {
  switch (message.kind) {
    case 'payment':
      return signer.payment(message);
    case 'failed':
      return signer.failed(message);
    case 'refund':
      return signer.refund({ ...message, status: V2_REFUND[message.status] });
    default:
      return null;
  }
}
