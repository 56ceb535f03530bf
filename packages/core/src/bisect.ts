/**
 * Does it for a batch whatever is in it: an item that makes the batch fail is found by halving, until it stands alone.
 * @param together all of these, or none; one result per item
 * @param alone an item that failed by itself, and why
 * @param endsAll a failure that says nothing of any item: it is thrown
 * @returns in the order of the items
 */
export async function bisect<Item, Result>(
  items: readonly Item[],
  together: (items: readonly Item[]) => Promise<readonly Result[]>,
  alone: (item: Item, error: unknown) => Promise<Result>,
  endsAll: (error: unknown) => boolean,
): Promise<Result[]> {
  try {
    return [...(await together(items))];
  } catch (error) {
    if (endsAll(error)) throw error;
    const [only] = items;
    if (only !== undefined && items.length === 1) return [await alone(only, error)];
    const middle = Math.ceil(items.length / 2);
    const first = await bisect(items.slice(0, middle), together, alone, endsAll);
    return [...first, ...(await bisect(items.slice(middle), together, alone, endsAll))];
  }
}
