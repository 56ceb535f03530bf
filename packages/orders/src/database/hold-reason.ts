/** Why an event waits for a person, a registration or a later notice. It stays until released. */
export const HOLD_REASONS = [
  'unknown_order',
  'amount_mismatch',
  'currency_mismatch',
  'merchant_mismatch',
  'trade_on_other_order',
  'id_conflict',
  'unsupported_event',
  'unconfirmed',
  'internal_error',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];
