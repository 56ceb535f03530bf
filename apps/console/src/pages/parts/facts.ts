import { type Html, html } from '../html.js';

/** What is known of one thing, name by name. What is null is left out. */
export function facts(entries: readonly (readonly [name: string, value: Html | null])[]): Html {
  const known = entries.flatMap(([name, value]) =>
    value === null ? [] : [html`<dt>${name}</dt><dd>${value}</dd>\n`],
  );
  return html`<dl class="facts">${known}</dl>`;
}
