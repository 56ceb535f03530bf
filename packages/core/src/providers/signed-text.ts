import { type Names, type Shape, shapeOf } from './signed-shape.js';

/**
 * Alipay and WeChat Pay API v2 sign `a=1&b=2`: the fields sorted by name, without escaping. A text of a buyer's
 * or merchant's choice may hold `&b=3`, so the signed text does not say where a value ends, and one signature
 * fits every cut of it. What is read here depends on the signed text alone, so all cuts say the same.
 *
 * Two things are certain. The fields that the signer wrote stand as pieces between `&`, in the order of their
 * names. And a piece that somebody's text made stands behind the field that holds this text, before the signer's
 * next field. ADR 15 has the reasoning.
 */

/** One signed text, cut into its pieces. */
export class SignedText {
  constructor(
    readonly text: string,
    readonly shape: Shape,
    /** Of all pieces, in the order of `shape.names`. */
    private readonly values: readonly string[],
  ) {}

  /** How often a name of the table stands with a value. */
  countOf(name: string): number {
    return this.shape.piecesOf(name).length;
  }

  /** All values of a name. */
  valuesOf(name: string): readonly string[] {
    return this.shape.piecesOf(name).map((at) => this.values[at] ?? '');
  }

  /** The value where the name stands once; undefined where it is absent or stands twice. */
  get(name: string): string | undefined {
    const [at, second] = this.shape.piecesOf(name);
    return at === undefined || second !== undefined ? undefined : this.values[at];
  }

  /** An anchor's value where `Shape.anchorOf` finds one. */
  anchored(name: string): string | undefined {
    const at = this.shape.anchorOf(name);
    return at === undefined ? undefined : this.values[at];
  }

  /**
   * The text without the pieces that `drops` names and without empty ones: what stays the same when the
   * provider sends the message again.
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
    // Looked for once: a text of many `&` and no `=` is not read to its end for each.
    if (equals < start) equals = nextOf('=', text, start);
    const nameEnd = Math.min(equals, end);
    names.push(text.slice(start, nameEnd));
    values.push(text.slice(nameEnd + 1, end));
  }
  return new SignedText(text, shapeOf(names, values, table), values);
}

/**
 * Whether the text can be read as one message of the type, whatever the texts in it say: the names of `chain`
 * rise from its first piece to its end, and each piece between two of them is one of the signer's, rising, or
 * belongs to a field that may hold a text. Foreign names and pieces are the signer's in other messages, so they may
 * only stand inside a text; nothing but rising names may follow the last of the chain.
 */
export function isWhole(
  text: SignedText,
  chain: readonly string[],
  foreign: (index: number) => boolean,
): boolean {
  // All readings at once. At `n`, the first n names of the chain were passed, with nothing open or inside a text.
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

/** The text's end when it does not stand there. */
function nextOf(character: string, text: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}
