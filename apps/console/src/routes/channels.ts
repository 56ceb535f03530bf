import { readFile } from 'node:fs/promises';
import { type ChannelSummary, summariseChannelFile } from '@payonce/core/config/channel-summary';
import { ConfigError } from '@payonce/core/runtime/errors';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import { channelView, viewOfChannel } from '../api/channel-views.js';
import { type Problem, problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { readKeyExpiry } from '../reads/key-expiry.js';

const notConfigured = problem(
  503,
  'not_configured',
  'PAYONCE_CHANNELS_FILE is not set for the console, so it does not know the channels.',
);

export interface ChannelDeps extends DatabaseDeps {
  /** The gateways' file; read for each request, so that the page shows its present content. */
  readonly channelsFile: string | null;
}

/**
 * The credentials at the providers, by name. The console cannot read them: it has the file and no
 * secret.
 */
export async function channelRoutes(
  api: TypedApp,
  { prisma, clock, channelsFile }: ChannelDeps,
): Promise<void> {
  api.get(
    '/channels',
    {
      config: { access: 'read', merchants: 'all' },
      schema: {
        operationId: 'listChannels',
        summary: 'List the channels of the channel file, without secrets',
        tags: ['channels'],
        response: { 200: z.object({ channels: z.array(channelView) }), 503: problemSchema },
      },
    },
    async (_request, reply) => {
      if (channelsFile === null) return sendProblem(reply, notConfigured);
      const summaries = await summarise(channelsFile);
      if (!Array.isArray(summaries)) return sendProblem(reply, summaries);
      const expiresAt = await readKeyExpiry(prisma, clock());
      return { channels: summaries.map((summary) => viewOfChannel(summary, expiresAt)) };
    },
  );
}

async function summarise(file: string): Promise<ChannelSummary[] | Problem> {
  try {
    return summariseChannelFile(await readFile(file, 'utf8'));
  } catch (error) {
    const faults = error instanceof ConfigError ? error.faults.join('; ') : 'it cannot be read';
    return problem(503, 'channel_file_unusable', `The channel file: ${faults}.`);
  }
}
