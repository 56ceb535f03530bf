import { expect, test } from 'vitest';
import { readConfig } from './config.js';

const env = {
  PAYONCE_GATEWAY_URL: 'http://127.0.0.1:8600',
  PAYONCE_SIMULATOR_DIR: '/tmp/simulator',
};

test('address and folder are the only required settings', () => {
  expect(readConfig(env)).toEqual({
    host: '127.0.0.1',
    port: 8604,
    gatewayUrl: 'http://127.0.0.1:8600',
    directory: '/tmp/simulator',
    timeCompression: 1,
  });
});

test.each([
  ['NODE_ENV', 'production', 'the simulator does not run in production'],
  ['PAYONCE_HOST', '0.0.0.0', 'the simulator listens on loopback alone'],
  ['PAYONCE_GATEWAY_URL', 'redis://127.0.0.1', 'must be an http or https address'],
  ['PAYONCE_GATEWAY_URL', 'http://127.0.0.1/path', 'must be an http or https address'],
  ['PAYONCE_TIME_COMPRESSION', '0', 'must be a whole number from 1'],
  ['PAYONCE_TIME_COMPRESSION', '0.5', 'must be a whole number from 1'],
  ['PAYONCE_SIMULATOR_DIR', '', 'is not set'],
])('%s=%j stops the process at boot', (name, value, fault) => {
  expect(() => readConfig({ ...env, [name]: value })).toThrow(
    expect.objectContaining({ faults: [expect.stringContaining(`${name}: ${fault}`)] }),
  );
});
