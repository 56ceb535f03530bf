import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { HOLDER } from './lock-watch.js';

/** Migrators of the previous release wait for this lock: `payo` in ASCII. */
const FORMER_LOCK = 0x7061796f;
/** The lock of Prisma's engines. */
const PRISMA_LOCK = 72707369;

/**
 * Migrators of one database take turns; the session's end passes the turn on. It polls: a waiting
 * statement would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
 */
export async function takeTurn(client: ClientBase, log: (line: string) => void): Promise<void> {
  for (const key of [FORMER_LOCK, PRISMA_LOCK]) {
    let said = '';
    while (!(await tryLock(client, key))) {
      const holder = await holderOf(client, key);
      if (holder !== said && holder !== '') log(`waits for another migrator: ${holder}`);
      said = holder;
      await sleep(200);
    }
  }
}

async function tryLock(client: ClientBase, key: number): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS taken', [key]);
  return rows[0].taken;
}

async function holderOf(client: ClientBase, key: number): Promise<string> {
  const { rows } = await client.query<{ holder: string }>(
    `SELECT ${HOLDER} AS holder
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [key],
  );
  return rows[0]?.holder ?? '';
}
