import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply } from 'fastify';
import { problem, sendProblem } from '../api/problems.js';

/** An address that the router cannot read: `%zz`, or a part of over 256 characters. Not echoed. */
export function refuseAddress(
  { statusCode = 400 }: FastifyError,
  _request: unknown,
  reply: FastifyReply,
): void {
  sendProblem(reply, problem(statusCode, 'bad_address', 'The address is not valid.'));
}

/** Node's codes; anything else is no HTTP. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** There is no valid request, so the response goes directly to the socket. */
export function refuseBrokenHttp(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const status = STATUSES[error.code ?? ''] ?? 400;
  const content = problem(status, 'broken_request', 'This is not a complete HTTP request.');
  const body = JSON.stringify(content);
  socket.end(
    [
      `HTTP/1.1 ${status} ${content.title}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
