import { Agent, request } from 'node:http';
import type { SignedRequest, SignerId } from '../signers/request.js';
import { type Reply, refusalOf } from './acknowledgement.js';

/** WeChat waits 5 s; Alipay states no limit (docs/providers/README.md, "At a glance"). */
const REPLY_LIMIT_MS = 5_000;
/** Far more than any acknowledgement; the rest of a longer reply is not read. */
const MAX_REPLY_BYTES = 64 * 1_024;
/** More requests than a fault test has at a gateway that hangs for the whole limit. */
const MAX_SOCKETS = 512;

type Ended =
  | { readonly outcome: 'replied'; readonly reply: Reply }
  | {
      /** `stopped`: the sender was closed. */
      readonly outcome: 'timeout' | 'unreachable' | 'stopped';
      readonly detail: string;
    };
export type SendOutcome = Ended & { readonly latencyMs: number };

export interface Sender {
  send(url: string, signed: SignedRequest): Promise<SendOutcome>;
  /** Abandons the requests in flight; later ones are not sent. */
  close(): void;
}

/** Whether the provider counts this as acknowledged, and does not send the notification again. */
export function isAcknowledged(provider: SignerId, sent: SendOutcome): boolean {
  return sent.outcome === 'replied' && refusalOf(provider, sent.reply) === null;
}

/** Null without a whole reply. */
export function replyStatus(sent: SendOutcome): number | null {
  return sent.outcome === 'replied' ? sent.reply.status : null;
}

/**
 * POSTs like the providers: keeps connections, follows no redirect, needs the reply in time.
 * @param options `localAddress`: of this machine, from which it sends
 */
export function createSender({
  limitMs = REPLY_LIMIT_MS,
  keepAlive = true,
  localAddress,
}: {
  readonly limitMs?: number;
  readonly keepAlive?: boolean;
  readonly localAddress?: string;
} = {}): Sender {
  const from = localAddress === undefined ? {} : { localAddress };
  const agent = new Agent({ keepAlive, maxSockets: MAX_SOCKETS, timeout: 30_000, ...from });
  const abandoning = new Set<() => void>();
  let closed = false;

  return {
    send: (url, { headers, body }) =>
      new Promise((resolve) => {
        const startedAt = performance.now();
        const end = (ended: Ended) => {
          clearTimeout(limit);
          abandoning.delete(abandon);
          resolve({ ...ended, latencyMs: Math.round((performance.now() - startedAt) * 10) / 10 });
        };
        const fail = (outcome: 'timeout' | 'unreachable' | 'stopped', detail: string) => {
          end({ outcome, detail });
          sending.destroy();
        };
        const abandon = () => fail('stopped', 'the sender was closed');
        const limit = setTimeout(() => fail('timeout', `no reply in ${limitMs} ms`), limitMs);
        const sending = request(url, {
          agent,
          method: 'POST',
          headers: {
            ...headers,
            'content-length': body.length,
            'user-agent': 'Mozilla/4.0',
            'accept-encoding': 'identity',
          },
        });
        abandoning.add(abandon);
        sending.on('error', ({ message }) => fail('unreachable', message));
        sending.once('response', (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          const reply = () =>
            end({
              outcome: 'replied',
              reply: { status: response.statusCode ?? 0, body: Buffer.concat(chunks) },
            });
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            length += chunk.length;
            if (length <= MAX_REPLY_BYTES) return;
            reply();
            sending.destroy();
          });
          response.on('error', ({ message }) => fail('unreachable', message));
          response.once('end', reply);
        });
        if (closed) abandon();
        else sending.end(body);
      }),
    close() {
      closed = true;
      for (const abandon of [...abandoning]) abandon();
      agent.destroy();
    },
  };
}
