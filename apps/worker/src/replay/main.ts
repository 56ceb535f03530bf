/** `node apps/worker/dist/replay/main.js --help` */
import { replayCommand } from './command.js';

process.exitCode = await replayCommand(process.argv.slice(2), process.env, console.log);
