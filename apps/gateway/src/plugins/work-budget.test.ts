import { beforeEach, describe, expect, test } from 'vitest';
import { networkOf } from './network-of.js';
import { type Sender, type Ticket, WorkBudget } from './work-budget.js';

const PER_MINUTE = 60;
const FORGER = { network: '203.0.113.7' };
const PROVIDER = { network: '203.0.113.8' };
const KIB = 1_024;

let now = 0;
let budget: WorkBudget;
beforeEach(() => {
  now = 0;
  budget = new WorkBudget(PER_MINUTE, () => now);
});

/** Requests that are refused, one after the other. @returns how many were admitted */
function refuse(sender: Sender, times: number, bytes = 0): number {
  let admitted = 0;
  for (let n = 0; n < times; n += 1) {
    const ticket = budget.admit(sender, bytes);
    ticket?.end();
    if (ticket) admitted += 1;
  }
  return admitted;
}

let contents = 0;
function genuine(sender: Sender, content = `content ${contents++}`): boolean {
  const ticket = budget.admit(sender, 0);
  ticket?.isGenuine(content);
  ticket?.end();
  return ticket !== null;
}

/** Heads that arrive together. */
function together(sender: Sender, times: number, bytes = 0): Ticket[] {
  return Array.from({ length: times }, () => budget.admit(sender, bytes)).flatMap(
    (one) => one ?? [],
  );
}

describe('an address', () => {
  test('is served until its refusals are used up, then as they are refilled', () => {
    expect(refuse(FORGER, 100)).toBe(60);
    now = 999;
    expect(refuse(FORGER, 1)).toBe(0);
    now = 1_000;
    expect(refuse(FORGER, 5)).toBe(1);
    expect(refuse(PROVIDER, 1)).toBe(1);
    now += 3_600_000;
    expect(refuse(FORGER, 100)).toBe(60);
  });

  test('pays for bytes as well', () => {
    expect(refuse(FORGER, 100, 64 * KIB)).toBe(4);
  });

  test('pays at the head: what it sent together it owes, for five minutes at most', () => {
    const tickets = together(FORGER, 1_000);
    expect(tickets.length).toBeGreaterThan(500); // genuine ones would have been admitted too
    for (const ticket of tickets) ticket.end();
    now = 5 * 60_000;
    expect(refuse(FORGER, 1)).toBe(0);
    now += 1_001;
    expect(refuse(FORGER, 100)).toBe(1);
  });

  test('gets back what genuine requests paid, and what our faults did', () => {
    for (let n = 0; n < 1_000; n += 1) expect(genuine(PROVIDER, 'a copy')).toBe(true);
    for (let n = 0; n < 1_000; n += 1) {
      const ticket = budget.admit(FORGER, KIB);
      ticket?.isOurFault();
      ticket?.end();
    }
    expect(refuse(FORGER, 100)).toBe(60);
  });

  test('gets back a rightly signed refusal once per content', () => {
    for (let n = 0; n < 30; n += 1) {
      const ticket = budget.admit(FORGER, 0);
      ticket?.isSigned('one content');
      ticket?.end();
    }
    expect(refuse(FORGER, 100)).toBe(31);
  });

  test('that waits for a slow store with 500 genuine requests is not refused', () => {
    const tickets = together(PROVIDER, 500, 2 * KIB);
    expect(tickets).toHaveLength(500);
    for (const ticket of tickets) ticket.isGenuine(`content ${contents++}`);
    expect(genuine(PROVIDER)).toBe(true);
  });

  test('of one IPv6 network is one with the others, and an IPv4 address the same in IPv6', () => {
    expect(networkOf('2001:db8:1:2::1')).toBe(networkOf('2001:db8:1:2:ffff::1'));
    expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'));
    expect(networkOf('::ffff:203.0.113.7')).toBe('203.0.113.7');
  });
});

describe('genuine notifications', () => {
  test('raise the budget of their address, each content once', () => {
    for (let n = 0; n < 100; n += 1) genuine(FORGER, 'captured');
    expect(refuse(FORGER, 1_000)).toBe(120);
    for (let n = 0; n < 9; n += 1) genuine(PROVIDER);
    expect(refuse(PROVIDER, 1_000)).toBe(600);
  });

  test('raise it twentyfold at most, and for a day', () => {
    for (let n = 0; n < 100; n += 1) genuine(PROVIDER);
    expect(refuse(PROVIDER, 10_000)).toBe(20 * PER_MINUTE);
    now = 25 * 3_600_000;
    expect(refuse(PROVIDER, 10_000)).toBe(PER_MINUTE);
  });

  test('of many addresses are admitted while forgers use up the total', () => {
    genuine(PROVIDER);
    const forgers = Array.from({ length: 10_000 }, (_, n) => ({
      network: `10.0.${n >> 8}.${n & 255}`,
    }));
    for (const forger of forgers) refuse(forger, 1, 64 * KIB);
    expect(refuse({ network: '198.51.100.1' }, 1, 64 * KIB)).toBe(0);
    expect(genuine(PROVIDER)).toBe(true);
  });
});

test('all addresses together get half a core', () => {
  const msEach = 0.1 + 1;
  let admitted = 0;
  for (let network = 0; now < 10_000; network += 1) {
    admitted += refuse({ network: String(network) }, 1, 64 * KIB);
    now += 0.1;
  }
  expect(admitted * msEach).toBeGreaterThan(5_000);
  expect(admitted * msEach).toBeLessThan(5_000 + 250 + msEach);
});

describe('behind a proxy that is not trusted', () => {
  test('all senders share a quarter of a core', () => {
    let admitted = 0;
    for (; now < 10_000; now += 0.1) admitted += refuse('untrusted_proxy', 1, 64 * KIB);
    expect(admitted * 1.1).toBeLessThan(2_500 + 125 + 1.1);
    expect(admitted * 1.1).toBeGreaterThan(2_500);
  });

  test('a small genuine request is admitted beside a flood of large forgeries', () => {
    let [sent, acknowledged] = [0, 0];
    for (; now < 10_000; now += 0.1) {
      refuse('untrusted_proxy', 1, 64 * KIB);
      if (Math.round(now * 10) % 1_000 !== 0) continue;
      sent += 1;
      if (genuine('untrusted_proxy')) acknowledged += 1;
    }
    expect(acknowledged / sent).toBeGreaterThan(0.8);
  });
});

test('a million addresses need no more memory than ten thousand', { timeout: 30_000 }, () => {
  for (let n = 0; n < 1_000_000; n += 1) {
    refuse({ network: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` }, 1);
    now += 1;
  }
  expect(budget.addresses).toBeLessThanOrEqual(10_000);
});

test('0 limits nobody', () => {
  budget = new WorkBudget(0, () => now);
  expect(refuse(FORGER, 10_000, 64 * KIB)).toBe(10_000);
});
