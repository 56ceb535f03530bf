import { describe, expect, test } from 'vitest';
import { createAddressPolicy, parseNetwork } from './networks.js';

const strict = createAddressPolicy([]);

function networks(...texts: string[]) {
  return texts.map((text) => {
    const network = parseNetwork(text);
    if (network === null) throw new Error(`no network: ${text}`);
    return network;
  });
}

describe('addresses that order events may be sent to', () => {
  test.each(['1.2.3.4', '47.96.0.1', '2606:4700::1', '2400:3200::1'])('%s is public', (address) => {
    expect(strict.allows(address, true)).toBe(true);
    expect(strict.allows(address, false)).toBe(false);
  });

  test.each([
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::']],
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12::1']],
    ['link-local', ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fec0::1']],
    ['metadata', ['169.254.169.254', '100.100.100.200', 'fd00:ec2::254', '168.63.129.16']],
    ['shared', ['100.64.0.1']],
    ['multicast and broadcast', ['224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1']],
    [
      'reserved',
      ['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1'],
    ],
    ['IPv4 in IPv6', ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1']],
    [
      'translated',
      ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1', '2002:7f00:1::', '2001::1'],
    ],
    [
      'no address',
      ['', 'localhost', '127.1', '2130706433', '0x7f.0.0.1', '1.2.3.4:80', '1.2.3.4/8'],
    ],
  ])('%s ones are refused', (_kind, addresses) => {
    for (const address of addresses) expect(strict.allows(address, true), address).toBe(false);
  });

  test('networks that are allowed by name are allowed without TLS too, and no others', () => {
    const policy = createAddressPolicy(networks('127.0.0.0/30', '10.1.2.3', 'fd00::/16'));
    for (const address of ['127.0.0.1', '::ffff:127.0.0.2', '10.1.2.3', 'fd00::5']) {
      expect(policy.allows(address, false), address).toBe(true);
    }
    for (const address of ['127.0.0.4', '10.1.2.4', 'fd01::5', '0.0.0.0', '::1']) {
      expect(policy.allows(address, true), address).toBe(false);
    }
  });

  test.each(['', 'all', '10.0.0.0/33', '10.0.0.0/', '::/129', 'example.com/8'])(
    '%j is no network',
    (text) => expect(parseNetwork(text)).toBeNull(),
  );
});
