import type { Random } from '@payonce/testkit/machine/random';

/**
 * Bytes that have broken parsers: quotes and terminators of every layer, numbers at their limits,
 * broken text.
 */
const NASTY: readonly Buffer[] = [
  '\0',
  '%',
  '%zz',
  '%00',
  '%26',
  '%3D',
  '&',
  '=',
  '&total_amount=0.01',
  'x&out_trade_no=F1&total_fee=1&transaction_id=1&z=',
  '+',
  ';',
  '\r\n\r\n',
  '<',
  '>',
  ']]>',
  '<![CDATA[',
  '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]>',
  '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
  '<?xml version="1.0"?>',
  '&amp;',
  '&#0;',
  '&#x10FFFF;',
  '{"',
  '"}',
  '\\u0000',
  '\\ud800',
  '"__proto__":{"a":1},',
  '[[[[[[[[[[[[[[[[',
  '-1',
  '0.005',
  '1e999',
  '0x10',
  '9'.repeat(400),
  '99999999999999999999',
  'null',
  'NaN',
  '\u2028',
  '\ufeff',
  '付款',
].map((text) => Buffer.from(text, 'utf8'));
const BROKEN_TEXT: readonly Buffer[] = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xe4, 0xbb]),
  Buffer.from([0x81, 0x20]),
];

export function arbitraryBytes(random: Random, most: number): Buffer {
  // Short ones as often as long ones, to cover both ends of a parser's range.
  const length = Math.floor(2 ** (random.next() * Math.log2(most + 1)) - 1);
  const printable = random.chance(0.5);
  return Buffer.from(
    Array.from({ length }, () => (printable ? random.between(0x20, 0x7e) : random.between(0, 255))),
  );
}

/** A text that no honest sender would write, to be embedded in a signed message. */
export function nastyText(random: Random): string {
  return random.chance(0.3)
    ? arbitraryBytes(random, 64).toString('latin1')
    : random.pick(NASTY).toString('utf8');
}

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const flip: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  const at = place(bytes, random);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.between(0, 7));
  return changed;
};

const overwrite: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  changed[place(bytes, random)] = random.between(0, 255);
  return changed;
};

const insert: Mutation = (bytes, random) => {
  const at = place(bytes, random);
  const what = random.chance(0.2)
    ? arbitraryBytes(random, 32)
    : random.pick([...NASTY, ...BROKEN_TEXT]);
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)]);
};

const cut: Mutation = (bytes, random) => {
  const [from, to] = range(bytes, random);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};

const repeat: Mutation = (bytes, random) => {
  const [from, to] = range(bytes, random);
  const times = random.between(1, 8);
  const piece = bytes.subarray(from, to);
  return Buffer.concat([bytes.subarray(0, to), ...Array(times).fill(piece), bytes.subarray(to)]);
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, place(bytes, random));

const swapCase: Mutation = (bytes, random) => {
  const [from, to] = range(bytes, random);
  const text = bytes.toString('latin1', from, to);
  const changed = random.chance(0.5) ? text.toUpperCase() : text.toLowerCase();
  const back = Buffer.from(changed, 'latin1');
  return Buffer.concat([bytes.subarray(0, from), back, bytes.subarray(to)]);
};

const MUTATIONS = [flip, overwrite, insert, cut, repeat, truncate, swapCase];

/** One to four changes, anywhere. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let changed = bytes;
  const changes = random.chance(0.7) ? 1 : random.between(2, 4);
  for (let count = 0; count < changes; count += 1)
    changed = random.pick(MUTATIONS)(changed, random);
  return changed;
}

/** Changes at the level of fields, between separators. */
export function mutateFields(bytes: Buffer, separator: string, random: Random): Buffer {
  const fields = bytes.toString('latin1').split(separator);
  const at = random.between(0, fields.length - 1);
  const other = random.between(0, fields.length - 1);
  const [field = '', second = ''] = [fields[at], fields[other]];
  const changes: readonly (() => readonly string[])[] = [
    () => fields.toSpliced(at, 1),
    () => fields.toSpliced(at, 0, second),
    () => fields.with(at, second).with(other, field),
    () => fields.with(at, field.slice(0, 1 + field.search(/[=>:]/))),
    () => fields.with(at, mutateBytes(Buffer.from(field, 'latin1'), random).toString('latin1')),
    () => random.shuffled(fields),
    () => fields.toReversed(),
    () => [...fields, ...fields],
    () => fields.slice(0, at),
  ];
  return Buffer.from(random.pick(changes)().join(separator), 'latin1');
}

function place(bytes: Buffer, random: Random): number {
  return random.between(0, Math.max(0, bytes.length - 1));
}

/** Usually short: long ones leave nothing to parse. */
function range(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = place(bytes, random);
  const most = random.chance(0.8) ? 16 : bytes.length;
  return [from, Math.min(bytes.length, from + random.between(1, Math.max(1, most)))];
}
