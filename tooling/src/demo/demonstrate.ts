import Table from 'cli-table3';
import type { Running } from '../supervisor.js';
import { ask, hasExpectedEvents, type Received, receivedEvents } from './merchant.js';
import { playScene, type Row, SCENES } from './scenes.js';
import { type Actor, openStage } from './stage.js';

const ACTORS: readonly Actor[] = [
  { title: 'Alipay', provider: 'alipay', channel: 'sim-alipay', prefix: 'A' },
  { title: 'WeChat Pay v3', provider: 'wechatpay', channel: 'sim-wechat', prefix: 'W' },
  { title: 'WeChat Pay v2', provider: 'wechatpay-v2', channel: 'sim-wechat-v2', prefix: 'V' },
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
    const { refused } = await ask(consumerUrl);
    const played = await Promise.all(
      ACTORS.map(async (actor) => {
        const rows: Row[] = [];
        for (const scene of SCENES) rows.push(await playScene(scene, stage, actor));
        return { actor, rows };
      }),
    );
    const rows = played.flatMap((one) => one.rows);
    const received = await receivedEvents(consumerUrl, rows);
    console.log(tableOf(played, received));
    const wrong = rows.filter((row) => !isRight(row, received));
    const unsigned = received.refused - refused;
    console.log(
      wrong.length === 0
        ? `All ${rows.length} rows are as they must be.`
        : `${wrong.length} of ${rows.length} rows are NOT as they must be.`,
    );
    console.log(
      `The merchant's own system received ${received.count} order events of them` +
        (unsigned === 0 ? ', each signed.' : `; ${unsigned} requests were NOT signed for it.`),
    );
    return wrong.length === 0 && unsigned === 0;
  } finally {
    await stage.close();
  }
}

/** In the database, and at the merchant's: each milestone once, in sequence. */
function isRight(row: Row, received: Received): boolean {
  return row.isExpected && hasExpectedEvents(row, received);
}

function tableOf(
  played: readonly { actor: Actor; rows: readonly Row[] }[],
  received: Received,
): string {
  const table = new Table({
    head: ['', 'came in', 'acknowledged', 'what became of it', 'merchant notified', ''],
    // No colours: the output is copied into files and reports.
    style: { head: [], border: [] },
    chars: { 'left-mid': '', mid: '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { actor, rows } of played) {
    for (const [index, row] of rows.entries()) {
      const title = index === 0 ? actor.title : '';
      const verdict = isRight(row, received) ? '✓' : '✗';
      const names = received.of(row);
      const heard = hasExpectedEvents(row, received)
        ? `${names.length} of ${names.length}`
        : names.join(', ');
      table.push([title, row.cameIn, row.acknowledged, row.became, heard, verdict]);
    }
  }
  return table.toString();
}
