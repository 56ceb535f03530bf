-- Reads the tables while everybody works on them.
ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_attention_known";
ALTER TABLE "trade_claims" VALIDATE CONSTRAINT "trade_claims_order_id_fkey";
ALTER TABLE "facts" VALIDATE CONSTRAINT "facts_whole";
ALTER TABLE "facts" VALIDATE CONSTRAINT "facts_operator_only";
ALTER TABLE "facts" VALIDATE CONSTRAINT "facts_reinstated_only";
ALTER TABLE "order_events" VALIDATE CONSTRAINT "order_events_type_known";
ALTER TABLE "webhook_endpoints" VALIDATE CONSTRAINT "webhook_endpoints_event_types_known";
ALTER TABLE "audit_log" VALIDATE CONSTRAINT "audit_log_action_known";
