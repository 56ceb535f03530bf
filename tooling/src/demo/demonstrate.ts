import Table from 'cli-table3';
import type { Running } from '../supervisor.js';
import { isToldRight, type Told, take, toldOf } from './merchant.js';
import type { Row } from './rows.js';
import { type Actor, SCENES } from './scenes.js';
import { openStage } from './stage.js';

const ACTORS: readonly Actor[] = [
  { title: 'Alipay', channel: 'sim-alipay', prefix: 'A', refundsAreSigned: true },
  { title: 'WeChat Pay v3', channel: 'sim-wechat', prefix: 'W', refundsAreSigned: true },
  { title: 'WeChat Pay v2', channel: 'sim-wechat-v2', prefix: 'V', refundsAreSigned: false },
];

/**
 * Plays a shop's traffic, with real signed requests against the running gateway, and prints the
 * messages and their results. Order numbers are new in each run; the table judges this run alone.
 * @returns whether every check passes
 */
export async function demonstrate(running: Running): Promise<boolean> {
  const { consumerUrl } = running.apps;
  console.log('· playing the demonstration');
  const stage = openStage(running);
  try {
    const { refused } = await take(consumerUrl);
    const played = await Promise.all(
      ACTORS.map(async (actor) => {
        const rows: Row[] = [];
        for (const scene of SCENES) rows.push(await scene(stage, actor));
        return { actor, rows };
      }),
    );
    const rows = played.flatMap((one) => one.rows);
    const told = await toldOf(consumerUrl, rows);
    console.log(tableOf(played, told));
    const wrong = rows.filter((row) => !isRight(row, told));
    const unsigned = told.refused - refused;
    console.log(
      wrong.length === 0
        ? `All ${rows.length} rows are as they must be.`
        : `${wrong.length} of ${rows.length} rows are NOT as they must be.`,
    );
    console.log(
      `The merchant's own system took ${told.count} order events of them` +
        (unsigned === 0 ? ', each signed.' : `; ${unsigned} requests were NOT signed for it.`),
    );
    return wrong.length === 0 && unsigned === 0;
  } finally {
    await stage.close();
  }
}

/** In the database, and at the merchant's: each milestone once, in sequence. */
function isRight(row: Row, told: Told): boolean {
  return row.asItMustBe && isToldRight(row, told);
}

function tableOf(played: readonly { actor: Actor; rows: readonly Row[] }[], told: Told): string {
  const table = new Table({
    head: ['', 'came in', 'acknowledged', 'what became of it', 'merchant told', ''],
    // No colours: the output is copied into files and reports.
    style: { head: [], border: [] },
    chars: { 'left-mid': '', mid: '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { actor, rows } of played) {
    for (const [index, row] of rows.entries()) {
      const title = index === 0 ? actor.title : '';
      const verdict = isRight(row, told) ? '✓' : '✗';
      const names = told.of(row);
      const heard = isToldRight(row, told)
        ? `${names.length} of ${names.length}`
        : names.join(', ');
      table.push([title, row.cameIn, row.acknowledged, row.became, heard, verdict]);
    }
  }
  return table.toString();
}
