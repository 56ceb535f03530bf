import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { DEAD_LETTER_REASONS } from '@payonce/orders/notifications/dead-letter';
import {
  dismissDeadLetter,
  type LetterOutcome,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rowId } from '../../api/fields.js';
import type { Flash } from '../../auth/sessions.js';
import { deadLetterPage, dismissPage } from '../../pages/dead-letter.js';
import { deadLettersPage } from '../../pages/dead-letters.js';
import { choiceIn, cursorIn } from '../../pages/query.js';
import { sendPage, sessionOf, viewOf } from '../../pages/view.js';
import { reasonIn } from '../../plugins/forms.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { LETTER_STATES, readDeadLetters } from '../../reads/dead-letter-list.js';
import { unknownLetter } from '../dead-letters.js';

const ROWS = 50;
const params = z.object({ id: rowId });
const looking = { access: 'session', merchants: 'all' } as const;
const config = { ...looking, role: 'operate' } as const;

export async function deadLetterPageRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const find = (id: bigint) => deps.prisma.deadLetter.findUnique({ where: { id } });

  app.get('/dead-letters', { config: looking }, async (request, reply) => {
    const query = {
      state: choiceIn(request, 'state', LETTER_STATES),
      reason: choiceIn(request, 'reason', DEAD_LETTER_REASONS),
      cursor: cursorIn(request),
    };
    const page = await readDeadLetters(deps.prisma, query, ROWS);
    return sendPage(reply, deadLettersPage(viewOf(request), query, page));
  });

  app.get('/dead-letters/:id', { config: looking, schema: { params } }, async (request, reply) => {
    const row = await find(request.params.id);
    if (row === null) return sendRefusal(request, reply, unknownLetter);
    return sendPage(reply, deadLetterPage(viewOf(request), row));
  });

  app.post('/dead-letters/:id/redrive', { config, schema: { params } }, async (request, reply) => {
    const { user: actor } = sessionOf(request);
    const letter = request.params.id;
    const outcome = await requestRedrive(deps, { actor, reason: null, letter });
    sessionOf(request).flash = told(request, outcome, 'done.redrive');
    return reply.redirect(`/dead-letters/${letter}`, 303);
  });

  app.get('/dead-letters/:id/dismiss', { config, schema: { params } }, async (request, reply) => {
    const row = await find(request.params.id);
    if (row === null) return sendRefusal(request, reply, unknownLetter);
    return sendPage(reply, dismissPage(viewOf(request), row, null));
  });

  app.post('/dead-letters/:id/dismiss', { config, schema: { params } }, async (request, reply) => {
    const letter = request.params.id;
    const row = await find(letter);
    if (row === null) return sendRefusal(request, reply, unknownLetter);
    const reason = reasonIn(request);
    if (reason === null) {
      const view = viewOf(request);
      return sendPage(reply.code(400), dismissPage(view, row, view.t('decide.reasonMissing')));
    }
    const { user: actor } = sessionOf(request);
    const outcome = await dismissDeadLetter(deps, { actor, reason, letter });
    sessionOf(request).flash = told(request, outcome, 'done.dismissed');
    return reply.redirect('/dead-letters?state=open', 303);
  });
}

function told(
  request: FastifyRequest,
  { result }: LetterOutcome,
  done: 'done.redrive' | 'done.dismissed',
): Flash {
  const { t } = viewOf(request);
  return result === 'done'
    ? { good: true, text: t(done) }
    : { good: false, text: t('done.letterSettled') };
}
