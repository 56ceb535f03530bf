import { PrismaPg } from '@prisma/adapter-pg';
import {
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';

/**
 * @prisma/adapter-pg for the schema engine, with fixes for two faults of 7.10:
 * - It cuts a script at every `;` and sends the pieces over different connections. So a migration
 *   that fails in the middle stays half done. PostgreSQL takes a whole script as one transaction.
 * - It cannot read the catalogues' type "char" (as prisma/orm#27403), which comparing needs.
 */
export function engineAdapter(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const charColumns = readCharAsText(pool);
  const factory = new PrismaPg(pool);
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    async connect() {
      const adapter = await factory.connect();
      const queryRaw = adapter.queryRaw.bind(adapter);
      adapter.queryRaw = async (query) => {
        const result = await queryRaw(query);
        for (const column of charColumns.get(result.rows) ?? []) {
          result.columnTypes[column] = ColumnTypeEnum.Character;
        }
        return result;
      };
      adapter.executeScript = async (script) => {
        await pool.query(script).catch(rethrowForEngine);
      };
      return adapter;
    },
    connectToShadowDb() {
      // It would connect to the database itself: a URL outranks the name that the adapter sets.
      throw new Error('payonce uses no shadow database');
    },
  };
}

/** PostgreSQL's type numbers. */
const CHAR = 18;
const TEXT = 25;

/** Declares "char" columns as text, and remembers per result which ones they were. */
function readCharAsText(pool: pg.Pool): WeakMap<object, number[]> {
  const charColumns = new WeakMap<object, number[]>();
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<pg.QueryResult>;
  const readable = async (...args: unknown[]) => {
    const result = await query(...args);
    const columns = [...(result.fields ?? []).entries()].flatMap(([column, field]) => {
      if (field.dataTypeID !== CHAR) return [];
      field.dataTypeID = TEXT;
      return [column];
    });
    if (columns.length > 0) charColumns.set(result.rows, columns);
    return result;
  };
  pool.query = readable as typeof pool.query;
  return charColumns;
}

/** The engine only shows the text of its error type. */
function rethrowForEngine(error: unknown): never {
  if (!(error instanceof pg.DatabaseError)) throw error;
  const { message, detail, column, hint } = error;
  const code = error.code ?? 'N/A';
  const severity = error.severity ?? 'N/A';
  throw new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
}
