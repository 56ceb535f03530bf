/**
 * Alipay and WeChat Pay API v2 sign `a=1&b=2`: the fields sorted by name, without escaping. A text of a buyer's
 * or merchant's choice may hold `&b=3`, so the signed text does not say where a value ends, and one signature
 * fits every cut of it. What is read here depends on the signed text alone, so all cuts say the same.
 *
 * Two things are certain. The fields that the signer wrote stand as pieces between `&`, in the order of their
 * names. And a piece that somebody's text made stands behind the field that holds this text, before the signer's
 * next field. ADR 15 has the reasoning.
 */

/** What a type's signed text may hold; a name of none of these lists may hold anybody's text. */
export interface NameTable {
  /** The provider sends these in every message of the type, and they decide. Sorted. */
  readonly always: readonly string[];
  /** The provider sends these too and they decide no money: they show where other names belong. Sorted. */
  readonly anchors: readonly string[];
  /** These decide where they are there. */
  readonly optional: readonly string[];
  /** Known fields with a text of the buyer's or merchant's choice. */
  readonly texts: readonly string[];
  /** The provider alone writes these, and they decide nothing. */
  readonly plain: readonly string[];
  /** Numbered names of the same kind. */
  readonly plainPattern?: RegExp;
}

type Role = keyof Omit<NameTable, 'plainPattern'>;

/** A table, made ready for looking names up. */
export interface Names {
  readonly roles: ReadonlyMap<string, Role>;
  /** `always` and `anchors`, sorted. */
  readonly separators: readonly string[];
  readonly always: readonly string[];
  readonly texts: readonly string[];
  readonly plainPattern: RegExp | null;
}

export function namesOf(table: NameTable): Names {
  const lists = ['always', 'anchors', 'optional', 'texts', 'plain'] as const;
  const roles = new Map(lists.flatMap((role) => table[role].map((name) => [name, role] as const)));
  return {
    roles,
    separators: [...table.always, ...table.anchors].sort(),
    always: table.always,
    texts: table.texts,
    plainPattern: table.plainPattern ?? null,
  };
}

/**
 * Where a name stands.
 * - `certain`: once, and nobody's text stands between it and the signer's field before it
 * - `after_text`: once and in its place, but behind a known text, which may hold it
 * - `after_unknown`: the same behind a field that the table does not know
 * - `wrong`: twice, or where sorting does not put it
 */
export type Place = 'absent' | 'certain' | 'after_text' | 'after_unknown' | 'wrong';

/** Occurrences of one name, in the order of the text. */
interface Found {
  readonly at: number[];
  readonly values: string[];
  /** The last piece before the first occurrence that is a text, or that the table does not know. */
  readonly text: number;
  readonly unknown: number;
}

/** One signed text, cut into its pieces. */
export class SignedText {
  /** Of all pieces: what stands before the first `=`. */
  readonly names: readonly string[];
  private readonly starts: readonly number[];
  private readonly found: ReadonlyMap<string, Found>;
  private separators: ReadonlyMap<string, number> | undefined;

  constructor(
    readonly text: string,
    private readonly table: Names,
  ) {
    const names: string[] = [];
    const starts: number[] = [];
    const found = new Map<string, Found>();
    let lastText = -1;
    let lastUnknown = -1;
    let equals = -1;
    for (let start = 0, end = 0; start <= text.length; start = end + 1) {
      end = nextOf('&', text, start);
      // Looked for once: a text of many `&` and no `=` is not read to its end for each.
      if (equals < start) equals = nextOf('=', text, start);
      const name = text.slice(start, Math.min(equals, end));
      const role = this.roleOf(name);
      const index = names.push(name) - 1;
      starts.push(start);
      if (role === undefined) lastUnknown = index;
      else if (role === 'texts') lastText = index;
      if (role === undefined || role === 'plain') continue;
      // An empty value says nothing; but a text that is empty before `&` may go on behind it.
      if (equals + 1 >= end && role !== 'texts') continue;
      const value = text.slice(equals + 1, end);
      const known = found.get(name);
      if (known === undefined) {
        found.set(name, { at: [index], values: [value], text: lastText, unknown: lastUnknown });
      } else {
        known.at.push(index);
        known.values.push(value);
      }
    }
    this.names = names;
    this.starts = starts;
    this.found = found;
  }

  roleOf(name: string): Role | undefined {
    const role = this.table.roles.get(name);
    if (role !== undefined) return role;
    return this.table.plainPattern?.test(name) ? 'plain' : undefined;
  }

  /** How often a name of the table stands with a value; texts count without one too. */
  countOf(name: string): number {
    return this.found.get(name)?.at.length ?? 0;
  }

  /** The pieces that have a name, by their number in the text. */
  placesOf(name: string): readonly number[] {
    return this.found.get(name)?.at ?? [];
  }

  /** All values of a name. */
  valuesOf(name: string): readonly string[] {
    return this.found.get(name)?.values ?? [];
  }

  /** The value where the name stands once; undefined where it is absent or stands twice. */
  get(name: string): string | undefined {
    const found = this.found.get(name);
    return found?.at.length === 1 ? found.values[0] : undefined;
  }

  /** The name that is always there and stands twice, or does not rise with the others; null where all do. */
  confused(): string | null {
    let last = -1;
    for (const name of this.table.always) {
      const found = this.found.get(name);
      if (found === undefined) continue;
      const [at = -1] = found.at;
      if (found.at.length > 1 || at < last) return name;
      last = at;
    }
    return null;
  }

  /** Where an optional name stands. Only means something where nothing is `confused`. */
  placeOf(name: string): Place {
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

  /** An anchor's value where it stands once between its neighbours, wherever else a text repeats it. */
  anchored(name: string): string | undefined {
    const at = this.separatorsFound().get(name);
    const found = this.found.get(name);
    return at === undefined ? undefined : found?.values[found.at.indexOf(at)];
  }

  /**
   * The text without the pieces that `drops` names and without empty ones: what stays the same when the
   * provider sends the message again.
   */
  without(drops: (name: string, value: () => string) => boolean): string {
    const kept: string[] = [];
    let from = 0;
    for (const [index, name] of this.names.entries()) {
      const start = this.starts[index] ?? 0;
      const end = (this.starts[index + 1] ?? this.text.length + 1) - 1;
      const valueAt = start + name.length + 1;
      if (valueAt !== end && !drops(name, () => this.text.slice(valueAt, end))) continue;
      if (start > from) kept.push(this.text.slice(from, start - 1));
      from = end + 1;
    }
    if (from <= this.text.length) kept.push(this.text.slice(from));
    return kept.join('&');
  }

  private standsIn(name: string, from: number, to: number): boolean {
    return this.found.get(name)?.at.some((at) => at > from && at < to) ?? false;
  }

  /** Where the signer's fields stand that sort next to a name. */
  private neighbours(name: string): { readonly before: number; readonly behind: number } {
    let before = -1;
    for (const [separator, at] of this.separatorsFound()) {
      if (separator > name) return { before, behind: at };
      if (separator < name) before = at;
    }
    return { before, behind: Number.POSITIVE_INFINITY };
  }

  /**
   * The signer's own fields, in order. The anchors between two names that are always there count only if each
   * stands there once and they rise: else a text repeats one, and which is the signer's would be a guess.
   */
  private separatorsFound(): ReadonlyMap<string, number> {
    if (this.separators !== undefined) return this.separators;
    const separators = new Map<string, number>();
    let anchors: string[] = [];
    let low = -1;
    const settle = (high: number) => {
      const places = anchors.map((name) =>
        (this.found.get(name)?.at ?? []).filter((at) => at > low && at < high),
      );
      const once = places.every(({ length }) => length <= 1);
      const rising = places.flat().every((at, index, all) => at > (all[index - 1] ?? -1));
      if (once && rising) {
        for (const [index, name] of anchors.entries()) {
          const at = places[index]?.[0];
          if (at !== undefined) separators.set(name, at);
        }
      }
      anchors = [];
      low = high;
    };
    for (const name of this.table.separators) {
      if (this.table.roles.get(name) === 'anchors') anchors.push(name);
      else {
        const at = this.found.get(name)?.at[0];
        if (at === undefined) continue;
        settle(at);
        separators.set(name, at);
      }
    }
    settle(Number.POSITIVE_INFINITY);
    this.separators = separators;
    return separators;
  }
}

/**
 * Whether the text can be read as one message of the type, whatever the texts in it say: the names of `chain`
 * rise from its beginning to its end, and each piece between two of them is one of the signer's, rising, or
 * follows a field that may hold a text. `foreign` names are the signer's in other messages, so they may only
 * stand inside a text; nothing but rising names may follow the last of the chain.
 */
export function isWhole(
  text: SignedText,
  chain: readonly string[],
  foreign: (index: number) => boolean,
): boolean {
  const last = new Map(text.names.map((name, index) => [name, index]));
  let at = -1;
  let before = '';
  for (const name of chain) {
    at += 1;
    while (text.names[at] !== name) {
      const between = text.names[at];
      if (between === undefined || between <= before || between >= name || foreign(at))
        return false;
      const role = text.roleOf(between);
      before = between;
      if (role === undefined || role === 'texts') {
        const next = last.get(name) ?? -1;
        if (next < at) return false;
        at = next;
      } else at += 1;
    }
    before = name;
  }
  for (const name of text.names.slice(at + 1)) {
    at += 1;
    if (name <= before || foreign(at)) return false;
    before = name;
  }
  return true;
}

/** The text's end when it does not stand there. */
function nextOf(character: string, text: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}
