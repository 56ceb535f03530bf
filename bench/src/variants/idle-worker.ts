import { APPLIED, startOtherWorker } from './other-worker.js';

// Verifies and decodes, and applies nothing. The sizes are those of the real worker.
startOtherWorker(
  async (batch) =>
    batch.map(({ notificationId }) => ({
      status: 'fulfilled',
      value: { notificationId, ...APPLIED },
    })),
  { concurrency: 400, batchSize: 200, batchesInFlight: 3 },
);
