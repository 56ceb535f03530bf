import { Agent, request } from 'node:http';
import type { SignedRequest, SignerId } from '@payonce/testkit/request';

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

/** Both WeChat documents state 5 s; Alipay's state nothing. */
const REPLY_LIMIT_MS = 5_000;
/** Far more than any provider's acknowledgement. */
const MAX_REPLY_BYTES = 64 * 1_024;
/** The number of requests at a hanging gateway within 5 s of this load. */
const MAX_SOCKETS = 512;

export interface ProviderClient {
  /** Null without a whole reply in time. */
  post(url: string, signed: SignedRequest): Promise<Reply | null>;
  close(): void;
}

/** Sends like the providers: keeps connections, follows no redirect, needs the whole reply. */
export function createProviderClient(): ProviderClient {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: 30_000 });
  return {
    post: (url, signed) =>
      new Promise((resolve) => {
        const sending = request(url, {
          agent,
          method: 'POST',
          headers: {
            ...signed.headers,
            'content-length': signed.body.length,
            'user-agent': 'Mozilla/4.0',
          },
        });
        const limit = setTimeout(() => sending.destroy(), REPLY_LIMIT_MS);
        const settle = (reply: Reply | null) => {
          clearTimeout(limit);
          resolve(reply);
        };
        sending.once('error', () => settle(null));
        sending.once('close', () => settle(null));
        sending.once('response', (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            length += chunk.length;
            if (length > MAX_REPLY_BYTES) sending.destroy();
          });
          response.once('error', () => settle(null));
          response.once('end', () =>
            settle(
              response.complete
                ? { status: response.statusCode ?? 0, body: Buffer.concat(chunks) }
                : null,
            ),
          );
        });
        sending.end(signed.body);
      }),
    close: () => agent.destroy(),
  };
}

const V2_SUCCESS =
  /^\s*<xml>.*<return_code>(?:<!\[CDATA\[)?SUCCESS(?:\]\]>)?<\/return_code>.*<\/xml>\s*$/s;

/** Whether the provider accepts this as an acknowledgement, by its rule. */
export function isAcknowledgement(provider: SignerId, { status, body }: Reply): boolean {
  switch (provider) {
    case 'alipay':
      // Exactly seven bytes.
      return status === 200 && body.equals(Buffer.from('success'));
    case 'wechatpay':
      // The status decides, whatever the body contains.
      return status === 200 || status === 204;
    case 'wechatpay-v2':
      return status === 200 && V2_SUCCESS.test(body.toString('utf8'));
  }
}
