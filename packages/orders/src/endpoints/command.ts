import { maskUrl } from '@payonce/core/config/env';
import { type AuditAction, type Operator, writeAudit } from '../database/audit.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx } from '../database/transaction.js';
import { lockEndpointsForChange } from './lock.js';
import { type Endpoint, lockEndpoint } from './rows.js';

export interface EndpointCommand extends Operator {
  readonly endpoint: bigint;
}

export type UnknownEndpoint = { readonly result: 'unknown_endpoint' };
/** The channel file defines it: change it there. */
export type ManagedByFile = { readonly result: 'managed_by_file' };
/** `again`: it was so already; nothing was changed, and no audit row was written. */
export type Done = {
  readonly result: 'done';
  readonly endpoint: Endpoint;
  readonly again: boolean;
};

/**
 * Runs `work` with the endpoint locked. A transaction that records a result, claims a delivery or
 * creates one either waits for this one or has committed before it.
 */
export function withEndpoint<Outcome>(
  deps: DatabaseDeps,
  { endpoint: id }: EndpointCommand,
  work: (tx: Tx, now: Date, endpoint: Endpoint) => Promise<Outcome>,
): Promise<Outcome | UnknownEndpoint> {
  return inTransaction(deps, async (tx) => {
    await lockEndpointsForChange(tx);
    const endpoint = await lockEndpoint(tx, id);
    return endpoint === null ? { result: 'unknown_endpoint' } : work(tx, deps.clock(), endpoint);
  });
}

export function auditEndpoint(
  tx: Tx,
  now: Date,
  operator: Operator,
  action: AuditAction,
  { id, merchant, name }: Endpoint,
  detail: Readonly<Record<string, unknown>>,
): Promise<bigint> {
  const entry = { action, endpointId: id, detail: { merchant, name, ...detail } };
  return writeAudit(tx, now, operator, entry);
}

/** Without the query, which may hold a password. */
export function target({ url, eventTypes }: Endpoint): Record<string, unknown> {
  return { url: maskUrl(url), eventTypes };
}
