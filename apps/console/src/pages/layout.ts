import { type Html, html } from './html.js';

/** No script and no inline style: the pages work under the strictest content security policy. */
export function layout(title: string, main: Html): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · payonce</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/console.css">
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
  return page.markup;
}

export const STYLESHEET = `
:root { color-scheme: light dark; --line: #8886; --accent: #1d6fd8; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 12vh auto 0; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
form.card { display: grid; gap: .25rem; max-width: 22rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: .5rem; }
input, button { font: inherit; padding: .5rem .6rem; border: 1px solid var(--line); border-radius: .3rem; }
input { width: 100%; margin-bottom: .75rem; }
button { cursor: pointer; }
form.card button { background: var(--accent); color: #fff; border-color: var(--accent); }
.message { padding: .5rem .75rem; border-left: .25rem solid #c33; background: #c331; }
header { display: flex; justify-content: space-between; align-items: center; gap: 1rem; }
:focus-visible { outline: .15rem solid var(--accent); outline-offset: .1rem; }
`;
