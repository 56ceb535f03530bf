import { type Html, html } from './html.js';

/** The facts of one object, name by name. Leaves out null values. */
export function facts(entries: readonly (readonly [name: string, value: Html | null])[]): Html {
  const known = entries.flatMap(([name, value]) =>
    value === null ? [] : [html`<dt>${name}</dt><dd>${value}</dd>\n`],
  );
  return html`<dl class="facts">${known}</dl>`;
}
