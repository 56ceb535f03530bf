import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../machine/poll.js';
import { type Received, startReceiver } from './receiver.js';

test('a whole request arrives with its headers and bytes, and one that breaks off does not', async () => {
  const arrived: Received[] = [];
  const receiver = await startReceiver((received, response) => {
    arrived.push(received);
    response.writeHead(204).end();
  });
  const broken = connect(receiver.port, '127.0.0.1');
  broken.write('POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf');
  await eventually(() => expect(receiver.sockets.size).toBe(1));
  broken.destroy();
  await eventually(() => expect(receiver.sockets.size).toBe(0));
  const headers = { 'webhook-id': 'evt_1' };
  const { status } = await fetch(`${receiver.url}/b`, { method: 'POST', body: 'whole', headers });
  await receiver.close();
  expect(status).toBe(204);
  const body = Buffer.from('whole');
  expect(arrived).toMatchObject([{ method: 'POST', path: '/b', headers, body }]);
  expect(receiver.connections()).toBe(2);
});
