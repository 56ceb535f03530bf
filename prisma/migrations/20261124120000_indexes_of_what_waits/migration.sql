-- Nearly every event is settled when it is stored, and nearly every order event is fanned out a moment later:
-- what is asked for is the little that waits. An index of that alone is small, and costs the rest nothing.

DROP INDEX "notification_events_next_retry_at_idx";
DROP INDEX "notification_events_outcome_hold_reason_id_idx";
DROP INDEX "order_events_fanned_out_at_id_idx";

CREATE INDEX "notification_events_due_idx" ON "notification_events"("next_retry_at") WHERE "next_retry_at" IS NOT NULL;
CREATE INDEX "notification_events_held_idx" ON "notification_events"("hold_reason", "id") WHERE "outcome" = 'held';
CREATE INDEX "order_events_not_fanned_out_idx" ON "order_events"("id") WHERE "fanned_out_at" IS NULL;
