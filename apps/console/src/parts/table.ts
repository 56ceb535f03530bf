import { type Html, html, NOTHING } from './html.js';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Html;
}

/**
 * A table that is a list of cards on a phone. It states the roles because `display: block` removes
 * them in some browsers. The first column names the row.
 */
export function table<Row>(
  options: { readonly caption: string; readonly empty: Html; readonly id?: string },
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Html {
  const live = options.id ? html` id="${options.id}" data-live` : NOTHING;
  if (rows.length === 0) return html`<div${live}><div class="empty">${options.empty}</div></div>`;
  const head = columns.map(({ title }) => html`<th scope="col" role="columnheader">${title}</th>`);
  return html`<div${live}><div class="table"><table class="cards" role="table">
<caption class="hidden-text">${options.caption}</caption>
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => html`<tr role="row">${columns.map((column, index) => cellOf(column, row, index))}</tr>\n`)}
</tbody></table></div></div>`;
}

function cellOf<Row>({ title, cell }: Column<Row>, row: Row, index: number): Html {
  return index === 0
    ? html`<th scope="row" role="rowheader" data-label="${title}"><div>${cell(row)}</div></th>`
    : html`<td role="cell" data-label="${title}"><div>${cell(row)}</div></td>`;
}
