import { describe, expect, test } from 'vitest';
import { createAddressPolicy, parseNetwork } from './networks.js';
import { faultOfUrl } from './url.js';

const strict = createAddressPolicy([]);
const loopback = parseNetwork('127.0.0.0/8');
const local = createAddressPolicy(loopback ? [loopback] : []);

describe("an endpoint's address", () => {
  test.each(['https://shop.example/hooks', 'https://shop.example:8443/a?b=c', 'handler:orders'])(
    '%s will do',
    (url) => expect(faultOfUrl(url, strict)).toBeNull(),
  );

  test.each([
    ['', 'not_a_url'],
    ['shop.example/hooks', 'not_a_url'],
    [`https://shop.example/${'a'.repeat(2_048)}`, 'not_a_url'],
    ['handler:', 'not_a_url'],
    ['handler:Not A Name', 'not_a_url'],
    ['http://shop.example/hooks', 'not_https'],
    ['ftp://shop.example/hooks', 'not_https'],
    ['file:///etc/passwd', 'not_https'],
    ['https://user:pw@shop.example/', 'credentials'],
    ['https://user@shop.example/', 'credentials'],
    ['https://127.0.0.1/', 'address_refused'],
    ['https://[::1]/', 'address_refused'],
    ['https://[::ffff:10.0.0.1]/', 'address_refused'],
    // The same address, written as no text filter expects it.
    ['https://2130706433/', 'address_refused'],
    ['https://0x7f.1/', 'address_refused'],
    ['https://169.254.169.254/latest/meta-data', 'address_refused'],
  ])('%s is refused: %s', (url, fault) => expect(faultOfUrl(url, strict)).toBe(fault));

  test('plain http needs a network that is allowed by name', () => {
    expect(faultOfUrl('http://127.0.0.1:3000/hooks', local)).toBeNull();
    expect(faultOfUrl('http://10.0.0.1/', local)).toBe('address_refused');
    // The address behind a name is checked on connection.
    expect(faultOfUrl('http://localhost:3000/', local)).toBeNull();
  });
});
