import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { SimulatedChannels } from '@payonce/testkit/channels/channels';
import type { SignedRequest } from '@payonce/testkit/signers/request';

/** The amount of every order, in fen. */
export const AMOUNT = 8_888n;

export function orderNumber(index: number): string {
  return `bench-${index}`;
}

/** As sent over the wire; the body of either provider is text. */
export interface WireRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Payments of Alipay, each for a different order. Signing takes most of a millisecond, so they are
 * signed in advance and stored. A notice of Alipay does not expire, and the keys are stored with
 * it.
 */
export function alipayPayments(
  channels: SimulatedChannels,
  count: number,
  file: string,
  say: (line: string) => void,
): readonly WireRequest[] {
  const known = existsSync(file) ? readRequests(file) : [];
  if (known.length >= count) return known.slice(0, count);
  say(`signing ${count - known.length} notifications`);
  const signer = channels.signers['sim-alipay'];
  const paidAt = new Date();
  const fresh = Array.from({ length: count - known.length }, (_, index) => {
    const number = known.length + index;
    const trade = `2026112322001${String(number).padStart(15, '0')}`;
    const input = { orderNumber: orderNumber(number), trade, amount: AMOUNT, paidAt };
    return onWire('/notify/alipay/sim-alipay', signer.payment(input));
  });
  const all = [...known, ...fresh];
  writeRequests(file, all);
  return all;
}

/**
 * Payments of WeChat Pay v3, signed now (they are stale after five minutes), with bodies of about
 * `bytes`.
 */
export function wechatpayPayments(
  channels: SimulatedChannels,
  count: number,
  bytes: number,
): readonly WireRequest[] {
  const signer = channels.signers['sim-wechat'];
  const payment = (number: number, text: string) =>
    onWire(
      '/notify/wechatpay/sim-wechat',
      signer.payment({
        orderNumber: orderNumber(number),
        trade: `42000012342026${String(number).padStart(14, '0')}`,
        amount: AMOUNT,
        paidAt: new Date(),
        text,
      }),
    );
  // The text is encrypted and then base64: three of its characters make four of the body.
  const missing = bytes - payment(0, '').body.length;
  const text = 'x'.repeat(Math.max(0, Math.floor((missing * 3) / 4)));
  return Array.from({ length: count }, (_, number) => payment(number, text));
}

function onWire(path: string, { headers, body }: SignedRequest): WireRequest {
  return { path, headers, body: body.toString('utf8') };
}

export function writeRequests(file: string, requests: readonly WireRequest[]): void {
  writeFileSync(file, requests.map((request) => JSON.stringify(request)).join('\n'));
}

export function readRequests(file: string): WireRequest[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => JSON.parse(line) as WireRequest);
}
