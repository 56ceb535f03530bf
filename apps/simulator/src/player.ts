import type { SimulatedChannels } from '@payonce/testkit/channels/channels';
import { refusalOf } from '@payonce/testkit/sending/acknowledgement';
import { RETRY_SCHEDULES } from '@payonce/testkit/sending/retry-schedules';
import { createSender, type SendOutcome } from '@payonce/testkit/sending/sender';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import type { Message, SendInput } from './messages.js';
import { compress, retryUntilAccepted } from './retries.js';
import { compose, type Scenario } from './scenarios.js';
import type { Sending, Sendings } from './sendings.js';

/** Notifications that are sent again after the response; each holds some KiB for up to a day. */
const MAX_RETRYING = 1_000;
/** The stored part of a reply's body. */
const KEPT_BODY_BYTES = 1_024;

export type Played =
  | {
      readonly outcome: 'played';
      readonly notificationId: string | null;
      readonly sendings: readonly Sending[];
      readonly accepted: number;
      readonly refused: number;
      /** True while it is still sent again: see `GET /sendings`. */
      readonly retrying: boolean;
    }
  | { readonly outcome: 'impossible'; readonly why: string }
  | { readonly outcome: 'too_busy' };

export interface Player {
  play(input: SendInput): Promise<Played>;
  /** Abandons every retry and the messages in flight; resolves when all have ended. */
  stop(): Promise<void>;
}

export interface PlayerOptions {
  readonly gatewayUrl: string;
  readonly channels: SimulatedChannels;
  readonly sendings: Sendings;
  readonly timeCompression: number;
  readonly deadlineMs?: number;
}

/** Sends like the provider: all copies at once, then by its schedule until one is accepted. */
export function createPlayer(options: PlayerOptions): Player {
  const stopping = new AbortController();
  const { deadlineMs: limitMs } = options;
  const sender = createSender(limitMs === undefined ? {} : { limitMs });
  const retrying = new Set<Promise<Sending[]>>();

  async function post(input: SendInput, play: Scenario, step: Step): Promise<Sending> {
    const url = `${options.gatewayUrl}/notify/${play.provider}/${input.channel}`;
    const at = new Date();
    const outcome = await sender.send(url, step.request);
    const sending = { id: options.sendings.nextId(), ...describe(input, play, step, at, outcome) };
    options.sendings.add(sending);
    return sending;
  }

  function startRetries(input: SendInput, play: Scenario): Promise<Sending[]> {
    const waits = compress(RETRY_SCHEDULES[play.provider], options.timeCompression);
    const again = (attempt: number) =>
      post(input, play, { request: play.again(), attempt, copy: 1 });
    const retries = retryUntilAccepted(waits, again, stopping.signal);
    retrying.add(retries);
    void retries.finally(() => retrying.delete(retries));
    return retries;
  }

  return {
    async play(input) {
      const play = compose(options.channels, input);
      if (play === null) return { outcome: 'impossible', why: whyImpossible(input) };
      if (input.retry && retrying.size >= MAX_RETRYING) return { outcome: 'too_busy' };
      const requests = copiesOf(play, input);
      const first = await Promise.all(
        requests.map((request, index) =>
          post(input, play, { request, attempt: 1, copy: index + 1 }),
        ),
      );
      const mustRetry = input.retry && !first.some(({ accepted }) => accepted);
      const retries = mustRetry ? startRetries(input, play) : null;
      const later = retries !== null && input.wait ? await retries : [];
      return summary(play, [...first, ...later], retries !== null && !input.wait);
    },
    async stop() {
      stopping.abort();
      sender.close();
      await Promise.allSettled(retrying);
    },
  };
}

interface Step {
  readonly request: SignedRequest;
  readonly attempt: number;
  readonly copy: number;
}

/** Signs all before the first is sent, so that they are sent together. */
function copiesOf(play: Scenario, { copies, identical }: SendInput): SignedRequest[] {
  return Array.from({ length: copies }, (_, index) =>
    index === 0 || identical ? play.first : play.again(),
  );
}

function describe(
  input: SendInput,
  play: Scenario,
  { attempt, copy }: Step,
  at: Date,
  outcome: SendOutcome,
): Omit<Sending, 'id'> {
  const what = {
    at: at.toISOString(),
    channel: input.channel,
    provider: play.provider,
    kind: input.message.kind,
    orderNumber: orderNumberOf(input.message),
    notificationId: play.notificationId,
    attempt,
    copy,
    forged: input.forge ?? null,
    latencyMs: outcome.latencyMs,
  };
  if (outcome.outcome !== 'replied') {
    const nothing = { status: null, body: null, accepted: false };
    return { ...what, ...nothing, reason: outcome.outcome, detail: outcome.detail };
  }
  const { status, body } = outcome.reply;
  const reason = refusalOf(play.provider, outcome.reply);
  const text = body.subarray(0, KEPT_BODY_BYTES).toString('utf8');
  return { ...what, status, body: text, accepted: reason === null, reason, detail: null };
}

function orderNumberOf(message: Message): string | null {
  if (message.kind === 'combined') return message.combinedOrderNumber;
  return 'orderNumber' in message ? message.orderNumber : null;
}

function summary(play: Scenario, sendings: Sending[], retrying: boolean): Played {
  const accepted = sendings.filter((sending) => sending.accepted).length;
  return {
    outcome: 'played',
    notificationId: play.notificationId,
    sendings,
    accepted,
    refused: sendings.length - accepted,
    retrying,
  };
}

function whyImpossible({ channel, message, forge }: SendInput): string {
  const how = forge === 'signature_probe' ? ' as a signature probe' : '';
  const status = message.kind === 'refund' ? ` (${message.status})` : '';
  return `the provider of ${channel} sends no ${message.kind}${status}${how}`;
}
