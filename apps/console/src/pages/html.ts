/** Text that is HTML already. Only `html` makes it. */
export interface Html {
  readonly markup: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Every value put in is escaped, unless it is `Html` itself. Attributes must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const markup = parts.reduce((done, part, index) => {
    const value = values[index - 1] ?? '';
    return done + (typeof value === 'string' ? escapeHtml(value) : value.markup) + part;
  });
  return { markup };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

export const NOTHING: Html = { markup: '' };
