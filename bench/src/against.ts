import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { endedAtStart, ownProgram } from '@payonce/testkit/machine/process';
import { UsageError } from '@payonce/tooling/command';
import { dropReports } from './backlog.js';
import type { Side } from './cases/case.js';
import {
  type BuildMeasurement,
  buildMeasurementAsJson,
  buildMeasurementsAsTable,
} from './measurement.js';
import type { BenchOptions } from './options.js';
import { openPrograms, type ProgramsOptions } from './programs.js';
import { writeRequests } from './requests.js';
import { alternate } from './rounds.js';
import type { Stage } from './stage.js';
import type { DatabaseUrls, Target } from './stores.js';

const MIGRATE = 'prisma/dist/main.js';
const PROGRAMS = ['apps/gateway/dist/main.js', 'apps/worker/dist/main.js', MIGRATE];
/** All are sent; the measurement does not wait for the rest of this time. */
const FILL_LIMIT_MS = 120_000;

export interface Builds {
  readonly ours: Stage;
  readonly theirs: Stage;
}

/** @throws UsageError when the folder has no built checkout */
export function checkBuild(dir: string): void {
  const missing = PROGRAMS.find((program) => !existsSync(join(dir, program)));
  if (missing === undefined) return;
  throw new UsageError(
    `${dir} is no built checkout: it has no ${missing}; "npm run bench -- --help", run there, builds it`,
  );
}

/**
 * The other build has separate programs and a separate schema; stores, load and requests are the
 * same.
 */
export async function openBuilds(
  stage: Stage,
  programs: ProgramsOptions,
  dir: string,
): Promise<Builds> {
  stage.say(`the other build: ${dir}`);
  const stores = await stage.stores.migratedBy((urls) => migrateWith(dir, urls, programs));
  const theirs = { ...stage, stores, programs: openPrograms({ ...programs, root: dir }) };
  return { ours: filledByGateway(stage), theirs: filledByGateway(theirs) };
}

export async function measureBuilds(
  { ours, theirs }: Builds,
  { cases, json }: Pick<BenchOptions, 'cases' | 'json'>,
): Promise<void> {
  const all: BuildMeasurement[] = [];
  for (const { name, side } of cases) {
    if (side === undefined) continue;
    ours.say(`${name}: this build in turns with the other`);
    const measurements = await inTurns([await side(ours), await side(theirs)], ours);
    all.push(...measurements);
    // Printed at once: an interrupted run keeps its results.
    if (json)
      for (const measurement of measurements) console.log(buildMeasurementAsJson(measurement));
  }
  if (!json) console.log(buildMeasurementsAsTable(all));
}

async function inTurns(
  sides: readonly [Side, Side],
  { scale, say }: Stage,
): Promise<readonly BuildMeasurement[]> {
  try {
    return await alternate(sides[0], sides[1], scale.rounds, say);
  } finally {
    for (const side of sides) await side.end();
  }
}

async function migrateWith(
  dir: string,
  { databaseUrl, queueDatabaseUrl }: DatabaseUrls,
  { logs, onSpawn }: ProgramsOptions,
): Promise<void> {
  const log = join(logs, 'migrate.log');
  const owned = ownProgram({
    name: 'migrate',
    main: join(dir, MIGRATE),
    cwd: dir,
    env: { DATABASE_URL: databaseUrl, PAYONCE_QUEUE_DATABASE_URL: queueDatabaseUrl },
    output: { appendTo: log },
    onSpawn,
  });
  const { code } = await owned.exited;
  if (code !== 0) throw endedAtStart('the migration of the other build', log);
}

/** A job has the form of its build, so each build's gateway queues it. */
function filledByGateway(stage: Stage): Stage {
  const { programs, requests, folder } = stage;
  async function fill(target: Target, from: number, count: number): Promise<void> {
    const file = join(folder, `from-${from}-${count}.jsonl`);
    if (!existsSync(file)) writeRequests(file, requests().slice(from, from + count));
    const gateway = await programs.gateway(target, 'redis');
    const { origin } = gateway;
    const sent = await programs.load({ origin, file, warmMs: 0, measureMs: FILL_LIMIT_MS });
    await gateway.stop();
    await dropReports(target);
    if (sent.acknowledged < count) throw new Error(`${sent.acknowledged} of ${count} were queued`);
  }
  return { ...stage, fill };
}
