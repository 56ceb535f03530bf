import { Shape } from '../signed-shape.js';
import { TRADE_NAMES } from './names.js';

/** What the names of a form say, whatever its values are. */
export interface Layout {
  /** In order of arrival. */
  readonly names: readonly string[];
  /** A name's place in `names`. */
  readonly places: ReadonlyMap<string, number>;
  /** Places in the order of their names. They are latin1, so comparing code units compares bytes. */
  readonly sorted: readonly Field[];
  /** Those of a trade notice's signed text: `sorted` without `sign` and `sign_type`. */
  readonly signed: readonly Field[];
  /** Of the signed text, where each field is filled and no value holds a `&`. Made when it is asked for. */
  readonly shape: () => Shape;
}

interface Field {
  readonly name: string;
  readonly place: number;
  /** `&name=` */
  readonly head: string;
}

const MAX_NAME_BYTES = 128;

/** A channel's notices come in a few layouts: payments with and without coupons, refunds. */
const REMEMBERED = 8;

/**
 * Layouts by their names, the last few remembered: sorting and looking for doubled names would take as long as
 * decoding. Only saves time: the answer is the same without it.
 */
export class Layouts {
  private known: readonly Layout[] = [];

  /** @returns null for no names, one that is no name, or one that stands twice */
  of(names: readonly string[]): Layout | null {
    const known = this.known.find((layout) => isSame(layout.names, names));
    if (known) return known;
    const fresh = layoutOf(names);
    if (fresh) this.known = [fresh, ...this.known.slice(0, REMEMBERED - 1)];
    return fresh;
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, place) => name === others[place]);
}

function layoutOf(given: readonly string[]): Layout | null {
  if (given.length === 0 || !given.every(isName)) return null;
  // Copies: a piece of a body would keep the whole body.
  const names = given.map((name) => Buffer.from(name, 'latin1').toString('latin1'));
  const places = new Map(names.map((name, place) => [name, place]));
  if (places.size < names.length) return null;
  const sorted = [...names]
    .sort()
    .map((name) => ({ name, place: places.get(name) ?? 0, head: `&${name}=` }));
  const signed = sorted.filter(({ name }) => name !== 'sign' && name !== 'sign_type');
  let shape: Shape | undefined;
  return {
    names,
    places,
    sorted,
    signed,
    shape: () => {
      shape ??= new Shape(
        signed.map(({ name }) => name),
        () => true,
        TRADE_NAMES,
      );
      return shape;
    },
  };
}

/** A `&` or `=` inside a name would let two different forms have one signed text. */
function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_BYTES && !/[&=]/.test(name);
}
