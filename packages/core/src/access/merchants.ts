/**
 * Whose data a caller may see and change: `all`, or names of merchants and patterns. In a pattern `*` stands
 * for any text, also for none; no other character is special.
 */
export type Merchants = 'all' | readonly string[];

/** A caller of more merchants than these is given a pattern. */
export const MAX_MERCHANTS = 100;
/** A name or a pattern: one line, as long as a merchant's name may be. */
const ENTRY = /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,64}$/u;
/** `*-eu-*` has two. More would only make a pattern hard to read. */
const MAX_WILDCARDS = 4;

/** Whether this is a merchant's name or a pattern. */
function isMerchantEntry(entry: string): boolean {
  return ENTRY.test(entry) && entry.split('*').length - 1 <= MAX_WILDCARDS;
}

/**
 * @param entries names and patterns; `*` among them means all
 * @returns null when there is none, when there are too many, or when one is neither a name nor a pattern: the
 *   caller is refused then, as nobody knows what was meant
 */
export function merchantsOf(entries: readonly string[]): Merchants | null {
  if (entries.length === 0 || entries.length > MAX_MERCHANTS) return null;
  if (!entries.every(isMerchantEntry)) return null;
  return entries.includes('*') ? 'all' : [...new Set(entries)];
}

/** Whether this merchant is one of them. Takes time linear in the length of the name for each entry. */
export function hasMerchant(merchants: Merchants, merchant: string): boolean {
  return merchants === 'all' || merchants.some((entry) => matches(entry, merchant));
}

/** No regular expression: a pattern comes from outside. */
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
