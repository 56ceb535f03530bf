import type { QueueState, Stats } from '../schemas/stats.js';
import { badge, wordFor } from './badge.js';
import { duration } from './duration.js';
import { type Html, html } from './html.js';
import type { PageContext } from './page-context.js';
import { table } from './table.js';

interface Row {
  readonly name: string;
  readonly state: string;
  readonly jobs: QueueState['jobs'];
}

/** The console's context of the stores: the orders' database and each queue. */
export function storeTable(context: PageContext, { at, database, queues }: Stats): Html {
  const { t } = context;
  const rows: Row[] = [
    { name: t('store.orders'), state: database, jobs: null },
    ...queues.map(({ store, role, state, jobs }) => ({
      name: `${nameOf(context, store)} (${wordFor(context, 'role', role)})`,
      state,
      jobs,
    })),
  ];
  const count =
    (pick: keyof Omit<NonNullable<QueueState['jobs']>, 'oldestWaitingAt'>) => (row: Row) =>
      html`${row.jobs?.[pick] ?? '–'}`;
  return table<Row>(
    { id: 'stores', caption: t('overview.stores'), empty: html`–` },
    [
      { title: t('overview.store'), cell: ({ name }) => html`${name}` },
      { title: t('status'), cell: ({ state }) => badge(context, 'store', state) },
      { title: t('overview.waiting'), cell: count('waiting') },
      { title: t('overview.active'), cell: count('active') },
      { title: t('overview.delayed'), cell: count('delayed') },
      {
        title: t('overview.oldestJob'),
        cell: ({ jobs }) => html`${ageOf(context, jobs?.oldestWaitingAt ?? null, at)}`,
      },
    ],
    rows,
  );
}

function ageOf(context: PageContext, oldest: string | null, now: string): string {
  return oldest === null ? '–' : duration(context, (Date.parse(now) - Date.parse(oldest)) / 1_000);
}

/** `redis`, `redis-1`, …, `postgres`. */
function nameOf(context: PageContext, store: string): string {
  const [kind = '', shard = ''] = store.split('-');
  return `${wordFor(context, 'store', kind)} ${shard}`.trim();
}
