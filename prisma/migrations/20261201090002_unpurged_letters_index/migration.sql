-- outside a transaction
CREATE INDEX CONCURRENTLY "dead_letters_unpurged_idx" ON "dead_letters"("last_at") WHERE "purged_at" IS NULL AND ("redriven_at" IS NOT NULL OR "dismissed_at" IS NOT NULL);
