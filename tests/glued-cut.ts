import { alipayFields, alipayRequest } from '@payonce/testkit/signers/alipay-wire';
import type { SignedRequest } from '@payonce/testkit/signers/request';

const UNSIGNED = ['sign', 'sign_type'];

/**
 * The same signed text, with a field and the next one as one field.
 * @param before how many fields earlier than the named one
 */
export function gluedCut(request: SignedRequest, name: string, before = 0): SignedRequest {
  const fields = alipayFields(request);
  const signed = fields
    .filter(([one]) => !UNSIGNED.includes(one))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const at = signed.findIndex(([one]) => one === name) - before;
  const [one, next] = [signed[at], signed[at + 1]];
  if (!one || !next) throw new Error(`nothing to glue at ${name}`);
  signed.splice(at, 2, [one[0], `${one[1]}&${next[0]}=${next[1]}`]);
  return alipayRequest([...signed, ...fields.filter(([other]) => UNSIGNED.includes(other))]);
}
