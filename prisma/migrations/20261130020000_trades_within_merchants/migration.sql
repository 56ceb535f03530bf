-- A trade belongs to one order of its merchant. `trades` keeps its key, because workers of the release before
-- insert ON CONFLICT (rail, trade). What a merchant has otherwise stands in `trade_claims`.
CREATE TABLE "trade_claims" (
    "rail" TEXT NOT NULL,
    "trade" TEXT NOT NULL,
    "merchant" TEXT NOT NULL,
    "order_id" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "told_at" TIMESTAMPTZ(3),

    CONSTRAINT "trade_claims_pkey" PRIMARY KEY ("rail","trade","merchant"),
    CONSTRAINT "trade_claims_rail_known" CHECK ("rail" IN ('alipay', 'wechat')),
    CONSTRAINT "trade_claims_trade_named" CHECK ("trade" <> '')
);

CREATE INDEX "trade_claims_order_id_idx" ON "trade_claims"("order_id");

-- Claims whose orders are still to be flagged.
CREATE INDEX "trade_claims_untold_idx" ON "trade_claims"("created_at") WHERE "told_at" IS NULL AND "order_id" IS NOT NULL;

-- Tables in the order in which transactions lock them. NOT VALID: nothing is scanned while the table is locked.
ALTER TABLE "orders"
  DROP CONSTRAINT "orders_attention_known",
  ADD CONSTRAINT "orders_attention_known" CHECK ("attention" IS NOT NULL AND "attention" <@ ARRAY['second_payment', 'over_refund', 'refund_abnormal', 'paid_late', 'closed_though_paid', 'contested_trade']) NOT VALID;

ALTER TABLE "trade_claims"
  ADD CONSTRAINT "trade_claims_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;

ALTER TABLE "facts"
  ADD COLUMN "release_audit_id" BIGINT,
  -- It asked for the first claim; an order of another merchant, or a later one, has the trade through trade_claims.
  DROP CONSTRAINT "facts_rail_trade_order_id_fkey",
  DROP CONSTRAINT "facts_whole",
  DROP CONSTRAINT "facts_operator_only",
  ADD CONSTRAINT "facts_whole" CHECK (
    CASE "kind"
      WHEN 'paid' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NOT NULL
      WHEN 'refund' THEN "rail" IS NOT NULL AND "rail" = 'wechat' AND "trade" IS NOT NULL AND "amount" IS NOT NULL AND "refund_id" IS NOT NULL AND "refund_status" IS NOT NULL
      WHEN 'refund_total' THEN "rail" IS NOT NULL AND "rail" = 'alipay' AND "trade" IS NOT NULL AND "amount" IS NOT NULL
      WHEN 'finished' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NULL
      WHEN 'closed' THEN "amount" IS NULL AND ("rail" IS NOT NULL OR "trade" IS NULL)
      WHEN 'operator' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NOT NULL AND "audit_id" IS NOT NULL
      WHEN 'contested' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NULL
      WHEN 'released' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NULL AND "audit_id" IS NOT NULL
      WHEN 'reinstated' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NULL AND "audit_id" IS NOT NULL AND "release_audit_id" IS NOT NULL
      ELSE false
    END
  ) NOT VALID,
  ADD CONSTRAINT "facts_operator_only" CHECK ("kind" IN ('operator', 'released', 'reinstated') OR "audit_id" IS NULL) NOT VALID,
  ADD CONSTRAINT "facts_reinstated_only" CHECK ("kind" = 'reinstated' OR "release_audit_id" IS NULL) NOT VALID;

ALTER TABLE "order_events"
  DROP CONSTRAINT "order_events_type_known",
  ADD CONSTRAINT "order_events_type_known" CHECK ("type" IN ('order.paid', 'order.partially_refunded', 'order.refunded', 'order.closed', 'order.attention', 'order.payment_withdrawn', 'notification.held', 'notification.unsupported')) NOT VALID;

ALTER TABLE "webhook_endpoints"
  DROP CONSTRAINT "webhook_endpoints_event_types_known",
  ADD CONSTRAINT "webhook_endpoints_event_types_known" CHECK ("event_types" IS NOT NULL AND "event_types" <@ ARRAY['order.paid', 'order.partially_refunded', 'order.refunded', 'order.closed', 'order.attention', 'order.payment_withdrawn', 'notification.held', 'notification.unsupported']) NOT VALID;

ALTER TABLE "audit_log"
  DROP CONSTRAINT "audit_log_action_known",
  ADD CONSTRAINT "audit_log_action_known" CHECK ("action" IN ('event.retry', 'event.accept', 'event.reject', 'dead_letter.redrive', 'dead_letter.dismiss', 'delivery.redeliver', 'delivery.reject', 'endpoint.create', 'endpoint.update', 'endpoint.rotate_secret', 'endpoint.enable', 'endpoint.disable', 'endpoint.delete', 'api_key.create', 'api_key.revoke', 'notification.view_raw', 'order.close', 'trade.release', 'trade.reinstate')) NOT VALID;
