import type { Fact, ReleasedFact } from '@payonce/providers/fact';
import type { Rail } from '@payonce/providers/rail';

/** A payment at a rail. */
export interface TradeName {
  readonly rail: Rail;
  readonly trade: string;
}

/** The release of this trade that was not revoked; null when the trade counts. Pure. */
export function releaseOf(facts: readonly Fact[], name: TradeName): ReleasedFact | null {
  return releasesOf(facts).find((release) => isOf(release, name)) ?? null;
}

/** The facts without those about released trades. Pure. */
export function withoutReleased(facts: readonly Fact[]): readonly Fact[] {
  const releases = releasesOf(facts);
  if (releases.length === 0) return facts;
  return facts.filter((fact) => !releases.some((release) => isAbout(fact, release)));
}

/**
 * How often an order can have reached its milestones: once, and once more for each release,
 * including revoked ones. Pure.
 */
export function roundOf(facts: Iterable<Fact>): number {
  let round = 1;
  for (const { kind } of facts) if (kind === 'released') round += 1;
  return round;
}

function releasesOf(facts: readonly Fact[]): ReleasedFact[] {
  const released = facts.filter((fact) => fact.kind === 'released');
  if (released.length === 0) return released;
  const reinstated = facts.filter((fact) => fact.kind === 'reinstated');
  return released.filter(
    (release) =>
      !reinstated.some((one) => one.releaseAuditId === release.auditId && isOf(one, release)),
  );
}

function isAbout(fact: Fact, release: ReleasedFact): boolean {
  if (fact.kind === 'released' || fact.kind === 'reinstated' || fact.trade === null) return false;
  const rail = fact.kind === 'closed' ? fact.by : fact.rail;
  return rail !== 'merchant' && isOf(release, { rail, trade: fact.trade });
}

function isOf(release: TradeName, { rail, trade }: TradeName): boolean {
  return release.rail === rail && release.trade === trade;
}
