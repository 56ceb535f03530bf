-- CreateTable
CREATE TABLE "orders" (
    "id" BIGSERIAL NOT NULL,
    "merchant" TEXT NOT NULL,
    "number" TEXT NOT NULL,
    "amount" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "paid_amount" BIGINT NOT NULL DEFAULT 0,
    "refunded_amount" BIGINT NOT NULL DEFAULT 0,
    "paid_at" TIMESTAMPTZ(3),
    "primary_rail" TEXT,
    "primary_trade" TEXT,
    "attention" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "version" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "trades" (
    "rail" TEXT NOT NULL,
    "trade" TEXT NOT NULL,
    "order_id" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "trades_pkey" PRIMARY KEY ("rail","trade")
);

-- CreateTable
CREATE TABLE "facts" (
    "id" BIGSERIAL NOT NULL,
    "order_id" BIGINT NOT NULL,
    "key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "rail" TEXT,
    "trade" TEXT,
    "refund_id" TEXT,
    "refund_status" TEXT,
    "amount" BIGINT,
    "at" TIMESTAMPTZ(3),
    "notification_row_id" BIGINT,
    "audit_id" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "facts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notifications" (
    "id" BIGSERIAL NOT NULL,
    "provider" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "merchant" TEXT NOT NULL,
    "notification_id" TEXT NOT NULL,
    "variant" TEXT NOT NULL DEFAULT '',
    "digest" TEXT NOT NULL,
    "authenticity" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "body" BYTEA NOT NULL,
    "headers" JSON NOT NULL,
    "status" TEXT NOT NULL,
    "copies" INTEGER NOT NULL DEFAULT 0,
    "last_copy_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notifications_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_events" (
    "id" BIGSERIAL NOT NULL,
    "notification_row_id" BIGINT NOT NULL,
    "position" INTEGER NOT NULL,
    "merchant" TEXT NOT NULL,
    "order_number" TEXT,
    "event" JSON NOT NULL,
    "outcome" TEXT NOT NULL,
    "hold_reason" TEXT,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "next_retry_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_at" TIMESTAMPTZ(3) NOT NULL,
    "alerted_at" TIMESTAMPTZ(3),

    CONSTRAINT "notification_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_events" (
    "id" BIGSERIAL NOT NULL,
    "order_id" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "milestone" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "order_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dead_letters" (
    "id" BIGSERIAL NOT NULL,
    "queue" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "job_hash" TEXT NOT NULL,
    "job" JSON NOT NULL,
    "reason" TEXT NOT NULL,
    "error" TEXT,
    "deaths" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "redrive_requested_at" TIMESTAMPTZ(3),
    "redriven_at" TIMESTAMPTZ(3),
    "dismissed_at" TIMESTAMPTZ(3),

    CONSTRAINT "dead_letters_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "id" BIGSERIAL NOT NULL,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "order_id" BIGINT,
    "notification_event_id" BIGINT,
    "dead_letter_id" BIGINT,
    "detail" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "orders_status_id_idx" ON "orders"("status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "orders_merchant_number_key" ON "orders"("merchant", "number");

-- CreateIndex
CREATE INDEX "trades_order_id_idx" ON "trades"("order_id");

-- CreateIndex
CREATE UNIQUE INDEX "trades_rail_trade_order_id_key" ON "trades"("rail", "trade", "order_id");

-- CreateIndex
CREATE INDEX "facts_notification_row_id_idx" ON "facts"("notification_row_id");

-- CreateIndex
CREATE UNIQUE INDEX "facts_order_id_key_key" ON "facts"("order_id", "key");

-- CreateIndex
CREATE INDEX "notifications_status_id_idx" ON "notifications"("status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "notifications_channel_notification_id_variant_key" ON "notifications"("channel", "notification_id", "variant");

-- CreateIndex
CREATE INDEX "notification_events_merchant_order_number_idx" ON "notification_events"("merchant", "order_number");

-- CreateIndex
CREATE INDEX "notification_events_next_retry_at_idx" ON "notification_events"("next_retry_at");

-- CreateIndex
CREATE INDEX "notification_events_outcome_hold_reason_id_idx" ON "notification_events"("outcome", "hold_reason", "id");

-- CreateIndex
CREATE UNIQUE INDEX "notification_events_notification_row_id_position_key" ON "notification_events"("notification_row_id", "position");

-- CreateIndex
CREATE UNIQUE INDEX "order_events_order_id_type_milestone_key" ON "order_events"("order_id", "type", "milestone");

-- CreateIndex
CREATE UNIQUE INDEX "dead_letters_job_id_job_hash_key" ON "dead_letters"("job_id", "job_hash");

-- CreateIndex
CREATE INDEX "audit_log_order_id_idx" ON "audit_log"("order_id");

-- CreateIndex
CREATE INDEX "audit_log_notification_event_id_idx" ON "audit_log"("notification_event_id");

-- CreateIndex
CREATE INDEX "audit_log_dead_letter_id_idx" ON "audit_log"("dead_letter_id");

-- AddForeignKey
ALTER TABLE "trades" ADD CONSTRAINT "trades_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "facts" ADD CONSTRAINT "facts_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "facts" ADD CONSTRAINT "facts_rail_trade_order_id_fkey" FOREIGN KEY ("rail", "trade", "order_id") REFERENCES "trades"("rail", "trade", "order_id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "facts" ADD CONSTRAINT "facts_notification_row_id_fkey" FOREIGN KEY ("notification_row_id") REFERENCES "notifications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "facts" ADD CONSTRAINT "facts_audit_id_fkey" FOREIGN KEY ("audit_id") REFERENCES "audit_log"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_notification_row_id_fkey" FOREIGN KEY ("notification_row_id") REFERENCES "notifications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_events" ADD CONSTRAINT "order_events_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_notification_event_id_fkey" FOREIGN KEY ("notification_event_id") REFERENCES "notification_events"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_dead_letter_id_fkey" FOREIGN KEY ("dead_letter_id") REFERENCES "dead_letters"("id") ON DELETE RESTRICT ON UPDATE CASCADE;


-- By hand from here: what Prisma's schema language cannot say. Its diff does not see these, so
-- neither drops them.

ALTER TABLE "orders"
  ADD CONSTRAINT "orders_number_length" CHECK (char_length("number") BETWEEN 1 AND 64),
  ADD CONSTRAINT "orders_amount_positive" CHECK ("amount" > 0),
  ADD CONSTRAINT "orders_currency_iso4217" CHECK ("currency" ~ '^[A-Z]{3}$'),
  ADD CONSTRAINT "orders_status_known" CHECK ("status" IN ('pending', 'paid', 'partially_refunded', 'refunded', 'closed')),
  ADD CONSTRAINT "orders_paid_amount_not_negative" CHECK ("paid_amount" >= 0),
  ADD CONSTRAINT "orders_refunded_amount_not_negative" CHECK ("refunded_amount" >= 0),
  ADD CONSTRAINT "orders_primary_trade_whole" CHECK (("primary_rail" IS NULL) = ("primary_trade" IS NULL)),
  ADD CONSTRAINT "orders_paid_by_a_trade" CHECK (("status" IN ('pending', 'closed')) = ("primary_trade" IS NULL)),
  ADD CONSTRAINT "orders_unpaid_without_money" CHECK ("primary_trade" IS NOT NULL OR ("paid_amount" = 0 AND "refunded_amount" = 0 AND "paid_at" IS NULL)),
  ADD CONSTRAINT "orders_attention_known" CHECK ("attention" IS NOT NULL AND "attention" <@ ARRAY['second_payment', 'over_refund', 'refund_abnormal', 'paid_late', 'closed_though_paid']),
  ADD CONSTRAINT "orders_version_not_negative" CHECK ("version" >= 0);

ALTER TABLE "trades"
  ADD CONSTRAINT "trades_rail_known" CHECK ("rail" IN ('alipay', 'wechat')),
  ADD CONSTRAINT "trades_trade_named" CHECK ("trade" <> '');

ALTER TABLE "facts"
  ADD CONSTRAINT "facts_rail_known" CHECK ("rail" IN ('alipay', 'wechat')),
  ADD CONSTRAINT "facts_amount_not_negative" CHECK ("amount" >= 0),
  ADD CONSTRAINT "facts_refund_status_known" CHECK ("refund_status" IN ('SUCCESS', 'CLOSED', 'ABNORMAL')),
  ADD CONSTRAINT "facts_whole" CHECK (
    CASE "kind"
      WHEN 'paid' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NOT NULL
      WHEN 'refund' THEN "rail" IS NOT NULL AND "rail" = 'wechat' AND "trade" IS NOT NULL AND "amount" IS NOT NULL AND "refund_id" IS NOT NULL AND "refund_status" IS NOT NULL
      WHEN 'refund_total' THEN "rail" IS NOT NULL AND "rail" = 'alipay' AND "trade" IS NOT NULL AND "amount" IS NOT NULL
      WHEN 'finished' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NULL
      WHEN 'closed' THEN "amount" IS NULL AND ("rail" IS NOT NULL OR "trade" IS NULL)
      WHEN 'operator' THEN "rail" IS NOT NULL AND "trade" IS NOT NULL AND "amount" IS NOT NULL AND "audit_id" IS NOT NULL
      ELSE false
    END
  ),
  ADD CONSTRAINT "facts_refund_only" CHECK ("kind" = 'refund' OR ("refund_id" IS NULL AND "refund_status" IS NULL)),
  ADD CONSTRAINT "facts_operator_only" CHECK ("kind" = 'operator' OR "audit_id" IS NULL),
  ADD CONSTRAINT "facts_key_named" CHECK ("key" <> '');

ALTER TABLE "notifications"
  ADD CONSTRAINT "notifications_provider_known" CHECK ("provider" IN ('alipay', 'wechatpay', 'wechatpay-v2')),
  ADD CONSTRAINT "notifications_id_length" CHECK (char_length("notification_id") BETWEEN 1 AND 200),
  ADD CONSTRAINT "notifications_digest_sha256" CHECK ("digest" ~ '^[0-9a-f]{64}$'),
  ADD CONSTRAINT "notifications_variant_is_digest" CHECK ("variant" = '' OR "variant" = "digest"),
  ADD CONSTRAINT "notifications_authenticity_known" CHECK ("authenticity" IN ('signed', 'encrypted')),
  ADD CONSTRAINT "notifications_status_known" CHECK ("status" IN ('held', 'applied', 'duplicate', 'ignored')),
  ADD CONSTRAINT "notifications_copies_not_negative" CHECK ("copies" >= 0);

ALTER TABLE "notification_events"
  ADD CONSTRAINT "notification_events_position_not_negative" CHECK ("position" >= 0),
  ADD CONSTRAINT "notification_events_outcome_known" CHECK ("outcome" IN ('applied', 'duplicate', 'held', 'ignored')),
  ADD CONSTRAINT "notification_events_hold_reason_known" CHECK ("hold_reason" IN ('unknown_order', 'amount_mismatch', 'currency_mismatch', 'merchant_mismatch', 'trade_on_other_order', 'id_conflict', 'unsupported_event', 'unconfirmed', 'internal_error')),
  ADD CONSTRAINT "notification_events_held_with_reason" CHECK (("outcome" = 'held') = ("hold_reason" IS NOT NULL)),
  ADD CONSTRAINT "notification_events_retry_only_held" CHECK ("outcome" = 'held' OR "next_retry_at" IS NULL),
  ADD CONSTRAINT "notification_events_tries_not_negative" CHECK ("tries" >= 0);

ALTER TABLE "order_events"
  ADD CONSTRAINT "order_events_type_known" CHECK ("type" IN ('order.paid', 'order.partially_refunded', 'order.refunded', 'order.closed', 'order.attention')),
  ADD CONSTRAINT "order_events_version_positive" CHECK ("version" > 0);

ALTER TABLE "dead_letters"
  ADD CONSTRAINT "dead_letters_deaths_positive" CHECK ("deaths" > 0),
  ADD CONSTRAINT "dead_letters_settled_once" CHECK ("redriven_at" IS NULL OR "dismissed_at" IS NULL),
  ADD CONSTRAINT "dead_letters_settled_wants_no_redrive" CHECK ("redrive_requested_at" IS NULL OR ("redriven_at" IS NULL AND "dismissed_at" IS NULL));

ALTER TABLE "audit_log"
  ADD CONSTRAINT "audit_log_action_known" CHECK ("action" IN ('event.retry', 'event.accept', 'event.reject', 'dead_letter.redrive', 'dead_letter.dismiss')),
  ADD CONSTRAINT "audit_log_actor_named" CHECK ("actor" <> '');
