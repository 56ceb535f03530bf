import { eventually } from './eventually.js';
import { command, type OwnRedis, startOwnRedis, startOwnSentinel } from './redis-server.js';

/** A master, a replica and three Sentinels of a test's own. */
export interface OwnSentinels {
  readonly servers: readonly OwnRedis[];
  readonly sentinels: readonly OwnRedis[];
  /** The server that the Sentinels call the master. */
  master(): Promise<OwnRedis>;
  remove(): Promise<void>;
}

export const MASTER_NAME = 'mymaster';
/** A majority of three. */
const QUORUM = 2;

export async function startOwnSentinels(): Promise<OwnSentinels> {
  const servers: OwnRedis[] = [];
  const sentinels: OwnRedis[] = [];
  const remove = async () => {
    await Promise.all([...sentinels, ...servers].map((one) => one.remove()));
  };
  try {
    const first = await startOwnRedis();
    servers.push(first);
    servers.push(await startOwnRedis({ replicaof: `127.0.0.1 ${first.port}` }));
    for (let count = 0; count < 3; count += 1) {
      sentinels.push(
        await startOwnSentinel({
          'sentinel monitor': `${MASTER_NAME} 127.0.0.1 ${first.port} ${QUORUM}`,
          // The defaults, 30 s and 3 min, are long for a test.
          'sentinel down-after-milliseconds': `${MASTER_NAME} 1500`,
          'sentinel failover-timeout': `${MASTER_NAME} 5000`,
        }),
      );
    }
    await eventually(() => Promise.all(sentinels.map(knowsAll)));
    return { servers, sentinels, remove, master: () => masterOf(sentinels, servers) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The others, and the replica that it could promote. @throws while it does not */
async function knowsAll({ port }: OwnRedis): Promise<void> {
  const told = await command(port, `SENTINEL MASTER ${MASTER_NAME}`);
  const field = (name: string) => new RegExp(`${name}\\r\\n\\$\\d+\\r\\n(\\d+)`).exec(told)?.[1];
  if (field('num-other-sentinels') !== '2' || field('num-slaves') !== '1') {
    throw new Error('it does not know all yet');
  }
}

async function masterOf(
  sentinels: readonly OwnRedis[],
  servers: readonly OwnRedis[],
): Promise<OwnRedis> {
  const [sentinel] = sentinels;
  const told = sentinel
    ? await command(sentinel.port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${MASTER_NAME}`)
    : '';
  const master = servers.find(({ port }) => told.includes(`\r\n${port}\r\n`));
  if (!master) throw new Error(`no server is the master: ${told}`);
  return master;
}
