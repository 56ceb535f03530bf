/** `node apps/worker/dist/redecode.js --help` */
import { redecodeCommand } from './redecode-command.js';

process.exitCode = await redecodeCommand(process.argv.slice(2), process.env, console.log);
