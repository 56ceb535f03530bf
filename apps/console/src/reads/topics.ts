import type { Merchants } from '@payonce/orders/access/merchants';
import { rowId } from '../schemas/fields.js';

/** The object that a page watches: the overview, the held list of some merchants, or one row. */
export type Topic =
  | { readonly name: 'overview' }
  | { readonly name: 'held'; readonly merchants: Merchants }
  | { readonly name: 'order' | 'notification' | 'delivery'; readonly id: bigint };

/** @returns null for an unknown topic */
export function topicOf(name: string, id: string, merchants: Merchants): Topic | null {
  switch (name) {
    case 'overview':
      return { name };
    case 'held':
      return { name, merchants };
    case 'order':
    case 'notification':
    case 'delivery': {
      const row = rowId.safeParse(id);
      return row.success ? { name, id: row.data } : null;
    }
    default:
      return null;
  }
}

export function keyOf(topic: Topic): string {
  if ('id' in topic) return `${topic.name}:${topic.id}`;
  return topic.name === 'held' ? `held:${JSON.stringify(topic.merchants)}` : topic.name;
}
