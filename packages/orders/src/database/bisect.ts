/**
 * Processes a batch in which any item may be bad. Halving isolates an item that makes the batch
 * fail.
 * @param together processes all of these items or none; one result per item
 * @param alone handles an item that failed by itself, with its error
 * @param endsAll whether an error has nothing to do with an item: then it is thrown
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
