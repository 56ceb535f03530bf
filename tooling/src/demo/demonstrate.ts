import Table from 'cli-table3';
import type { Running } from '../supervisor.js';
import { type Actor, type Row, SCENES } from './scenes.js';
import { openStage } from './stage.js';

const ACTORS: readonly Actor[] = [
  { title: 'Alipay', channel: 'sim-alipay', prefix: 'A', refundsAreSigned: true },
  { title: 'WeChat Pay v3', channel: 'sim-wechat', prefix: 'W', refundsAreSigned: true },
  { title: 'WeChat Pay v2', channel: 'sim-wechat-v2', prefix: 'V', refundsAreSigned: false },
];

/**
 * Plays what happens to a shop, with real signed requests against the running gateway, and prints what
 * came in and what became of it. Order numbers are new in each run; the table judges this run alone.
 * @returns whether every row is as it must be
 */
export async function demonstrate(running: Running): Promise<boolean> {
  console.log('· playing the demonstration');
  const stage = openStage(running);
  try {
    const played = await Promise.all(
      ACTORS.map(async (actor) => {
        const rows: Row[] = [];
        for (const scene of SCENES) rows.push(await scene(stage, actor));
        return { actor, rows };
      }),
    );
    const wrong = played.flatMap(({ rows }) => rows).filter(({ asItMustBe }) => !asItMustBe);
    console.log(tableOf(played));
    const total = ACTORS.length * SCENES.length;
    console.log(
      wrong.length === 0
        ? `All ${total} rows are as they must be.`
        : `${wrong.length} of ${total} rows are NOT as they must be.`,
    );
    return wrong.length === 0;
  } finally {
    await stage.close();
  }
}

function tableOf(played: readonly { actor: Actor; rows: readonly Row[] }[]): string {
  const table = new Table({
    head: ['', 'came in', 'acknowledged', 'what became of it', ''],
    // No colours: the output is copied into files and reports.
    style: { head: [], border: [] },
    chars: { 'left-mid': '', mid: '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { actor, rows } of played) {
    for (const [index, row] of rows.entries()) {
      const title = index === 0 ? actor.title : '';
      const verdict = row.asItMustBe ? '✓' : '✗';
      table.push([title, row.cameIn, row.acknowledged, row.became, verdict]);
    }
  }
  return table.toString();
}
