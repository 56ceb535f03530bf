/** `node apps/worker/dist/redecode/main.js --help` */
import { redecodeCommand } from './command.js';

process.exitCode = await redecodeCommand(process.argv.slice(2), process.env, console.log);
