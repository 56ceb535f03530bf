/** Text that is already HTML. Only `html` creates it. */
export interface Html {
  readonly markup: string;
}

type Value = string | number | bigint | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes every inserted value, unless it is `Html` itself. Attributes need double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const markup = parts.reduce((done, part, index) => done + markupOf(values[index - 1]) + part);
  return { markup };
}

function markupOf(value: Value | undefined): string {
  if (value === undefined) return '';
  if (typeof value !== 'object') return escapeHtml(String(value));
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

export const NOTHING: Html = { markup: '' };
