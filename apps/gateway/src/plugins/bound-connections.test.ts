import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { OpenConnections } from './bound-connections.js';

function socketOf(remoteAddress: string): Socket {
  return Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
}

test('an address whose connections are all closed or refused takes no memory', () => {
  const open = new OpenConnections({ most: 2, mostOfAddress: 2 }, () => false);
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    const socket = socketOf(address);
    expect(open.add(socket)).toBeNull();
    open.isBusy(socket);
  }
  for (let n = 0; n < 100; n += 1) {
    const refused = socketOf(`198.51.100.${n}`);
    expect(open.add(refused)).toBe(refused);
  }
  expect(open.addresses).toBe(2);
});
