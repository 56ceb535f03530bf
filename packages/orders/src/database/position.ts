/** Which copy of the data a database is, and how far its log has come. Texts, to be stored. */
export interface DatabasePosition {
  /** From `initdb`: every cluster has another one. */
  readonly system: string;
  /** Another one after a standby was promoted, or a backup was restored to a point in time. */
  readonly timeline: string;
  /** The OID of the table of orders: restored from a dump, it is another table. */
  readonly table: string;
  /** Bytes of the log that are on disk. */
  readonly wal: string;
}

/**
 * Why a database that was at `before` has lost transactions, or may have; null if it has not. Each
 * is reason enough to apply again what was acknowledged.
 */
export function rewoundBecause(before: DatabasePosition, now: DatabasePosition): string | null {
  if (now.system !== before.system) {
    return `another cluster: system identifier ${now.system}, before ${before.system}`;
  }
  if (now.timeline !== before.timeline) {
    return `another timeline: ${now.timeline}, before ${before.timeline}`;
  }
  if (now.table !== before.table) return 'the table of orders was created again';
  const missing = BigInt(before.wal) - BigInt(now.wal);
  return missing > 0n ? `its log ends ${missing} bytes before its former end` : null;
}
