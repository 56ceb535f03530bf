import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
  await server.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

const json = { 'content-type': 'application/json' };

describe('a request that the API cannot have', () => {
  it.each([
    ['an address that cannot be decoded', 'GET', '/%zz', {}, 400, 'bad_address'],
    ['an address of any length', 'GET', `/orders/${'x'.repeat(300)}`, {}, 414, 'bad_address'],
    ['no JSON', 'POST', '/orders', { headers: json, body: '{"a":' }, 400, 'invalid_json_body'],
    ['no body', 'POST', '/orders', { headers: json, body: '' }, 400, 'empty_json_body'],
    [
      'a prototype',
      'POST',
      '/orders',
      { headers: json, body: '{"__proto__":{}}' },
      400,
      'invalid_json_body',
    ],
    [
      'another type',
      'POST',
      '/orders',
      { headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'invalid_media_type',
    ],
    [
      'too much',
      'POST',
      '/orders',
      { headers: json, body: ' '.repeat(2_000_000) },
      413,
      'body_too_large',
    ],
    ['another method', 'PATCH', '/orders', { headers: json, body: '{}' }, 404, 'not_found'],
  ] as const)('%s is a problem document', async (_, method, path, options, status, code) => {
    const answer = await call(server, method, path, options);
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { status, code }]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).not.toContain('xxxx');
  });

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\na: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'two lengths, as smugglers send them',
      'POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('%s is refused too, and the connection ends', async (_, bytes, status) => {
    const { port } = server.app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json`, 's'));
    expect(JSON.parse(body)).toMatchObject({ status, code: 'broken_request' });
  });
});
