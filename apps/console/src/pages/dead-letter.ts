import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  dismissDeadLetter,
  type LetterOutcome,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters/dead-letters';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';
import type { Flash } from '../auth/sessions.js';
import { badge, wordFor } from '../parts/badge.js';
import { letterActions, letterState } from '../parts/dead-letter.js';
import { facts } from '../parts/facts.js';
import { html } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { contextOf, type PageContext, sendPage, sessionOf } from '../parts/page-context.js';
import { reasonForm } from '../parts/reason-form.js';
import { time } from '../parts/time.js';
import { reasonIn } from '../plugins/forms.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { findDeadLetter, type LetterRow } from '../reads/dead-letters.js';
import { unknownLetter } from '../routes/dead-letters.js';
import { rowId } from '../schemas/fields.js';

const params = z.object({ id: rowId });
const looking = { access: 'session', merchants: 'all' } as const;
const config = { ...looking, role: 'operate' } as const;

/** One dead letter, and a person's actions on it. */
export async function deadLetterPageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  app.get('/dead-letters/:id', { config: looking, schema: { params } }, async (request, reply) => {
    const row = await findDeadLetter(deps.prisma, request.params.id);
    if (row === null) return sendRefusal(request, reply, unknownLetter);
    return sendPage(reply, deadLetterPage(contextOf(request), row));
  });

  app.post('/dead-letters/:id/redrive', { config, schema: { params } }, async (request, reply) => {
    const { user: actor } = sessionOf(request);
    const letter = request.params.id;
    const outcome = await requestRedrive(deps, { actor, reason: null, letter });
    sessionOf(request).flash = flashOf(request, outcome, 'done.redrive');
    return reply.redirect(`/dead-letters/${letter}`, 303);
  });

  app.get('/dead-letters/:id/dismiss', { config, schema: { params } }, async (request, reply) => {
    const row = await findDeadLetter(deps.prisma, request.params.id);
    if (row === null) return sendRefusal(request, reply, unknownLetter);
    return sendPage(reply, dismissPage(contextOf(request), row, null));
  });

  app.post('/dead-letters/:id/dismiss', { config, schema: { params } }, async (request, reply) => {
    const letter = request.params.id;
    const row = await findDeadLetter(deps.prisma, letter);
    if (row === null) return sendRefusal(request, reply, unknownLetter);
    const reason = reasonIn(request);
    if (reason === null) {
      const context = contextOf(request);
      return sendPage(
        reply.code(400),
        dismissPage(context, row, context.t('decide.reasonMissing')),
      );
    }
    const { user: actor } = sessionOf(request);
    const outcome = await dismissDeadLetter(deps, { actor, reason, letter });
    sessionOf(request).flash = flashOf(request, outcome, 'done.dismissed');
    return reply.redirect('/dead-letters?state=open', 303);
  });
}

function flashOf(
  request: FastifyRequest,
  { result }: LetterOutcome,
  done: 'done.redrive' | 'done.dismissed',
): Flash {
  const { t } = contextOf(request);
  return result === 'done'
    ? { good: true, text: t(done) }
    : { good: false, text: t('done.letterSettled') };
}

function deadLetterPage(context: PageContext, row: LetterRow): string {
  const { t } = context;
  const title = t('deadLetters.title', { id: `#${row.id}` });
  return layout(
    context,
    { title, under: '/dead-letters' },
    html`<h1>${title}</h1>
<p>${badge(context, 'letter', letterState(row))}</p>
<div class="card">${facts([
      [t('reason'), html`${wordFor(context, 'dead', row.reason)}`],
      [
        t('held.toDo'),
        html`${t('sentence', { text: wordFor(context, 'dead', `${row.reason}.do`) })}`,
      ],
      [t('deadLetters.error'), row.error === null ? null : html`<code>${row.error}</code>`],
      [t('deadLetters.deaths'), html`${row.deaths}`],
      [t('deadLetters.last'), time(row.lastAt)],
      [t('deadLetters.queue'), html`${row.queue}`],
      [t('deadLetters.jobId'), html`<span class="mono">${row.jobId}</span>`],
    ])}
${letterActions(context, row)}</div>
<h2>${t('deadLetters.job')}</h2>
${
  row.purgedAt === null
    ? html`<pre tabindex="0">${JSON.stringify(row.job, null, 2)}</pre>`
    : html`<p class="hint">${t('deadLetters.purged')} ${time(row.purgedAt)}</p>`
}`,
  );
}

/** The page before a letter is dismissed. @param fault the fault of the last form */
function dismissPage(context: PageContext, row: LetterRow, fault: string | null): string {
  const { t } = context;
  const title = t('deadLetters.dismiss.title');
  return layout(
    context,
    { title, under: '/dead-letters' },
    html`<h1>${title}</h1>
<p class="mono">${row.jobId}</p>
<h2>${t('decide.willHappen')}</h2>
<p>${t('deadLetters.dismiss.happens')}</p>
${reasonForm(context, {
  action: `/dead-letters/${row.id}/dismiss`,
  submit: html`<button class="danger">${t('deadLetters.dismiss.submit')}</button>`,
  cancel: `/dead-letters/${row.id}`,
  fault,
})}`,
  );
}
