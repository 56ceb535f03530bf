import { APPLIED, startOtherWorker } from './other-worker.js';

// It verifies and decodes, and applies nothing. Sizes as the real one has them.
startOtherWorker(
  async (batch) =>
    batch.map(({ notificationId }) => ({
      status: 'fulfilled',
      value: { notificationId, ...APPLIED },
    })),
  { concurrency: 400, batchSize: 200, batchesInFlight: 3 },
);
