import { open, readFile } from 'node:fs/promises';

/**
 * @typedef {object} Event  an order event as it came
 * @property {string} id  `webhook-id`: the same in every copy
 * @property {string} receivedAt
 * @property {string} type  e.g. `order.paid`
 * @property {string} timestamp  when it happened
 * @property {Data} data
 *
 * @typedef {Record<string, unknown> & { merchant: string, orderNumber: string | null, version?:
 * number | null }} Data the order as it was then; amounts are text, in minor units.
 * `notification.*` has no version.
 *
 * @typedef {Awaited<ReturnType<typeof openStore>>} Store
 */

/**
 * Events in a file, one JSON object per line, on disk before `add` resolves. A shop has a database
 * for this: see README.md. Everything is kept in memory too, which is fine for an example.
 * @param {string} path
 */
export async function openStore(path) {
  const file = await open(path, 'a', 0o600);
  const bytes = await readFile(path);
  // Killed during a write: half a line, which was never acknowledged.
  let length = bytes.lastIndexOf('\n') + 1;
  await file.truncate(length);

  /** @type {Map<string, Event>} */
  const events = new Map();
  /** @type {Map<string, Data>} */
  const orders = new Map();
  for (const line of bytes.toString('utf8', 0, length).split('\n')) {
    if (line !== '') remember(JSON.parse(line));
  }
  let turn = Promise.resolve();

  /** @param {Event} event */
  function remember(event) {
    const { id, data } = event;
    events.set(id, event);
    if (typeof data?.version !== 'number') return;
    const key = JSON.stringify([data.merchant, data.orderNumber]);
    const known = orders.get(key);
    // A copy of an older event may come late: the state of an order never goes back.
    if (known === undefined || data.version > Number(known.version)) orders.set(key, data);
  }

  /** @param {Event} event */
  async function write(event) {
    if (events.has(event.id)) return false;
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      await file.appendFile(line);
      await file.datasync();
    } catch (error) {
      await file.truncate(length); // nothing half-written may stand before the next line
      throw error;
    }
    length += line.length;
    remember(event);
    return true;
  }

  return {
    /**
     * One at a time: of two concurrent copies, one is new.
     * @param {Omit<Event, 'receivedAt'>} event
     * @returns whether it was new
     */
    add(event) {
      const added = turn.then(() => write({ receivedAt: new Date().toISOString(), ...event }));
      turn = added.then(
        () => {},
        () => {},
      );
      return added;
    },
    /** Newest first. */
    events: () => [...events.values()].reverse(),
    /** In the order of their first events. */
    orders: () => [...orders.values()],
    close: () => file.close(),
  };
}
