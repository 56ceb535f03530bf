import type { Random } from '@payonce/testkit/machine/random';
import { alipayFields, alipayRequest } from '@payonce/testkit/signers/alipay-wire';
import type { Fields, SignedRequest, SignerId } from '@payonce/testkit/signers/request';
import {
  wechatV2Fields,
  wechatV2Request,
  wechatV2Xml,
} from '@payonce/testkit/signers/wechatpay-v2-wire';

/**
 * Alipay and API v2 sign `a=1&b=2` without escaping, so one signature fits many cuts of one text.
 * Nothing authenticates the envelope of an encrypted refund notice. An attacker who captured a
 * message can send all of these.
 */

/** A buyer's possible text: its second half can be cut off as a field, and decides nothing. */
export const CUTTABLE: Readonly<Record<SignerId, string>> = {
  alipay: 'tea & cake&summary=2',
  wechatpay: 'tea & cake',
  'wechatpay-v2': 'tea & cake&attached=2',
};

/** Names that a reader might act upon; empty ones state nothing and are not signed. */
const EMPTY_NAMES = ['refund_fee', 'fee_type', 'trans_currency', 'sub_mch_id', 'note'] as const;
/** Unknown ones, and names of the encrypted content. */
const ENVELOPE_NAMES = ['note', 'x', 'transaction_id', 'refund_id', 'out_trade_no'] as const;
const MOST_GLUED = 3;

/**
 * The same signature (for a refund notice of API v2: the same cipher text) in another cut or
 * envelope.
 * @returns null if there is only one way to send a message: API v3 signs the bytes
 */
export function recut(
  provider: SignerId,
  signed: SignedRequest,
  random: Random,
): SignedRequest | null {
  switch (provider) {
    case 'wechatpay':
      return null;
    case 'alipay': {
      const fields = alipayFields(signed);
      return alipayRequest(otherCut(fields, new Set(['sign', 'sign_type']), random));
    }
    case 'wechatpay-v2': {
      const fields = wechatV2Fields(signed);
      const isRefund = fields.some(([name]) => name === 'req_info');
      const changed = isRefund ? rewrapped(fields, random) : otherCut(fields, SIGN, random);
      return wechatV2Request(wechatV2Xml(changed));
    }
  }
}

const SIGN = new Set(['sign']);

/** One to three changes that leave the sorted text `name=value&…` unchanged. */
function otherCut(fields: Fields, unsigned: ReadonlySet<string>, random: Random): Fields {
  const changes = [glued, split, reordered, withEmpty];
  let cut = fields;
  for (let left = random.between(1, 3); left > 0; left -= 1) {
    cut = random.pick(changes)(cut, unsigned, random);
  }
  return cut;
}

type Change = (fields: Fields, unsigned: ReadonlySet<string>, random: Random) => Fields;

/** A field swallows the fields after it in the signed text. */
const glued: Change = (fields, unsigned, random) => {
  const sorted = fields
    .filter(([name, value]) => !unsigned.has(name) && value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const at = random.between(0, sorted.length - 2);
  const [first, ...rest] = sorted.slice(at, at + 1 + random.between(1, MOST_GLUED));
  if (first === undefined) return fields;
  const value = [first[1], ...rest.map((pair) => pair.join('='))].join('&');
  const swallowed = new Set(rest.map(([name]) => name));
  return fields
    .filter(([name]) => !swallowed.has(name))
    .map((field) => (field[0] === first[0] ? [first[0], value] : field));
};

/** A field ends at a `&` inside its value; the rest becomes another field. */
const split: Change = (fields, unsigned, random) => {
  const names = new Set(fields.map(([name]) => name));
  const cuts = fields.flatMap(([name, value], position) => {
    if (unsigned.has(name)) return [];
    return [...value.matchAll(/&([A-Za-z_]\w*)=/g)].flatMap(({ index, 1: next = '' }) =>
      names.has(next) ? [] : [{ position, name, value, index, next }],
    );
  });
  if (cuts.length === 0) return fields;
  const { position, name, value, index, next } = random.pick(cuts);
  const right = [next, value.slice(index + next.length + 2)] as const;
  return fields.toSpliced(position, 1, [name, value.slice(0, index)], right);
};

const reordered: Change = (fields, _unsigned, random) => random.shuffled(fields);

const withEmpty: Change = (fields, _unsigned, random) => {
  const name = random.pick(EMPTY_NAMES);
  if (fields.some(([known]) => known === name)) return fields;
  return fields.toSpliced(random.between(0, fields.length), 0, [name, '']);
};

/** The unchanged encrypted part, in an envelope with more fields. */
function rewrapped(fields: Fields, random: Random): Fields {
  const name = random.pick(ENVELOPE_NAMES);
  const added = [name, random.pick(['', String(random.between(1, 10 ** 9))])] as const;
  return random.shuffled([...fields, added]);
}
