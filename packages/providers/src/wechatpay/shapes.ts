import { z } from 'zod';
import { fenFromJson } from '../money.js';

/**
 * `out_trade_no`, `transaction_id`, `refund_id`: texts. A number is rejected, since a double may
 * already have rounded it. Visible ASCII: WeChat allows digits, letters and `_-|*`.
 */
export const identifier = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** Amounts are integers of fen (bills alone are in yuan). */
const fen = z.transform(fenFromJson).pipe(z.bigint());

/** Absent, null and empty are the same to WeChat. */
const unlessEmpty = (value: unknown) => (value === undefined || value === '' ? null : value);

/** ISO 4217; absent in refund notices, and means CNY. */
const currency = z.preprocess(
  unlessEmpty,
  z
    .string()
    .regex(/^[A-Z]{3}$/)
    .nullable()
    .transform((code) => code ?? 'CNY'),
);

/**
 * RFC 3339 with its offset, e.g. `2018-06-08T10:34:56+08:00`. Absent until the event has happened.
 */
const time = z.preprocess(
  unlessEmpty,
  z.iso
    .datetime({ offset: true })
    .nullable()
    .transform((text) => (text === null ? null : new Date(text))),
);

const trade = { out_trade_no: identifier, transaction_id: identifier, success_time: time };

/** `total` is compared with the amount due: `payer_total` is smaller with coupons. */
export const payment = z.object({ ...trade, amount: z.object({ total: fen, currency }) });

/** Combined orders call the same thing `total_amount`. */
export const subOrder = z.object({
  ...trade,
  amount: z
    .object({ total_amount: fen, currency })
    .transform((amount) => ({ total: amount.total_amount, currency: amount.currency })),
});

/** `refund` is this refund alone, not a running total; `total` is the paid amount of the trade. */
export const refund = z.object({
  ...trade,
  refund_id: identifier,
  refund_status: z.enum(['SUCCESS', 'CLOSED', 'ABNORMAL']),
  amount: z.object({ total: fen, refund: fen, currency }),
});

export type Payment = z.infer<typeof payment>;
