import pg from 'pg';

/**
 * Limits that PostgreSQL itself enforces: on a wait for a lock, on a statement, and on a
 * transaction whose process does nothing. Prisma's own time-outs end none of these on the server. A
 * worker whose machine vanished must not keep its orders locked until TCP notices. They are set for
 * one transaction, never for the session. Behind a PgBouncer in transaction mode a session's
 * settings go to the next user of the connection.
 */
const BEGIN = `BEGIN;
  SET LOCAL lock_timeout = '2s';
  SET LOCAL statement_timeout = '10s';
  SET LOCAL idle_in_transaction_session_timeout = '30s'`;

/**
 * Prisma begins every transaction with exactly this text; its limits cost no additional round trip.
 */
class BoundedClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: pg's overloads; all but one text are passed on as they are.
  override query(query: any, ...others: any[]): any {
    const bounded = query?.text === 'BEGIN' ? { ...query, text: BEGIN } : query;
    return super.query(bounded, ...(others as [unknown[]]));
  }
}

/**
 * A pool with server-side limits for every statement. A statement that Prisma sends outside a
 * transaction gets a transaction for itself. That costs two round trips, so no path that has to be
 * fast sends such statements.
 */
export class BoundedPool extends pg.Pool {
  constructor(config: pg.PoolConfig) {
    super({ ...config, Client: BoundedClient } as pg.PoolConfig);
  }

  // biome-ignore lint/suspicious/noExplicitAny: pg's overloads, of which Prisma uses the one with a promise.
  override async query(statement: any): Promise<any> {
    const client = await this.connect();
    // A connection that dies also rejects the statement; without a listener it would end the
    // process.
    const ignore = () => undefined;
    client.on('error', ignore);
    let broken: Error | boolean = false;
    try {
      await client.query({ text: 'BEGIN' });
      const result = await client.query(statement);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((reason: Error) => {
        broken = reason;
      });
      throw error;
    } finally {
      client.removeListener('error', ignore);
      client.release(broken);
    }
  }
}
