/**
 * Groups things that have a key in common, directly or through others. Pure.
 * @param keys of each thing
 * @returns groups of indices. Each group, and the groups by their first members, are in the order
 * given
 */
export function connectedComponents(keys: readonly (readonly string[])[]): number[][] {
  const parents = keys.map((_, index) => index);
  const rootOf = (index: number): number => {
    const parent = parents[index] ?? index;
    if (parent === index) return index;
    const root = rootOf(parent);
    parents[index] = root;
    return root;
  };
  const firsts = new Map<string, number>();
  for (const [index, names] of keys.entries()) {
    for (const name of names) {
      const [one, other] = [rootOf(index), rootOf(firsts.get(name) ?? index)];
      // The smaller one, so that a group's root is its first member.
      parents[Math.max(one, other)] = Math.min(one, other);
      if (!firsts.has(name)) firsts.set(name, index);
    }
  }
  const groups = new Map<number, number[]>();
  for (const index of keys.keys()) {
    const root = rootOf(index);
    groups.set(root, [...(groups.get(root) ?? []), index]);
  }
  return [...groups.values()];
}

/**
 * Packs groups, in order, into batches of at most `size`. A larger group is a batch by itself.
 * Pure.
 */
export function packGroups(groups: readonly (readonly number[])[], size: number): number[][] {
  const batches: number[][] = [];
  for (const group of groups) {
    const last = batches.at(-1);
    if (last && last.length + group.length <= size) last.push(...group);
    else batches.push([...group]);
  }
  return batches;
}
