import { demonstrate } from './demo/demonstrate.js';
import { AlreadyRunning } from './run-file.js';
import { type Running, supervise, type Workdir } from './supervisor.js';

const say = (line: string) => console.log(`· ${line}`);

/** `npm start`: starts everything, runs the demonstration once, then serves until stopped. */
export async function start(workdir: Workdir): Promise<number> {
  return run(workdir, async (running) => {
    await demonstrate(running);
    console.log(whereToLook(running));
    return new Promise<never>(() => {}); // until a signal ends it
  });
}

/** `npm run demo`: the same, and ends by itself; exits non-zero if a check fails. */
export async function demo(workdir: Workdir): Promise<number> {
  return run(workdir, async (running) => ((await demonstrate(running)) ? 0 : 1));
}

async function run(workdir: Workdir, use: (running: Running) => Promise<number>): Promise<number> {
  try {
    return await supervise(workdir, say, use);
  } catch (error) {
    console.error(error instanceof AlreadyRunning ? error.message : `✗ ${describe(error)}`);
    return 1;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function whereToLook({ apps, secrets }: Running): string {
  return [
    '',
    `  gateway    ${apps.gatewayUrl}/notify/{provider}/{channel}`,
    `  console    ${apps.consoleUrl}   user: operator   password: ${secrets.consolePassword}`,
    `  Bull Board ${apps.consoleUrl}/queues`,
    `  API        ${apps.consoleUrl}/v1/orders   Authorization: Bearer ${secrets.consoleApiKey}`,
    `  simulator  ${apps.simulatorUrl}`,
    `  consumer   ${apps.consumerUrl}   what the merchant's own system was told, newest first`,
    '',
    'Serving. Ctrl-C stops everything.',
  ].join('\n');
}
