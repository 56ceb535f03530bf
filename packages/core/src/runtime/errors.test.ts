import { once } from 'node:events';
import { connect, type LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { messageOf } from './errors.js';

test('for a name with several addresses, none of which answers, the text names each', async () => {
  const lookup: LookupFunction = (_name, _options, done) =>
    done(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ]);
  // Port 1 has no listener.
  const socket = connect({ host: 'of-several', port: 1, lookup });
  const [error] = await once(socket, 'error');
  expect(messageOf(error)).toBe(
    'connect ECONNREFUSED 127.0.0.1:1, connect ECONNREFUSED 127.0.0.2:1',
  );
});
