import type { Form } from './form.js';
import type { AlipaySettings } from './settings.js';

/**
 * The possible signed texts, the likeliest first. Trade notices leave `sign_type` out
 * (`rsaCheckV1`). Service notices sign it (`rsaCheckV2`), and some of them do not send it: then the
 * channel's setting is used. Empty values are signed (Alipay's EasySDK), but the SDKs disagree. An
 * empty value states nothing, so a second try without them is safe.
 * @param unsent the `sign_type` to insert if none was sent; null for the previous release, which
 * inserted none
 */
export function* signedTexts(
  form: Form,
  unsent: AlipaySettings['signType'] | null,
): Generator<string> {
  const hasType = form.get('sign_type') !== undefined;
  const typed = form.isFilled('sign_type') ? null : unsent;
  const typeIsWhole = !form.get('sign_type')?.includes('&');
  if (typeIsWhole) yield signedText(form, false, true);
  if (hasType) yield signedText(form, true, true);
  if (typed !== null) yield withSignType(form, typed, true);
  if (!form.values.includes('')) return;
  if (typeIsWhole) yield signedText(form, false, false);
  if (hasType) yield signedText(form, true, false);
  if (typed !== null) yield withSignType(form, typed, false);
}

function signedText(
  { layout, values }: Form,
  typeIsSigned: boolean,
  emptyIsSigned: boolean,
): string {
  let text = '';
  for (const { name, place, head } of layout.sorted) {
    if (name === 'sign' || (name === 'sign_type' && !typeIsSigned)) continue;
    const value = values[place] ?? '';
    if (value === '' && !emptyIsSigned) continue;
    text += text === '' ? head.slice(1) : head;
    text += value;
  }
  return text;
}

/** The signed text with a `sign_type` at its sorted place. */
function withSignType({ layout, values }: Form, signType: string, emptyIsSigned: boolean): string {
  const pieces = layout.sorted
    .filter(({ name }) => name !== 'sign' && name !== 'sign_type')
    .map(({ name, place }) => ({ name, value: values[place] ?? '' }))
    .filter(({ value }) => value !== '' || emptyIsSigned);
  const behind = pieces.findIndex(({ name }) => name > 'sign_type');
  const at = behind === -1 ? pieces.length : behind;
  return pieces
    .toSpliced(at, 0, { name: 'sign_type', value: signType })
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
}
