import { type Html, html, NOTHING } from './html.js';
import type { PageContext } from './page-context.js';

export interface Filter {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** Value and label of each choice; without choices a text field. */
  readonly choices?: readonly (readonly [value: string, label: string])[];
}

/** A form with GET: an address with filters can be stored and sent to a colleague. */
export function filters({ t }: PageContext, action: string, fields: readonly Filter[]): Html {
  return html`<form class="filters" method="get" action="${action}" role="search">
${fields.map((field) => html`<label>${field.label}${control(field, t('filter.any'))}</label>\n`)}
<div class="actions"><button>${t('filter.apply')}</button>
${fields.some(({ value }) => value !== '') ? html`<a class="button" href="${action}">${t('filter.clear')}</a>` : NOTHING}
</div></form>`;
}

function control({ name, value, choices }: Filter, any: string): Html {
  if (choices === undefined) return html`<input name="${name}" value="${value}" maxlength="64">`;
  const options = choices.map(
    ([choice, label]) =>
      html`<option value="${choice}"${choice === value ? html` selected` : NOTHING}>${label}</option>`,
  );
  return html`<select name="${name}"><option value="">${any}</option>${options}</select>`;
}
