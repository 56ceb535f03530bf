/** An operator switches an endpoint off and on, or removes it. */
import type { DatabaseDeps } from '../database/deps.js';
import {
  auditEndpoint,
  type Done,
  type EndpointCommand,
  type ManagedByFile,
  target,
  type UnknownEndpoint,
  withEndpoint,
} from './endpoint-command.js';
import { setDeleted, setDisabled, setEnabled } from './endpoint-rows.js';

export type SwitchEndpointOutcome = Done | UnknownEndpoint | ManagedByFile;

/**
 * What failed before counts no more. What was parked meanwhile stays so: see `redeliverParked`.
 * @throws AppError `database_unavailable`
 */
export async function enableEndpoint(
  deps: DatabaseDeps,
  command: EndpointCommand,
): Promise<SwitchEndpointOutcome> {
  return withEndpoint(deps, command, async (tx, now, before) => {
    // The next look at the file would disable it again.
    if (before.disabledReason === 'not_in_file') return { result: 'managed_by_file' };
    if (before.disabledAt === null) return { result: 'done', endpoint: before, again: true };
    const endpoint = await setEnabled(tx, now, before.id);
    const detail = { disabledReason: before.disabledReason };
    await auditEndpoint(tx, now, command, 'endpoint.enable', endpoint, detail);
    return { result: 'done', endpoint, again: false };
  });
}

/** Nothing is sent any more; what waits, and what comes, is parked. @throws AppError `database_unavailable` */
export async function disableEndpoint(
  deps: DatabaseDeps,
  command: EndpointCommand,
): Promise<SwitchEndpointOutcome> {
  return withEndpoint(deps, command, async (tx, now, before) => {
    if (before.disabledAt !== null) return { result: 'done', endpoint: before, again: true };
    const endpoint = await setDisabled(tx, now, before.id, 'operator');
    await auditEndpoint(tx, now, command, 'endpoint.disable', endpoint, {});
    return { result: 'done', endpoint, again: false };
  });
}

/** Its history stays; its secrets are forgotten, its name is free. @throws AppError `database_unavailable` */
export async function deleteEndpoint(
  deps: DatabaseDeps,
  command: EndpointCommand,
): Promise<SwitchEndpointOutcome> {
  return withEndpoint(deps, command, async (tx, now, before) => {
    if (before.source === 'file') return { result: 'managed_by_file' };
    const endpoint = await setDeleted(tx, now, before.id);
    await auditEndpoint(tx, now, command, 'endpoint.delete', endpoint, target(before));
    return { result: 'done', endpoint, again: false };
  });
}
