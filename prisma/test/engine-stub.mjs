#!/usr/bin/env node
// Stands in for Prisma's native schema engine, which is a download. It answers every request with
// ENGINE_STUB_ANSWER and writes the request to the file ENGINE_STUB_REQUEST.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const { ENGINE_STUB_ANSWER = '', ENGINE_STUB_REQUEST = '' } = process.env;

// `cli can-connect-to-database` reads only the exit code.
if (!process.argv.includes('cli')) {
  createInterface({ input: process.stdin }).on('line', (line) => {
    writeFileSync(ENGINE_STUB_REQUEST, line);
    const result = JSON.parse(ENGINE_STUB_ANSWER);
    console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, result }));
  });
}
