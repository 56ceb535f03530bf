import type { Session } from '../auth/sessions.js';
import type { PlainKey } from '../i18n/translate.js';
import { type Html, html, NOTHING } from './html.js';
import type { PageContext } from './page-context.js';

interface Page {
  readonly title: string;
  /** The navigation entry of the page. */
  readonly under?: string;
  /**
   * Keeps the elements with an ID and `data-live` current. The page has a route for its change
   * token: its own address, and then `/change-token`.
   */
  readonly live?: boolean;
  /** Modules from our origin; the content security policy allows no other. */
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
}

/** `all`: for people who may see all merchants. The routes themselves refuse everybody else. */
const ENTRIES: readonly (readonly [href: string, label: PlainKey, whose: 'all' | 'any'])[] = [
  ['/', 'nav.overview', 'all'],
  ['/held', 'nav.held', 'any'],
  ['/orders', 'nav.orders', 'any'],
  ['/notifications', 'nav.notifications', 'any'],
  ['/deliveries', 'nav.deliveries', 'any'],
  ['/endpoints', 'nav.endpoints', 'any'],
  ['/dead-letters', 'nav.deadLetters', 'all'],
  ['/audit', 'nav.audit', 'all'],
  ['/queues', 'nav.queues', 'all'],
  ['/docs', 'nav.api', 'any'],
];

/**
 * No inline script and no inline style: the pages work under the strictest content security policy.
 */
export function layout(context: PageContext, page: Page, main: Html): string {
  // The script of an open page replaces parts of this alone.
  if (context.isRefresh) return main.markup;
  const { t, language, session } = context;
  const scripts = [...(page.live ? ['live.js'] : []), ...(page.scripts ?? [])];
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${page.title} · payonce</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
${[...(page.styles ?? []), 'console.css'].map((name) => html`<link rel="stylesheet" href="/assets/${name}">\n`)}${scripts.map((name) => html`<script type="module" src="/assets/${name}"></script>\n`)}</head>
<body class="${session === null ? 'outside' : 'inside'}">
<a class="skip" href="#main">${t('nav.skip')}</a>
<header class="top">
<a class="brand" href="/">payonce</a>
<div class="person">${languageSwitch(context)}${session === null ? NOTHING : person(context, session)}</div>
</header>
${session === null ? NOTHING : navigation(context, session, page.under)}
<main id="main" tabindex="-1">
${flash(context)}
${main}
${page.live ? liveNotice(context) : NOTHING}
</main>
${session === null ? NOTHING : html`<footer><p>${t('zone')}</p></footer>`}
</body>
</html>
`.markup;
}

function navigation({ t }: PageContext, { merchants }: Session, under: string | undefined): Html {
  const entries = ENTRIES.filter(([, , whose]) => whose === 'any' || merchants === 'all');
  const links = entries.map(
    ([href, label]) =>
      html`<li><a href="${href}"${href === under ? html` aria-current="page"` : NOTHING}>${t(label)}</a></li>`,
  );
  return html`<nav aria-label="${t('nav.main')}"><ul>${links}</ul></nav>`;
}

function languageSwitch({ t, language, address }: PageContext): Html {
  const [other, name] =
    language === 'en' ? (['zh-CN', '中文'] as const) : (['en', 'English'] as const);
  return html`<form method="post" action="/language" class="quiet">
<input type="hidden" name="language" value="${other}"><input type="hidden" name="back" value="${address}">
<button lang="${other}" title="${t('language')}">${name}</button></form>`;
}

function person({ t }: PageContext, { user, formToken }: Session): Html {
  return html`<form method="post" action="/logout" class="quiet">
<input type="hidden" name="formToken" value="${formToken}">
<span class="user">${user}</span> <button>${t('logout')}</button></form>`;
}

/** `live.js` shows one line of it. */
function liveNotice({ t, address }: PageContext): Html {
  return html`<div id="notice" role="status">
<p class="message info" data-when="changed" hidden>${t('live.changed')} <button>${t('live.show')}</button></p>
<p class="message warn" data-when="away" hidden>${t('live.away')}</p>
<p class="message bad" data-when="ended" hidden>${t('live.ended')} <a href="${address}">${t('live.reload')}</a></p>
</div>`;
}

function flash({ flash }: PageContext): Html {
  if (flash === null) return NOTHING;
  return html`<p class="message ${flash.good ? 'good' : 'bad'}" role="${flash.good ? 'status' : 'alert'}">${flash.text}</p>`;
}
