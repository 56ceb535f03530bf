/** `node apps/worker/dist/reseal/main.js --help` */
import { resealCommand } from './command.js';

process.exitCode = await resealCommand(process.argv.slice(2), process.env, console.log);
