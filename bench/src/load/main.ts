import { readRequests } from '../requests.js';
import { closedLoop, openLoop } from './loops.js';
import { prepare } from './sender.js';
import type { LoadSpec } from './spec.js';

// A separate process, so that the cost of sending is not part of the measured process.
const spec = JSON.parse(process.argv[2] ?? '') as LoadSpec;
const requests = readRequests(spec.file).map(prepare);
const run = spec.ratePerSecond === null ? closedLoop : openLoop;
console.log(JSON.stringify(await run(spec, requests)));
