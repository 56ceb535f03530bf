/**
 * A merchant's system: a real server that verifies requests with the `standardwebhooks` package.
 */
import type { ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import { type Receiver, startReceiver } from '@payonce/testkit/receiving/receiver';
import { Webhook } from 'standardwebhooks';
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Read from the body, whether or not the signature is valid. */
  readonly message: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: {
      readonly orderNumber: string;
      readonly milestone: string;
      readonly version: number;
    };
  };
}

export interface HookServer extends Receiver {
  readonly heard: readonly Heard[];
  /** `number milestone`, in order of arrival. */
  told(): string[];
}

/** Answers, or not, as the test decides. */
type Answer = (response: ServerResponse, heard: Heard) => void;

export const ok: Answer = (response) => void response.writeHead(204).end();
export const fail: Answer = (response) => void response.writeHead(500).end('not today');

export async function hookServer(
  answer: Answer = ok,
  options: { readonly host?: string; readonly port?: number; readonly tls?: ServerOptions } = {},
): Promise<HookServer> {
  const heard: Heard[] = [];
  const receiver = await startReceiver(({ headers, body }, response) => {
    const text = body.toString('utf8');
    const id = String(headers['webhook-id']);
    const one = { id, headers, body: text, message: JSON.parse(text) };
    heard.push(one);
    answer(response, one);
  }, options);
  onTestFinished(receiver.close);
  return {
    ...receiver,
    url: `${receiver.url}/hooks`,
    heard,
    told: () => heard.map(({ message }) => `${message.data.orderNumber} ${message.data.milestone}`),
  };
}

/** @throws when the signature is not the secret's, or the time is not now */
export function verify(secret: string, { body, headers }: Heard): unknown {
  return new Webhook(secret).verify(body, headers);
}
