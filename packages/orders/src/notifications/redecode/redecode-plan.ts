/** A preview of decoding held notifications again: does it and rolls it back. */

import { sha256Hex } from '@payonce/providers/crypto';
import type { Operator } from '../../database/audit.js';
import type { DatabaseDeps } from '../../database/deps.js';
import { preview } from '../../database/preview.js';
import { inTransaction } from '../../database/transaction.js';
import { claimsOf, tradeKey } from '../../orders/trade-claim.js';
import { connectedComponents, packGroups } from '../apply/connected-components.js';
import { needsOrder } from '../apply/decide.js';
import { sharedIdKey } from '../records/notification-identity.js';
import { type Candidate, findHeldMessages } from './held-messages.js';
import { candidatesOf, type DecodeStored } from './redecode.js';
import { type Redecoded, redecodeTogether } from './redecode-together.js';

export interface RedecodePlan {
  /** A hash of the results; equal plans have equal digests. */
  readonly digest: string;
  readonly items: readonly Redecoded[];
  /** More notifications are held, beyond the bound. */
  readonly more: boolean;
}

/** As in plans of held events: events of one order, trade or notification stay together. */
const BATCH = 25;

/**
 * Plans the oldest held notifications, at most `max`, of every release; nothing is changed.
 * @throws AppError `database_unavailable`: also when another transaction holds their locks for long
 */
export async function planRedecode(
  deps: DatabaseDeps,
  max: number,
  decode: DecodeStored,
): Promise<RedecodePlan> {
  const { batches, more } = await readBatches(deps, max, decode);
  const items: Redecoded[] = [];
  for (const batch of batches) items.push(...(await previewBatch(deps, batch)));
  items.sort((a, b) => Number(a.row.id - b.row.id));
  return { digest: digestOf(items, more), items, more };
}

export type Execution =
  /** The result would now differ from the plan: nothing was done. */
  | { readonly result: 'plan_changed' }
  | { readonly result: 'done'; readonly items: readonly ExecutedItem[] };

export interface ExecutedItem extends Redecoded {
  /** False when the result has changed since the plan was checked: the event stays as it is. */
  readonly done: boolean;
}

/**
 * Executes the plan and nothing else. Each batch has a separate transaction with its audit rows.
 * @param digest the plan's
 * @throws AppError `database_unavailable`
 */
export async function executeRedecode(
  deps: DatabaseDeps,
  max: number,
  decode: DecodeStored,
  { digest, ...operator }: Operator & { readonly digest: string },
): Promise<Execution> {
  const { batches, more } = await readBatches(deps, max, decode);
  const planned: (readonly Redecoded[])[] = [];
  for (const batch of batches) planned.push(await previewBatch(deps, batch));
  const all = planned.flat().sort((a, b) => Number(a.row.id - b.row.id));
  if (digestOf(all, more) !== digest) return { result: 'plan_changed' };
  const items: ExecutedItem[] = [];
  for (const [index, batch] of batches.entries()) {
    const asPlanned = planned[index] ?? [];
    const done = await doAsPlanned(deps, batch, asPlanned, operator);
    items.push(...asPlanned.map((one) => ({ ...one, done })));
  }
  return { result: 'done', items: items.sort((a, b) => Number(a.row.id - b.row.id)) };
}

async function readBatches(
  deps: DatabaseDeps,
  max: number,
  decode: DecodeStored,
): Promise<{ readonly batches: readonly (readonly Candidate[])[]; readonly more: boolean }> {
  const asked = { after: 0n, limit: max + 1, onlyFormer: false };
  const rows = await findHeldMessages(deps.prisma, asked);
  const candidates = await candidatesOf(deps, rows.slice(0, max), decode);
  const batches = packGroups(connectedComponents(candidates.map(keysOf)), BATCH).map((indices) =>
    indices.flatMap((index) => candidates[index] ?? []),
  );
  return { batches, more: rows.length > max };
}

function keysOf({ row, decoded }: Candidate): string[] {
  const orders = (decoded?.events ?? []).filter(needsOrder);
  return [
    `notification ${sharedIdKey(row)}`,
    ...orders.map(({ orderNumber }) => `order ${row.merchant} ${orderNumber}`),
    ...orders.flatMap(({ facts }) =>
      claimsOf(facts, { id: 0n, merchant: row.merchant }).map(
        (claim) => `trade ${tradeKey(claim)}`,
      ),
    ),
  ];
}

/** The result would differ from the plan: rolls the transaction back. */
class NotAsPlanned extends Error {}

/**
 * A lock of another transaction counts as `busy` after half a second: a plan can be requested
 * again.
 */
async function previewBatch(
  deps: DatabaseDeps,
  batch: readonly Candidate[],
): Promise<readonly Redecoded[]> {
  const nobody = { actor: 'nobody', reason: null };
  return preview(deps, (tx) => redecodeTogether(tx, deps.clock(), batch, nobody));
}

async function doAsPlanned(
  deps: DatabaseDeps,
  batch: readonly Candidate[],
  planned: readonly Redecoded[],
  operator: Operator,
): Promise<boolean> {
  try {
    await inTransaction(deps, async (tx) => {
      const items = await redecodeTogether(tx, deps.clock(), batch, operator);
      if (textOf(items) !== textOf(planned)) throw new NotAsPlanned();
    });
    return true;
  } catch (error) {
    if (error instanceof NotAsPlanned) return false;
    throw error;
  }
}

function digestOf(items: readonly Redecoded[], more: boolean): string {
  return sha256Hex(JSON.stringify([textOf(items), more]));
}

function textOf(items: readonly Redecoded[]): string {
  return JSON.stringify(
    items.map(({ row, result, events }) => [
      row.id.toString(),
      result,
      [...events]
        .sort((a, b) => a.position - b.position)
        .map(({ position, orderNumber, from, to }) => [position, orderNumber, from, to]),
    ]),
  );
}
