import { holdsWithin } from '@payonce/testkit/poll';
import type { SignedRequest } from '@payonce/testkit/request';
import { RETRY_SCHEDULES } from '@payonce/testkit/retry-schedules';
import { isAcknowledged, replyStatus, type Sender } from '@payonce/testkit/sender';
import { now } from '../clock.js';
import type { HistoryRecorder } from '../history/recorder.js';
import type { OrderWorkload, WorkloadGenerator } from './generator.js';
import type { Message } from './messages.js';
import type { Registrar } from './registrar.js';

/** Sends as the providers. */
export interface Load {
  /** Begins the steady load. */
  start(): void;
  /** Starts no new orders; running ones go on. */
  stop(): void;
  submit(workload: OrderWorkload): void;
  /** Gives one more gateway its share. Call the result to end that. */
  share(notifyUrl: string): () => void;
  /** Whether captured messages are sent in other cuts. */
  allowRecuts(allowed: boolean): void;
  /**
   * Sends the first `count` acknowledged notifications again to every gateway, until acknowledged
   * again.
   */
  resendOldest(count: number): Promise<number>;
  /** Sends everything that is not acknowledged yet, until it is. @returns how many are left */
  finish(limitMs: number): Promise<number>;
  /** Genuine ones that were answered with 401 since then: by a gateway whose clock is wrong. */
  refusedSince(at: number): number;
  readonly inProgress: number;
  close(): void;
}

export interface LoadOptions {
  readonly notifyUrls: readonly string[];
  readonly recorder: HistoryRecorder;
  readonly sender: Sender;
  readonly registrar: Registrar;
  readonly generator: WorkloadGenerator;
  /** A provider's whole day of re-sending takes this long. */
  readonly scheduleMs: number;
}

const ORDERS_PER_SECOND = 30;
/** The real length of the schedules: a little over 24 hours. */
const SCHEDULE_S = 24.4 * 3_600;
/** Even in a short run an outage must not become a storm of our own requests. */
const SHORTEST_WAIT_MS = 500;
/** More than a complete outage of a minute leaves waiting; beyond it no new order starts. */
const MAX_IN_PROGRESS = 5_000;

export function createLoad(options: LoadOptions): Load {
  const { recorder, sender, registrar, generator, scheduleMs } = options;
  let { notifyUrls } = options;
  const timers = new Set<NodeJS.Timeout>();
  const wakers = new Set<() => void>();
  const acknowledged = new Map<string, Message>();
  let steady: NodeJS.Timeout | undefined;
  let turn = 0;
  let inProgress = 0;
  let hurried = false;
  let closed = false;
  let mayRecut = true;

  const later = (ms: number, act: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      wakers.add(wake);
    });

  async function deliver(
    message: Message,
    gateway: number,
    sign: () => SignedRequest = message.sign,
  ): Promise<boolean> {
    const url = notifyUrls[gateway % notifyUrls.length];
    const signed = sign();
    const startedAt = now();
    const sent = await sender.send(`${url}${message.path}`, signed);
    const accepted = isAcknowledged(message.notification.provider, sent);
    const { key, forged } = message.notification;
    recorder.sent({
      key,
      startedAt,
      endedAt: now(),
      status: replyStatus(sent),
      acknowledged: accepted,
    });
    if (accepted && !forged && !acknowledged.has(key)) acknowledged.set(key, message);
    return accepted;
  }

  /**
   * The provider's schedule; each sending goes to the other gateway. At its end it awaits the last
   * call.
   */
  async function sendUntilAcknowledged(message: Message, first: number): Promise<void> {
    inProgress += 1;
    const schedule = RETRY_SCHEDULES[message.notification.provider];
    for (let attempt = 0; !closed; attempt += 1) {
      if (await deliver(message, first + attempt)) break;
      // A forger has no provider that re-sends, and tries twice.
      if (message.notification.forged && attempt > 0) break;
      const seconds = schedule[attempt] ?? SCHEDULE_S;
      const waitMs = (seconds * scheduleMs) / SCHEDULE_S;
      await wait(hurried ? SHORTEST_WAIT_MS : Math.max(SHORTEST_WAIT_MS, waitMs));
    }
    inProgress -= 1;
  }

  function submit({ order, registerAtMs, plan }: OrderWorkload): void {
    recorder.order(order);
    for (const { message } of plan) recorder.notification(message.notification);
    if (registerAtMs !== null) later(registerAtMs, () => registrar.register(order));
    for (const { message, atMs, copies, againAtMs, recuts } of plan) {
      turn += 1;
      const first = turn;
      later(atMs, () => {
        void sendUntilAcknowledged(message, first);
        for (let copy = 1; copy < copies; copy += 1) void deliver(message, first + copy);
      });
      for (const ms of againAtMs) later(atMs + ms, () => void deliver(message, first + ms));
      // A refused cut is not sent again: a captor has no provider that re-sends.
      for (const { atMs: at, sign } of recuts) {
        later(at, () => void (mayRecut && deliver(message, first + at, sign)));
      }
    }
  }

  return {
    submit,
    allowRecuts: (allowed) => {
      mayRecut = allowed;
    },
    share(notifyUrl) {
      notifyUrls = [...notifyUrls, notifyUrl];
      return () => {
        notifyUrls = notifyUrls.filter((url) => url !== notifyUrl);
      };
    },
    start() {
      steady = setInterval(() => {
        if (inProgress < MAX_IN_PROGRESS) submit(generator.next());
      }, 1_000 / ORDERS_PER_SECOND);
    },
    stop: () => clearInterval(steady),
    async resendOldest(count) {
      const oldest = [...acknowledged.values()].slice(0, count);
      await Promise.all(
        oldest.flatMap((message) =>
          notifyUrls.map((_, gateway) => sendUntilAcknowledged(message, gateway)),
        ),
      );
      return oldest.length;
    },
    async finish(limitMs) {
      hurried = true;
      for (const wake of [...wakers]) wake();
      await holdsWithin(limitMs, () => inProgress === 0 && timers.size === 0);
      return inProgress + timers.size;
    },
    refusedSince(at) {
      const forged = new Set(
        recorder.history.notifications.flatMap((notification) =>
          notification.forged ? [notification.key] : [],
        ),
      );
      return recorder.history.sendings.filter(
        (one) => one.startedAt >= at && one.status === 401 && !forged.has(one.key),
      ).length;
    },
    get inProgress() {
      return inProgress;
    },
    close() {
      closed = true;
      clearInterval(steady);
      for (const timer of timers) clearTimeout(timer);
      for (const wake of [...wakers]) wake();
    },
  };
}
