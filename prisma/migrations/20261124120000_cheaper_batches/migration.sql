-- Nearly every event is settled when it is stored, and nearly every order event is fanned out a moment later:
-- what is asked for is the little that waits. An index of that alone is small, and costs the rest nothing.

DROP INDEX "notification_events_next_retry_at_idx";
DROP INDEX "notification_events_outcome_hold_reason_id_idx";
DROP INDEX "order_events_fanned_out_at_id_idx";

CREATE INDEX "notification_events_due_idx" ON "notification_events"("next_retry_at") WHERE "next_retry_at" IS NOT NULL;
CREATE INDEX "notification_events_held_idx" ON "notification_events"("hold_reason", "id") WHERE "outcome" = 'held';
CREATE INDEX "order_events_not_fanned_out_idx" ON "order_events"("id") WHERE "fanned_out_at" IS NULL;

-- The same said without a regular expression: an update checks every constraint of its row again, and the
-- expression's automaton is built anew each time.

ALTER TABLE "notifications"
  DROP CONSTRAINT "notifications_digest_sha256",
  ADD CONSTRAINT "notifications_digest_sha256" CHECK (length("digest") = 64 AND translate("digest", '0123456789abcdef', '') = '');

ALTER TABLE "orders"
  DROP CONSTRAINT "orders_currency_iso4217",
  ADD CONSTRAINT "orders_currency_iso4217" CHECK (length("currency") = 3 AND translate("currency", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') = '');
