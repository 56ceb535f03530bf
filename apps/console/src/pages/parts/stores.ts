import type { QueueState, Stats } from '../../api/stats-views.js';
import { type Html, html } from '../html.js';
import type { View } from '../view.js';
import { badge, wordFor } from './badge.js';
import { duration } from './duration.js';
import { table } from './table.js';

interface Row {
  readonly name: string;
  readonly state: string;
  readonly jobs: QueueState['jobs'];
}

/** The console's view of the stores: the orders' database and each queue. */
export function storeTable(view: View, { at, database, queues }: Stats): Html {
  const { t } = view;
  const rows: Row[] = [
    { name: t('store.orders'), state: database, jobs: null },
    ...queues.map(({ store, role, state, jobs }) => ({
      name: `${nameOf(view, store)} (${wordFor(view, 'role', role)})`,
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
      { title: t('status'), cell: ({ state }) => badge(view, 'store', state) },
      { title: t('overview.waiting'), cell: count('waiting') },
      { title: t('overview.active'), cell: count('active') },
      { title: t('overview.delayed'), cell: count('delayed') },
      {
        title: t('overview.oldestJob'),
        cell: ({ jobs }) => html`${ageOf(view, jobs?.oldestWaitingAt ?? null, at)}`,
      },
    ],
    rows,
  );
}

function ageOf(view: View, oldest: string | null, now: string): string {
  return oldest === null ? '–' : duration(view, (Date.parse(now) - Date.parse(oldest)) / 1_000);
}

/** `redis`, `redis-1`, …, `postgres`. */
function nameOf(view: View, store: string): string {
  const [kind = '', shard = ''] = store.split('-');
  return `${wordFor(view, 'store', kind)} ${shard}`.trim();
}
