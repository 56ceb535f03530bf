/**
 * The merchants whose data a caller may see and change: `all`, or names of merchants and patterns.
 * In a pattern `*` stands for any text, including none; no other character is special.
 */
export type Merchants = 'all' | readonly string[];

/** A caller with more merchants than these needs a pattern. */
export const MAX_MERCHANTS = 100;
/** A name or a pattern: one line, at most as long as a merchant's name. */
const ENTRY = /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,64}$/u;
/** `*-eu-*` has two. More would only make a pattern hard to read. */
const MAX_WILDCARDS = 4;

/** Whether this is a merchant's name or a pattern. */
function isMerchantEntry(entry: string): boolean {
  return ENTRY.test(entry) && entry.split('*').length - 1 <= MAX_WILDCARDS;
}

/**
 * @param entries names and patterns; `*` among them means all
 * @returns null when there is no entry, when there are too many, or when one is invalid. The caller
 * is then refused, since the intention is unknown
 */
export function merchantsOf(entries: readonly string[]): Merchants | null {
  if (entries.length === 0 || entries.length > MAX_MERCHANTS) return null;
  if (!entries.every(isMerchantEntry)) return null;
  return entries.includes('*') ? 'all' : [...new Set(entries)];
}

/** Whether this merchant is one of them. Linear time in the length of the name for each entry. */
export function hasMerchant(merchants: Merchants, merchant: string): boolean {
  return merchants === 'all' || merchants.some((entry) => matches(entry, merchant));
}

/** Not a regular expression, since a pattern comes from outside. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
