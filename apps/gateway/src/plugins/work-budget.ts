import { Remembered } from './remembered.js';

/**
 * Bounds the work of requests that turn out to be refused. A request pays when its head is
 * admitted, before anything is known of it, and gets it back once it is genuine.
 *
 * - Each address pays in requests and bytes, from a budget per minute. Distinct genuine
 *   notifications raise it.
 * - All together pay in processor time: half a core. An address that sent something genuine within
 *   a day is bound by its own budget alone.
 * - Senders that a proxy nobody trusts speaks for share one budget of processor time. Their address
 *   is the proxy's, and a forger among them must not shut the provider out.
 */

/** Of one minute's budget an address has at most this many, however much genuine it sends. */
const MOST_TIMES = 20;
const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;
/** An address that owes more than this many minutes would be refused for longer after a mistake. */
const MOST_DEBT_MINUTES = 5;

/** Measured: HTTP and a small forgery, and what reading the dearest bytes takes in addition. */
const MS_PER_REQUEST = 0.1;
const MS_PER_BYTE = 1 / (64 * 1_024);
/** A body of so many bytes counts as much as one more request. */
const BYTES_PER_REQUEST = 4 * 1_024;

/** Milliseconds of processor time that refused requests get in a millisecond, and at once. */
const TOTAL = { perMs: 0.5, atOnce: 250 };
const UNTRUSTED_PROXIES = { perMs: 0.25, atOnce: 125 };

/** About two megabytes each. */
const ADDRESSES = 5_000;
const DIGESTS = 10_000;

/** An admitted request. */
export interface Ticket {
  /** It is a notification with this content. The content raises the address's budget once. */
  isGenuine(digest: string): void;
  /** It is rightly signed and refused all the same: gets back what it paid, once per content. */
  isSigned(digest: string): void;
  /** The refusal is our fault. */
  isOurFault(): void;
  /** The reply has left, or the connection ended. */
  end(): void;
}

/** `untrusted_proxy`: the request has a forwarding header, and no proxy is trusted. */
export type Sender = { readonly network: string } | 'untrusted_proxy';

class Budget {
  #left: number;
  #at: number;

  constructor(
    public perMs: number,
    public most: number,
    now: number,
  ) {
    this.#left = most;
    this.#at = now;
  }

  left(now: number): number {
    this.#left = Math.min(this.most, this.#left + Math.max(0, now - this.#at) * this.perMs);
    this.#at = now;
    return this.#left;
  }

  pay(cost: number, least = Number.NEGATIVE_INFINITY): void {
    this.#left = Math.max(least, this.#left - cost);
  }
}

class Account extends Budget {
  /** Paid by requests that have no reply yet. */
  pending = 0;
  genuine = 0;
  genuineAt = Number.NEGATIVE_INFINITY;
}

export class WorkBudget {
  readonly #accounts = new Remembered<Account>(ADDRESSES);
  readonly #digests = new Remembered<true>(DIGESTS);
  readonly #total: Budget;
  readonly #untrusted: Budget;

  /**
   * @param perMinute refused requests that an address may send in a minute, or at once; 0: no limit
   * @param now milliseconds of a clock that only advances
   */
  constructor(
    readonly perMinute: number,
    readonly now: () => number,
  ) {
    this.#total = new Budget(TOTAL.perMs, TOTAL.atOnce, now());
    this.#untrusted = new Budget(UNTRUSTED_PROXIES.perMs, UNTRUSTED_PROXIES.atOnce, now());
  }

  get addresses(): number {
    return this.#accounts.size;
  }

  /** @returns null if the request is to be refused unread */
  admit(sender: Sender, bytes: number): Ticket | null {
    if (this.perMinute === 0) return FREE;
    const ms = MS_PER_REQUEST + bytes * MS_PER_BYTE;
    const isWithinTotal = this.#total.left(this.now()) >= ms;
    if (sender === 'untrusted_proxy') {
      if (!isWithinTotal || this.#untrusted.left(this.now()) < ms) return null;
      return this.#ticket(ms, ms, null);
    }
    const account = this.#accountOf(sender.network);
    const { genuine, pending } = account;
    if (genuine === 0 && !isWithinTotal) return null;
    // Heads that arrive together are admitted together. If they are refused, the address owes.
    if (account.left(this.now()) + pending < 1) return null;
    return this.#ticket(ms, 1 + Math.floor(bytes / BYTES_PER_REQUEST), account);
  }

  /** @param cost in the unit of who pays: the account, or all behind untrusted proxies */
  #ticket(ms: number, cost: number, account: Account | null): Ticket {
    const payer = account ?? this.#untrusted;
    let [isPaid, isOpen] = [true, true];
    this.#total.pay(ms);
    payer.pay(cost, -MOST_DEBT_MINUTES * this.perMinute);
    if (account) account.pending += cost;
    const giveBack = () => {
      if (!isPaid) return;
      isPaid = false;
      this.#total.pay(-ms);
      payer.pay(-cost);
    };
    return {
      isGenuine: (digest) => {
        giveBack();
        if (account && this.#isNew(digest)) this.#raise(account);
      },
      isSigned: (digest) => {
        if (this.#isNew(digest)) giveBack();
      },
      isOurFault: giveBack,
      end: () => {
        if (isOpen && account) account.pending -= cost;
        isOpen = false;
      },
    };
  }

  #accountOf(network: string): Account {
    const now = this.now();
    const account =
      this.#accounts.get(network) ?? new Account(this.perMinute / MINUTE_MS, this.perMinute, now);
    this.#accounts.set(network, account);
    if (account.genuine > 0 && now - account.genuineAt > DAY_MS) this.#setGenuine(account, 0);
    return account;
  }

  #raise(account: Account): void {
    account.genuineAt = this.now();
    if (account.genuine === MOST_TIMES - 1) return;
    this.#setGenuine(account, account.genuine + 1);
    account.pay(-this.perMinute);
  }

  #setGenuine(account: Account, genuine: number): void {
    account.left(this.now());
    account.genuine = genuine;
    account.most = this.perMinute * (1 + genuine);
    account.perMs = account.most / MINUTE_MS;
  }

  #isNew(digest: string): boolean {
    const isNew = this.#digests.get(digest) === undefined;
    if (isNew) this.#digests.set(digest, true);
    return isNew;
  }
}

const FREE: Ticket = { isGenuine() {}, isSigned() {}, isOurFault() {}, end() {} };
