/** The names in a type's signed text. An unlisted name may contain any party's text. */
export interface NameTable {
  /** The provider sends these in every message of the type, and they decide. Sorted. */
  readonly always: readonly string[];
  /**
   * The provider sends these too, and they decide no money: they show where other names belong.
   * Sorted.
   */
  readonly anchors: readonly string[];
  /** These decide if they are present. */
  readonly optional: readonly string[];
  /** Known fields with a text chosen by the buyer or the merchant. */
  readonly texts: readonly string[];
  /** Only the provider writes these, and they decide nothing. */
  readonly plain: readonly string[];
  /** Only other messages of the same signer carry these; in this type they are part of a text. */
  readonly foreign: readonly string[];
  /** Numbered names with the role of `plain`. */
  readonly plainPattern?: RegExp;
}

type Role = keyof Omit<NameTable, 'plainPattern'>;

/** A table, prepared for lookups. */
export interface Names {
  readonly roles: ReadonlyMap<string, Role>;
  /** `always` and `anchors`, sorted. */
  readonly separators: readonly string[];
  readonly always: readonly string[];
  readonly texts: readonly string[];
  readonly plainPattern: RegExp | null;
  /** The last few requested shapes. */
  remembered: readonly Shape[];
}

/** A provider's messages have a few shapes: payments with and without coupons, refunds. */
const REMEMBERED = 8;
const MAX_REMEMBERED_NAMES = 256;

export function namesOf(table: NameTable): Names {
  const lists = ['always', 'anchors', 'optional', 'texts', 'plain', 'foreign'] as const;
  const roles = new Map(lists.flatMap((role) => table[role].map((name) => [name, role] as const)));
  return {
    roles,
    separators: [...table.always, ...table.anchors].sort(),
    always: table.always,
    texts: table.texts,
    plainPattern: table.plainPattern ?? null,
    remembered: [],
  };
}

/**
 * The position of a name.
 * - `certain`: once, and no text of others stands between it and the signer's field before it
 * - `after_text`: once and in its place, but behind a known text, which may contain it
 * - `after_unknown`: the same behind a field that the table does not know
 * - `wrong`: twice, or where sorting does not put it
 */
export type Place = 'absent' | 'certain' | 'after_text' | 'after_unknown' | 'wrong';

/** The positions of one name with a value; texts count without one too. */
interface Found {
  readonly at: number[];
  /** The last piece before the first of them that is a text, or that the table does not know. */
  readonly text: number;
  readonly unknown: number;
}

/** What follows from the names of a signed text alone, without its values. */
export class Shape {
  private readonly found = new Map<string, Found>();
  private readonly places = new Map<string, Place>();
  private separators: ReadonlyMap<string, number> | undefined;
  /** The `always` name that is repeated or out of order; null where none is. */
  readonly confused: string | null;
  /** The first foreign name; null if there is none. */
  readonly foreign: string | null;

  /** @param isFilled whether a piece has a value */
  constructor(
    /** Of all pieces: the part before the first `=`. */
    readonly names: readonly string[],
    isFilled: (index: number) => boolean,
    private readonly table: Names,
  ) {
    let lastText = -1;
    let lastUnknown = -1;
    for (const [index, name] of names.entries()) {
      const role = this.roleOf(name);
      if (role === undefined || role === 'foreign') lastUnknown = index;
      else if (role === 'texts') lastText = index;
      if (role === undefined || role === 'plain') continue;
      // An empty value states nothing; but a text that is empty before `&` may go on behind it.
      if (role !== 'texts' && !isFilled(index)) continue;
      const known = this.found.get(name);
      if (known !== undefined) known.at.push(index);
      else this.found.set(name, { at: [index], text: lastText, unknown: lastUnknown });
    }
    this.confused = this.findConfused();
    this.foreign = names.find((name) => this.roleOf(name) === 'foreign') ?? null;
  }

  roleOf(name: string): Role | undefined {
    const role = this.table.roles.get(name);
    if (role !== undefined) return role;
    return this.table.plainPattern?.test(name) ? 'plain' : undefined;
  }

  /** The pieces with this name of the table and a value. */
  piecesOf(name: string): readonly number[] {
    return this.found.get(name)?.at ?? NONE;
  }

  /** The position of an optional name. Meaningful only if `confused` is null. */
  placeOf(name: string): Place {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const place = this.findPlace(name);
    this.places.set(name, place);
    return place;
  }

  /**
   * The piece of an anchor that occurs once between its neighbours, wherever else a text repeats
   * it.
   */
  anchorOf(name: string): number | undefined {
    return this.separatorsFound().get(name);
  }

  private findConfused(): string | null {
    let last = -1;
    for (const name of this.table.always) {
      const [at, second] = this.piecesOf(name);
      if (at === undefined) continue;
      if (second !== undefined || at < last) return name;
      last = at;
    }
    return null;
  }

  private findPlace(name: string): Place {
    const found = this.found.get(name);
    if (found === undefined) return 'absent';
    const [at = -1] = found.at;
    const { before, behind } = this.neighbours(name);
    if (found.at.length > 1 || at < before || at > behind) return 'wrong';
    if (found.text <= before && found.unknown <= before) return 'certain';
    if (this.table.texts.some((text) => text > name && this.standsIn(text, before, at))) {
      return 'wrong';
    }
    return found.unknown <= before ? 'after_text' : 'after_unknown';
  }

  private standsIn(name: string, from: number, to: number): boolean {
    return this.piecesOf(name).some((at) => at > from && at < to);
  }

  /** The positions of the signer's fields that sort next to a name. */
  private neighbours(name: string): { readonly before: number; readonly behind: number } {
    let before = -1;
    for (const [separator, at] of this.separatorsFound()) {
      if (separator > name) return { before, behind: at };
      if (separator < name) before = at;
    }
    return { before, behind: Number.POSITIVE_INFINITY };
  }

  /**
   * The signer's fields, in order. Anchors between two `always` names count only if each occurs
   * there once and they are sorted. Otherwise a text repeats one, and it would be a guess which is
   * the signer's.
   */
  private separatorsFound(): ReadonlyMap<string, number> {
    if (this.separators !== undefined) return this.separators;
    const separators = new Map<string, number>();
    let anchors: string[] = [];
    let low = -1;
    const close = (high: number) => {
      for (const [name, at] of this.anchorsIn(anchors, low, high)) separators.set(name, at);
      anchors = [];
      low = high;
    };
    for (const name of this.table.separators) {
      if (this.table.roles.get(name) === 'anchors') anchors.push(name);
      else {
        const [at] = this.piecesOf(name);
        if (at === undefined) continue;
        close(at);
        separators.set(name, at);
      }
    }
    close(Number.POSITIVE_INFINITY);
    this.separators = separators;
    return separators;
  }

  private anchorsIn(names: readonly string[], low: number, high: number): [string, number][] {
    const found = names.flatMap((name) =>
      this.piecesOf(name)
        .filter((at) => at > low && at < high)
        .map((at): [string, number] => [name, at]),
    );
    const rising = found.every(([name, at], index) => {
      const [before, beforeAt] = found[index - 1] ?? ['', -1];
      return name !== before && at > beforeAt;
    });
    return rising ? found : [];
  }
}

const NONE: readonly number[] = [];

/** The cache does not change results. */
export function shapeOf(names: readonly string[], values: readonly string[], table: Names): Shape {
  const fresh = (some: readonly string[]) =>
    new Shape(some, (index) => values[index] !== '', table);
  if (names.length > MAX_REMEMBERED_NAMES || values.includes('')) return fresh(names);
  const known = table.remembered.find((shape) => isSame(shape.names, names));
  if (known) return known;
  // Copies: a slice of a text would keep the whole text in memory.
  const copies = names.map((name) => Buffer.from(name, 'utf8').toString('utf8'));
  const shape = fresh(copies);
  table.remembered = [shape, ...table.remembered.slice(0, REMEMBERED - 1)];
  return shape;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, index) => name === others[index]);
}
