import { rowId } from '../api/fields.js';

/** What a page watches: the overview, the held list, or one thing. */
export type Topic =
  | { readonly name: 'overview' }
  | { readonly name: 'held' }
  | { readonly name: 'order' | 'notification' | 'delivery'; readonly id: bigint };

/** @returns null for what is no topic */
export function topicOf(name: string, id: string): Topic | null {
  switch (name) {
    case 'overview':
    case 'held':
      return { name };
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
  return 'id' in topic ? `${topic.name}:${topic.id}` : topic.name;
}
