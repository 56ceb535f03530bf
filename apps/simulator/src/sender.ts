import { messageOf } from '@payonce/core/runtime/errors';
import type { SignedRequest } from '@payonce/testkit/request';
import type { Reply } from './judge.js';

/** WeChat waits 5 s; Alipay states no limit (docs/providers/README.md, "At a glance"). */
const REPLY_DEADLINE_MS = 5_000;
/** Far more than any provider's acknowledgement; the rest of a longer reply is not read. */
const MAX_REPLY_BYTES = 64 * 1_024;

export type SendOutcome =
  | { readonly outcome: 'replied'; readonly reply: Reply; readonly latencyMs: number }
  | {
      /** `stopped`: the simulator is shutting down. */
      readonly outcome: 'timeout' | 'unreachable' | 'stopped';
      readonly detail: string;
      readonly latencyMs: number;
    };

export interface SenderOptions {
  readonly deadlineMs?: number;
  /** Aborts messages in flight when the simulator stops. */
  readonly stop: AbortSignal;
}

export type Send = (url: string, request: SignedRequest) => Promise<SendOutcome>;

/** POSTs like the providers: follows no redirect, and needs reply and body within the deadline. */
export function createSender({ deadlineMs = REPLY_DEADLINE_MS, stop }: SenderOptions): Send {
  return async (url, request) => {
    const deadline = AbortSignal.timeout(deadlineMs);
    const startedAt = performance.now();
    const latencyMs = () => Math.round((performance.now() - startedAt) * 10) / 10;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...request.headers, 'user-agent': 'Mozilla/4.0', 'accept-encoding': 'identity' },
        body: request.body,
        redirect: 'manual',
        signal: AbortSignal.any([deadline, stop]),
      });
      const body = await readAtMost(response, MAX_REPLY_BYTES);
      return {
        outcome: 'replied',
        reply: { status: response.status, body },
        latencyMs: latencyMs(),
      };
    } catch (error) {
      const outcome = stop.aborted ? 'stopped' : deadline.aborted ? 'timeout' : 'unreachable';
      return { outcome, detail: reasonOf(error), latencyMs: latencyMs() };
    }
  };
}

async function readAtMost(response: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit + 1);
}

/** `fetch` says "fetch failed" and hides the reason in the cause. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
}
