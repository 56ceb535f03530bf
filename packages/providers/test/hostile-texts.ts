import type { Fields } from '@payonce/testkit/signers/request';
import fc from 'fast-check';

/**
 * Texts that imitate the provider, and cuts of a signed text: for the tests of both signed
 * protocols.
 */

/**
 * A buyer's or merchant's text that contains fields: some names, each with one of the values, in
 * any order, repeated or not, with `&` first and last or not.
 */
export function hostileText(
  names: readonly string[],
  values: readonly string[],
): fc.Arbitrary<string> {
  const value = fc.oneof(fc.constantFrom(...values), fc.constantFrom('', 'x', 'a=b'));
  const piece = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.constantFrom(...names), value).map((two) => two.join('=')),
    },
    fc.constantFrom('', 'zz=1', 'a=1', 'no equals sign', '='),
  );
  const pieces = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 4 }),
    // Sorted like a signer's fields, which an attacker must do.
    fc.array(piece, { minLength: 2, maxLength: 12 }).map((all) => all.toSorted()),
  );
  return fc
    .tuple(fc.constantFrom('', 'x', '支付', 'a=1'), pieces, fc.constantFrom('', '&', '&z=y'))
    .map(([before, all, behind]) => `${before}&${all.join('&')}${behind}`);
}

/**
 * Fields with the given signed text: pieces glued together, names sorted, so that the signer's
 * sorting gives the same text.
 * @param glue decides for each piece that may be a field whether it stays in the value before it
 * @param emptyIsSigned false if the signer leaves out empty values, so that such a field would be
 * missing
 */
export function cutOf(
  signed: string,
  glue: (index: number) => boolean,
  emptyIsSigned: boolean,
): Fields {
  const fields: [name: string, value: string][] = [];
  for (const [index, piece] of signed.split('&').entries()) {
    const equals = piece.indexOf('=');
    const name = equals === -1 ? '' : piece.slice(0, equals);
    const last = fields.at(-1);
    // A name that XML and forms allow, after the last one. The field `sign` would be the signature
    // itself, and a text's `sign_type` might claim an algorithm that the channel does not use.
    const known = /^(?!sign$|sign_type$)[A-Za-z_][\w.-]{0,63}$/.test(name);
    // Without a value, a field takes the pieces behind it as its value.
    const ready = last === undefined || ((emptyIsSigned || last[1] !== '') && name > last[0]);
    const fits = known && ready;
    if (fits && !(last !== undefined && glue(index))) fields.push([name, piece.slice(equals + 1)]);
    else if (last !== undefined) last[1] += `&${piece}`;
    else throw new Error('the text begins with no field');
  }
  const [last, before] = [fields.at(-1), fields.at(-2)];
  if (!emptyIsSigned && last?.[1] === '' && before !== undefined) {
    before[1] += `&${last[0]}=`;
    fields.pop();
  }
  return fields;
}
