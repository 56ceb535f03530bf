-- outside a transaction
CREATE INDEX CONCURRENTLY "notification_events_held_newest_idx" ON "notification_events"("id") INCLUDE ("merchant", "decided_at") WHERE "outcome" = 'held';
