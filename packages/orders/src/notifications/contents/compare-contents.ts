/** Contents under one notification ID: which of them are equal, and what follows for each event. */

import type { PaymentEvent } from '@payonce/providers/event';
import { eventToJson } from '../records/event-json.js';
import type { EventOutcome } from '../records/notification.js';

/**
 * What the other contents under its notification ID mean for an event.
 * - `none`: it is resolved like any other event
 * - `duplicate`: an equal content was applied, so it changes nothing
 * - `id_conflict`: the first content differs, so a person has to decide
 */
export type ContentEffect = 'none' | 'duplicate' | 'id_conflict';

/** One content under a notification ID. */
export interface Content {
  /** The first one that was stored under the ID; the others are compared with it. */
  readonly isFirst: boolean;
  /** By the rule `text`; null where only the former digest is known. */
  readonly digest: string | null;
  /** All of the message, in its own order. */
  readonly events: readonly ContentEvent[];
}

export interface ContentEvent {
  readonly event: PaymentEvent;
  /** Null while undecided: of a new content, or of one that is decoded again. */
  readonly outcome: EventOutcome['outcome'] | null;
}

/** What the other contents under its ID mean for each event of a content. Pure. */
export function contentEffects(own: Content, others: readonly Content[]): ContentEffect[] {
  const equal = others.filter((other) => areEqual(own, other));
  const joinsFirst = own.isFirst || equal.some(({ isFirst }) => isFirst);
  return own.events.map(({ event }, position) => {
    const outcomes = equal.map(({ events }) => events[position]?.outcome);
    if (outcomes.some((one) => one === 'applied' || one === 'duplicate')) return 'duplicate';
    // An operator rejected it: only a person can overrule that.
    const isRejected = event.kind === 'order' && outcomes.includes('ignored');
    return joinsFirst && !isRejected ? 'none' : 'id_conflict';
  });
}

/** Equal by digest; else by their decoded events, if these state a fact. */
export function areEqual(one: Content, other: Content): boolean {
  if (one.digest !== null && one.digest === other.digest) return true;
  const text = textOf(one);
  return text !== null && text === textOf(other);
}

/**
 * One text for equal events, in whatever order an event's facts are. Null when they state no fact.
 */
function textOf({ events }: Content): string | null {
  const facts = events.flatMap(({ event }) => (event.kind === 'order' ? event.facts : []));
  return facts.length === 0 ? null : JSON.stringify(events.map(({ event }) => eventText(event)));
}

function eventText(event: PaymentEvent): string {
  const plain = JSON.parse(eventToJson(event)) as Readonly<Record<string, unknown>>;
  const { facts } = plain;
  if (!Array.isArray(facts)) return inOrder(plain);
  return inOrder({ ...plain, facts: facts.map(inOrder).sort() });
}

/** Sorts the names: releases may write them in different orders. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
