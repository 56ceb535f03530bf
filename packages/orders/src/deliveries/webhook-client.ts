/** One HTTP request to a merchant's system. */

import { messageOf } from '@payonce/core/runtime/errors';
import { Agent, request } from 'undici';
import { type GuardOptions, guardedConnector } from './guarded-connect.js';
import { ATTEMPT_LIMIT_MS, parseRetryAfter } from './retry.js';

/** Stored bytes of the response's body: enough to show the cause. */
const RESPONSE_BYTES = 1_024;
/** Limit of the response's headers; only one of them is used. */
const HEADER_BYTES = 16_384;
const ERROR_CHARACTERS = 300;

/** What became of an attempt. */
export interface AttemptResult {
  readonly delivered: boolean;
  /** Null when there was no response, and for handlers. */
  readonly status: number | null;
  /** Why there was no response, or why it does not count. */
  readonly error: string | null;
  /** The first KiB. */
  readonly response: Buffer | null;
  readonly retryAfterMs: number | null;
  /** Nothing was sent: the result says nothing about the endpoint. */
  readonly unsent?: true;
}

export interface WebhookClient {
  /** Never throws, and never takes longer than its limit. */
  post(
    url: string,
    headers: Record<string, string>,
    body: string,
    now: Date,
  ): Promise<AttemptResult>;
  /** Abandons all requests under way. */
  close(): Promise<void>;
}

export function createWebhookClient(
  options: GuardOptions,
  limitMs = ATTEMPT_LIMIT_MS,
): WebhookClient {
  const agent = new Agent({
    connect: guardedConnector(options),
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: limitMs,
    bodyTimeout: limitMs,
  });
  return {
    async post(url, headers, body, now) {
      const signal = AbortSignal.timeout(limitMs);
      try {
        // Redirects are not followed: undici leaves that to interceptors, and there is none.
        const response = await request(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'payonce', ...headers },
          body,
          dispatcher: agent,
          signal,
        });
        const { statusCode: status } = response;
        const delivered = status >= 200 && status < 300;
        return {
          delivered,
          status,
          error: delivered ? null : refusal(status),
          response: await firstBytes(response.body),
          retryAfterMs: parseRetryAfter(response.headers['retry-after'], now),
        };
      } catch (error) {
        return noResponse(signal.aborted ? `no response within ${limitMs} ms` : error);
      }
    },
    close: () => agent.destroy(),
  };
}

/** The reason why there is no response: the start of the error's text. */
export function noResponse(thrown: unknown): AttemptResult {
  // PostgreSQL's text takes no NUL.
  const error = messageOf(thrown).replaceAll('\0', '').slice(0, ERROR_CHARACTERS);
  return { delivered: false, status: null, error, response: null, retryAfterMs: null };
}

function refusal(status: number): string {
  if (status >= 300 && status < 400) return 'redirects are not followed';
  return status === 410 ? 'gone' : 'not a success';
}

/** The status decides; a body that breaks off, drips or never ends changes nothing. */
async function firstBytes(body: AsyncIterable<unknown>): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) break;
      chunks.push(chunk.subarray(0, RESPONSE_BYTES - size));
      size += chunk.length;
      if (size >= RESPONSE_BYTES) break;
    }
  } catch {
    // Keeps the bytes received so far.
  }
  return size === 0 ? null : Buffer.concat(chunks);
}
