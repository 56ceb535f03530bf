import { gatewayState } from '@payonce/core/queue/report';
import type { PrismaClient } from '@payonce/prisma/client';

/** When a channel's key expires (ISO 8601); null when it does not, or no gateway reports it. */
export type KeyExpiry = (channel: string, key: string) => string | null;

/** A gateway that was silent for longer may have other keys by now. */
const RECENT_MS = 5 * 60_000;
/** All have the same file; the latest ones are enough. */
const MOST_GATEWAYS = 10;

/** Gateways read the certificates and report their expiry; the console does not need to. */
export async function readKeyExpiry(prisma: PrismaClient, now: Date): Promise<KeyExpiry> {
  const gateways = await prisma.gateway.findMany({
    where: { seenAt: { gt: new Date(now.getTime() - RECENT_MS) } },
    select: { state: true },
    orderBy: { seenAt: 'desc' },
    take: MOST_GATEWAYS,
  });
  const expiry = new Map<string, string | null>();
  for (const { state } of gateways) {
    for (const { channel, keys } of gatewayState.safeParse(state).data?.channels ?? []) {
      for (const { name, expiresAt } of keys) {
        const id = JSON.stringify([channel, name]);
        if (!expiry.has(id)) expiry.set(id, expiresAt);
      }
    }
  }
  return (channel, key) => expiry.get(JSON.stringify([channel, key])) ?? null;
}
