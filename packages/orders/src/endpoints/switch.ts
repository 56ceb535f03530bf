/** An operator disables, enables or deletes an endpoint. */
import type { DatabaseDeps } from '../database/deps.js';
import {
  auditEndpoint,
  type Done,
  type EndpointCommand,
  type ManagedByFile,
  target,
  type UnknownEndpoint,
  withEndpoint,
} from './command.js';
import { setDeleted, setDisabled, setEnabled } from './rows.js';

export type SwitchEndpointOutcome = Done | UnknownEndpoint | ManagedByFile;

/**
 * Clears earlier failures. Deliveries parked meanwhile stay parked: see `redeliverParked`.
 * @throws AppError `database_unavailable`
 */
export async function enableEndpoint(
  deps: DatabaseDeps,
  command: EndpointCommand,
): Promise<SwitchEndpointOutcome> {
  return withEndpoint(deps, command, async (tx, now, before) => {
    // The next reload of the file would disable it again.
    if (before.disabledReason === 'not_in_file') return { result: 'managed_by_file' };
    if (before.disabledAt === null) return { result: 'done', endpoint: before, again: true };
    const endpoint = await setEnabled(tx, now, before.id);
    const detail = { disabledReason: before.disabledReason };
    await auditEndpoint(tx, now, command, 'endpoint.enable', endpoint, detail);
    return { result: 'done', endpoint, again: false };
  });
}

/** Stops sending; waiting and new deliveries are parked. @throws AppError `database_unavailable` */
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

/**
 * Keeps its history, erases its secrets and frees its name. @throws AppError `database_unavailable`
 */
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
