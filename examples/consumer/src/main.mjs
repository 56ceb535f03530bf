// WEBHOOK_SECRET=whsec_… node src/main.mjs
import { buildApp } from './app.mjs';
import { openStore } from './store.mjs';

const { WEBHOOK_SECRET, HOST = '127.0.0.1', PORT = '8606', EVENTS_FILE } = process.env;
if (!WEBHOOK_SECRET) {
  console.error(
    'WEBHOOK_SECRET is missing: the whsec_… that payonce signs for this endpoint with.',
  );
  process.exit(1);
}

const store = await openStore(EVENTS_FILE ?? 'events.jsonl');
const app = buildApp({ secret: WEBHOOK_SECRET, store });
console.log(`listening on ${await app.listen({ host: HOST, port: Number(PORT) })}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.close(); // requests in hand are answered first
    await store.close();
  });
}
