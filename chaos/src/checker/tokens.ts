/**
 * Groups items by the wanted token in their text. A token counts only if the characters around it
 * are no letters or digits: `T1` is in `payment-T1-SUCCESS` and not in `payment-T10-SUCCESS`.
 */
export function indexByToken<Item>(
  wanted: ReadonlySet<string>,
  items: readonly Item[],
  textOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const found = new Map<string, Item[]>();
  // A job ID occurs once per copy: each text is cut once.
  const cut = new Map<string, readonly string[]>();
  for (const item of items) {
    const text = textOf(item);
    const tokens = cut.get(text) ?? runsOf(text).filter((run) => wanted.has(run));
    cut.set(text, tokens);
    for (const token of tokens) {
      const known = found.get(token);
      if (known) known.push(item);
      else found.set(token, [item]);
    }
  }
  return found;
}

/**
 * Every run of the text that begins and ends at a boundary, once. IDs have a dozen parts at most.
 */
function runsOf(text: string): readonly string[] {
  const words = [...text.matchAll(/[A-Za-z0-9]+/g)].map(({ index, 0: word }) => ({
    from: index,
    to: index + word.length,
  }));
  const runs = new Set<string>();
  for (const [first, { from }] of words.entries()) {
    for (const { to } of words.slice(first, first + PARTS_MAX)) runs.add(text.slice(from, to));
  }
  return [...runs];
}

const PARTS_MAX = 16;
