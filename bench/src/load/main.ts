import { readRequests } from '../requests.js';
import { closedLoop, openLoop } from './loops.js';
import { prepare } from './sender.js';
import type { LoadSpec } from './spec.js';

// A process of its own: what it costs to send is not the measured process's to pay.
const spec = JSON.parse(process.argv[2] ?? '') as LoadSpec;
const requests = readRequests(spec.file).map(prepare);
const run = spec.ratePerSecond === null ? closedLoop : openLoop;
console.log(JSON.stringify(await run(spec, requests)));
