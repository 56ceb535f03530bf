import { holdsWithin } from '@payonce/testkit/machine/poll';
import { RETRY_SCHEDULES } from '@payonce/testkit/sending/retry-schedules';
import { isAcknowledged, replyStatus, type Sender } from '@payonce/testkit/sending/sender';
import { now } from '../clock.js';
import type { HistoryRecorder } from '../history/recorder.js';
import type { OrderWorkload, WorkloadGenerator } from './generator.js';
import type { Message } from './messages.js';
import type { Planned } from './plans.js';
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
  return new ProviderLoad(options);
}

class ProviderLoad implements Load {
  inProgress = 0;
  #notifyUrls: readonly string[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #wakers = new Set<() => void>();
  readonly #acknowledged = new Map<string, Message>();
  #steady: NodeJS.Timeout | undefined;
  #turn = 0;
  #hurried = false;
  #closed = false;
  #mayRecut = true;

  constructor(private readonly options: LoadOptions) {
    this.#notifyUrls = options.notifyUrls;
  }

  start(): void {
    this.#steady = setInterval(() => {
      if (this.inProgress < MAX_IN_PROGRESS) this.submit(this.options.generator.next());
    }, 1_000 / ORDERS_PER_SECOND);
  }

  stop(): void {
    clearInterval(this.#steady);
  }

  submit({ order, registerAtMs, plan }: OrderWorkload): void {
    const { recorder, registrar } = this.options;
    recorder.order(order);
    for (const { message } of plan) recorder.notification(message.notification);
    if (registerAtMs !== null) this.#later(registerAtMs, () => registrar.register(order));
    for (const planned of plan) this.#schedule(planned);
  }

  share(notifyUrl: string): () => void {
    this.#notifyUrls = [...this.#notifyUrls, notifyUrl];
    return () => {
      this.#notifyUrls = this.#notifyUrls.filter((url) => url !== notifyUrl);
    };
  }

  allowRecuts(allowed: boolean): void {
    this.#mayRecut = allowed;
  }

  async resendOldest(count: number): Promise<number> {
    const oldest = [...this.#acknowledged.values()].slice(0, count);
    await Promise.all(
      oldest.flatMap((message) =>
        this.#notifyUrls.map((_, gateway) => this.#sendUntilAcknowledged(message, gateway)),
      ),
    );
    return oldest.length;
  }

  async finish(limitMs: number): Promise<number> {
    this.#hurried = true;
    this.#wakeAll();
    const left = () => this.inProgress + this.#timers.size;
    await holdsWithin(limitMs, () => left() === 0);
    return left();
  }

  refusedSince(at: number): number {
    const { notifications, sendings } = this.options.recorder.history;
    const forged = new Set(notifications.flatMap((one) => (one.forged ? [one.key] : [])));
    return sendings.filter(
      (one) => one.startedAt >= at && one.status === 401 && !forged.has(one.key),
    ).length;
  }

  close(): void {
    this.#closed = true;
    this.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#wakeAll();
  }

  #schedule({ message, atMs, copies, againAtMs, recuts }: Planned): void {
    this.#turn += 1;
    const first = this.#turn;
    this.#later(atMs, () => {
      void this.#sendUntilAcknowledged(message, first);
      for (let copy = 1; copy < copies; copy += 1) void this.#deliver(message, first + copy);
    });
    for (const ms of againAtMs) {
      this.#later(atMs + ms, () => void this.#deliver(message, first + ms));
    }
    // A refused cut is not sent again: a captor has no provider that re-sends.
    for (const { atMs: at, sign } of recuts) {
      this.#later(at, () => void (this.#mayRecut && this.#deliver(message, first + at, sign)));
    }
  }

  /**
   * The provider's schedule; each sending goes to the other gateway. At its end it awaits the last
   * call.
   */
  async #sendUntilAcknowledged(message: Message, first: number): Promise<void> {
    this.inProgress += 1;
    const schedule = RETRY_SCHEDULES[message.notification.provider];
    for (let attempt = 0; !this.#closed; attempt += 1) {
      if (await this.#deliver(message, first + attempt)) break;
      // A forger has no provider that re-sends, and tries twice.
      if (message.notification.forged && attempt > 0) break;
      const seconds = schedule[attempt] ?? SCHEDULE_S;
      const waitMs = (seconds * this.options.scheduleMs) / SCHEDULE_S;
      await this.#wait(this.#hurried ? SHORTEST_WAIT_MS : Math.max(SHORTEST_WAIT_MS, waitMs));
    }
    this.inProgress -= 1;
  }

  async #deliver(message: Message, gateway: number, sign = message.sign): Promise<boolean> {
    const { recorder, sender } = this.options;
    const url = this.#notifyUrls[gateway % this.#notifyUrls.length];
    const signed = sign();
    const startedAt = now();
    const sent = await sender.send(`${url}${message.path}`, signed);
    const acknowledged = isAcknowledged(message.notification.provider, sent);
    const { key, forged } = message.notification;
    recorder.sent({ key, startedAt, endedAt: now(), status: replyStatus(sent), acknowledged });
    const isFirst = acknowledged && !forged && !this.#acknowledged.has(key);
    if (isFirst) this.#acknowledged.set(key, message);
    return acknowledged;
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wakers.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
