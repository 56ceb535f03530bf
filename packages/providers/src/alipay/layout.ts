import { Shape } from '../signed-shape.js';
import { TRADE_NAMES } from './names.js';

/** What follows from the names of a form alone, without its values. */
export interface Layout {
  /** In order of arrival. */
  readonly names: readonly string[];
  /** A name's place in `names`. */
  readonly places: ReadonlyMap<string, number>;
  /** Places sorted by name. Names are latin1, so comparing code units compares bytes. */
  readonly sorted: readonly Field[];
  /** The fields of a trade notice's signed text: `sorted` without `sign` and `sign_type`. */
  readonly signed: readonly Field[];
  /**
   * The shape of the signed text if each field is filled and no value contains a `&`. Computed on
   * demand.
   */
  readonly shape: () => Shape;
}

interface Field {
  readonly name: string;
  readonly place: number;
  /** `&name=` */
  readonly head: string;
}

const MAX_NAME_BYTES = 128;

/** A channel's notices have a few layouts: payments with and without coupons, refunds. */
const REMEMBERED = 8;

/**
 * Caches the last few layouts by their names: sorting and searching for repeated names would take
 * as long as decoding. The cache does not change results.
 */
export class Layouts {
  private known: readonly Layout[] = [];

  /** @returns null for no names, an invalid name, or a repeated one */
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
  // Copies: a slice of a body would keep the whole body in memory.
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

/** With a `&` or `=` inside a name, two different forms could have one signed text. */
function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_BYTES && !/[&=]/.test(name);
}
