-- Few orders need anybody's attention, and those are asked for: an index of them alone.
CREATE INDEX "orders_attention_idx" ON "orders"("id") WHERE "attention" <> '{}';
