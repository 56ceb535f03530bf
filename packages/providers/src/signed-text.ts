import { type Names, type Shape, shapeOf } from './signed-shape.js';

/**
 * Alipay and WeChat Pay API v2 sign `a=1&b=2`: the fields sorted by name, without escaping. A text
 * chosen by the buyer or the merchant may contain `&b=3`. So the signed text does not show where a
 * value ends, and one signature fits every cut of it. This module reads only the signed text, so
 * all cuts have the same meaning.
 *
 * Two things are certain. The signer's fields are pieces between `&`, in the order of their names.
 * A piece from another party's text stands behind the field that contains this text, and before the
 * signer's next field. ADR 15 has the reasoning.
 */

/** One signed text, cut into its pieces. */
export class SignedText {
  constructor(
    readonly text: string,
    readonly shape: Shape,
    /** Of all pieces, in the order of `shape.names`. */
    private readonly values: readonly string[],
  ) {}

  /** How often a name of the table occurs with a value. */
  countOf(name: string): number {
    return this.shape.piecesOf(name).length;
  }

  /** All values of a name. */
  valuesOf(name: string): readonly string[] {
    return this.shape.piecesOf(name).map((at) => this.values[at] ?? '');
  }

  /** The value if the name occurs once; undefined if it is absent or repeated. */
  get(name: string): string | undefined {
    const [at, second] = this.shape.piecesOf(name);
    return at === undefined || second !== undefined ? undefined : this.values[at];
  }

  /** The value of an anchor, if `Shape.anchorOf` finds one. */
  anchored(name: string): string | undefined {
    const at = this.shape.anchorOf(name);
    return at === undefined ? undefined : this.values[at];
  }

  /**
   * The text without empty pieces and without those that `drops` selects. This stays the same when
   * the provider resends the message.
   */
  without(drops: (name: string, value: string) => boolean): string {
    let kept = '';
    let from = 0;
    let start = 0;
    for (let index = 0; index < this.shape.names.length; index += 1) {
      const name = this.shape.names[index] ?? '';
      const value = this.values[index] ?? '';
      const end = this.endOf(start, name, value);
      // A piece without `=` is part of a text.
      const isEmpty = value === '' && start + name.length < end;
      if (isEmpty || drops(name, value)) {
        kept += this.text.slice(from, start);
        from = end + 1;
      }
      start = end + 1;
    }
    kept += this.text.slice(from);
    return kept.endsWith('&') ? kept.slice(0, -1) : kept;
  }

  private endOf(start: number, name: string, value: string): number {
    const behind = start + name.length;
    return this.text[behind] === '=' ? behind + 1 + value.length : behind;
  }
}

/** Cuts a signed text at each `&`, and each piece at its first `=`. */
export function cutText(text: string, table: Names): SignedText {
  const names: string[] = [];
  const values: string[] = [];
  let equals = -1;
  for (let start = 0, end = 0; start <= text.length; start = end + 1) {
    end = nextOf('&', text, start);
    // Found once: a text with many `&` and no `=` is not read to its end for each.
    if (equals < start) equals = nextOf('=', text, start);
    const nameEnd = Math.min(equals, end);
    names.push(text.slice(start, nameEnd));
    values.push(text.slice(nameEnd + 1, end));
  }
  return new SignedText(text, shapeOf(names, values, table), values);
}

/**
 * Whether the text can be read as one message of the type, whatever its texts contain. The names of
 * `chain` must occur in order from its first piece to its end. Each piece between two of them must
 * be the signer's and sorted, or belong to a field that may contain a text. Foreign names and
 * pieces are the signer's in other messages, so they may only occur inside a text. After the last
 * of the chain only sorted names may follow.
 */
export function isWhole(
  text: SignedText,
  chain: readonly string[],
  foreign: (index: number) => boolean,
): boolean {
  // All readings at once. At `n`, the first n names of the chain were passed, either outside or
  // inside a text.
  let plain = new Set([0]);
  let inText = new Set<number>();
  let before = '';
  for (const [index, name] of text.shape.names.entries()) {
    const role = text.shape.roleOf(name);
    const mayHoldText = role === undefined || role === 'texts';
    const nextPlain = new Set<number>();
    const nextInText = new Set(inText);
    for (const passed of [...plain, ...inText]) {
      if (name === chain[passed]) nextPlain.add(passed + 1);
    }
    if (role !== 'foreign' && !foreign(index) && index > 0 && name > before) {
      for (const passed of plain) {
        const next = chain[passed];
        if (next === undefined) nextPlain.add(passed);
        else if (name < next) (mayHoldText ? nextInText : nextPlain).add(passed);
      }
    }
    if (nextPlain.size + nextInText.size === 0) return false;
    [plain, inText, before] = [nextPlain, nextInText, name];
  }
  return plain.has(chain.length);
}

/** The text's length when the character does not occur. */
function nextOf(character: string, text: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}
