import type { Random } from '@payonce/testkit/machine/random';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import type { Target } from './genuine.js';
import type { WireRequest } from './wire.js';

/** A request, with the allowed answers. */
export interface FuzzRequest extends WireRequest {
  /**
   * - `genuine`: must be acknowledged
   * - `signed`: genuinely signed, with hostile content, for a separate channel: may be acknowledged
   * - `hostile`: must not be acknowledged, unless it still equals a genuine message
   */
  readonly kind: 'genuine' | 'signed' | 'hostile';
}

export interface Parts {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  /** In this order, with repeated names as they are. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export type Maker = (target: Target, random: Random) => FuzzRequest;

export function partsOf({ path }: Target, { headers, body }: SignedRequest): Parts {
  return { method: 'POST', path, version: 'HTTP/1.1', headers: Object.entries(headers), body };
}

export function wellFramed(parts: Parts, kind: FuzzRequest['kind'] = 'hostile'): FuzzRequest {
  const length = ['content-length', String(parts.body.length)] as const;
  return { kind, wellFramed: true, bytes: bytesOf(parts, [...parts.headers, length]) };
}

export function alone(parts: Parts, framing: Parts['headers']): FuzzRequest {
  return {
    kind: 'hostile',
    wellFramed: false,
    bytes: bytesOf(parts, [...parts.headers, ...framing]),
  };
}

function bytesOf({ method, path, version, body }: Parts, headers: Parts['headers']): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} ${version}\r\nhost: shop.example\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
