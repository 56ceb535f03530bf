import type { Fields } from '@payonce/testkit/signers/request';
import fc from 'fast-check';
import { newName, value } from './cases.js';

/** Possible changes to signed fields on their way (Alipay's form, WeChat's XML of API v2). */
export type Change =
  | { readonly kind: 'nothing' | 'reverse order' | 'foreign key' | 'signature of another message' }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'drop'; readonly at: number }
  | { readonly kind: 'value' | 'double'; readonly at: number; readonly value: string }
  | { readonly kind: 'rename'; readonly at: number; readonly name: string }
  | { readonly kind: 'add'; readonly name: string; readonly value: string }
  | { readonly kind: 'swap'; readonly at: number; readonly other: number }
  | { readonly kind: 'cut signature'; readonly length: number };

const at = fc.nat(10_000);

export const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('nothing', 'reverse order') }),
  fc.record({ kind: fc.constantFrom('foreign key', 'signature of another message') }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip'), at, bit: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop'), at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('value', 'double'), at, value }) },
  fc.record({ kind: fc.constant('rename'), at, name: newName }),
  fc.record({ kind: fc.constant('add'), name: newName, value }),
  fc.record({ kind: fc.constant('swap'), at, other: at }),
  fc.record({ kind: fc.constant('cut signature'), length: fc.nat(400) }),
);

interface Signatures {
  /** Over the same fields, with a key that is not the provider's. */
  readonly foreign: (fields: Fields) => string;
  /** Genuine, over other fields. */
  readonly ofAnother: string;
}

/** The fields after the change; `flipped` changes the bytes. */
export function changed(fields: Fields, change: Change, signatures: Signatures): Fields {
  const replace = (name: string, text: string): Fields =>
    fields.map(([key, old]) => [key, key === name ? text : old]);
  switch (change.kind) {
    case 'nothing':
    case 'flip':
      return fields;
    case 'reverse order':
      return fields.toReversed();
    case 'foreign key':
      return replace('sign', signatures.foreign(fields));
    case 'signature of another message':
      return replace('sign', signatures.ofAnother);
    case 'drop':
      return fields.toSpliced(change.at % fields.length, 1);
    case 'value':
      return fields.with(change.at % fields.length, [nameAt(fields, change.at), change.value]);
    case 'double':
      return [...fields, [nameAt(fields, change.at), change.value]];
    case 'rename':
      return fields.with(change.at % fields.length, [change.name, valueAt(fields, change.at)]);
    case 'add':
      return [...fields, [change.name, change.value]];
    case 'swap':
      return fields
        .with(change.at % fields.length, [nameAt(fields, change.at), valueAt(fields, change.other)])
        .with(change.other % fields.length, [
          nameAt(fields, change.other),
          valueAt(fields, change.at),
        ]);
    case 'cut signature': {
      const sign = fields.find(([name]) => name === 'sign')?.[1] ?? '';
      return replace('sign', sign.slice(0, change.length % sign.length));
    }
  }
}

export function flipped(
  body: Buffer,
  { at, bit }: { readonly at: number; readonly bit: number },
): Buffer {
  const bytes = Buffer.from(body);
  const index = at % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
  return bytes;
}

function nameAt(fields: Fields, at: number): string {
  return fields[at % fields.length]?.[0] ?? '';
}

function valueAt(fields: Fields, at: number): string {
  return fields[at % fields.length]?.[1] ?? '';
}
