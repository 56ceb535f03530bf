-- AlterTable
ALTER TABLE "notifications" ADD COLUMN     "acknowledged" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "purged_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "order_events" ADD COLUMN     "fanned_out_at" TIMESTAMPTZ(3),
ADD COLUMN     "merchant" TEXT,
ADD COLUMN     "notification_event_id" BIGINT,
ALTER COLUMN "order_id" DROP NOT NULL,
ALTER COLUMN "version" DROP NOT NULL;

-- What is in the outbox already belongs to its order's merchant.
UPDATE "order_events" e SET "merchant" = o."merchant" FROM "orders" o WHERE o."id" = e."order_id";

ALTER TABLE "order_events" ALTER COLUMN "merchant" SET NOT NULL;

-- AlterTable
ALTER TABLE "audit_log" ADD COLUMN     "api_key_id" BIGINT,
ADD COLUMN     "delivery_id" BIGINT,
ADD COLUMN     "endpoint_id" BIGINT;

-- CreateTable
CREATE TABLE "webhook_endpoints" (
    "id" BIGSERIAL NOT NULL,
    "merchant" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "event_types" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "source" TEXT NOT NULL,
    "secret" BYTEA,
    "previous_secret" BYTEA,
    "previous_secret_expires_at" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "failing_since" TIMESTAMPTZ(3),
    "open_until" TIMESTAMPTZ(3),
    "last_success_at" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "disabled_reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deliveries" (
    "id" BIGSERIAL NOT NULL,
    "endpoint_id" BIGINT NOT NULL,
    "order_event_id" BIGINT NOT NULL,
    "order_id" BIGINT,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "parked_reason" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
    "lease_until" TIMESTAMPTZ(3),
    "delivered_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "delivery_attempts" (
    "id" BIGSERIAL NOT NULL,
    "delivery_id" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "status" INTEGER,
    "error" TEXT,
    "response" BYTEA,

    CONSTRAINT "delivery_attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_copies" (
    "report_id" UUID NOT NULL,
    "notification_row_id" BIGINT NOT NULL,
    "gateway" UUID NOT NULL,
    "count" INTEGER NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notification_copies_pkey" PRIMARY KEY ("notification_row_id","report_id")
);

-- CreateTable
CREATE TABLE "gateway_reports" (
    "id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "gateway_reports_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateways" (
    "id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "state" JSONB NOT NULL,

    CONSTRAINT "gateways_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_minutes" (
    "gateway" UUID NOT NULL,
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "received" INTEGER NOT NULL DEFAULT 0,
    "refused" INTEGER NOT NULL DEFAULT 0,
    "acknowledged" INTEGER NOT NULL DEFAULT 0,
    "unavailable" INTEGER NOT NULL DEFAULT 0,
    "reply_buckets" INTEGER[] DEFAULT ARRAY[]::INTEGER[],

    CONSTRAINT "gateway_minutes_pkey" PRIMARY KEY ("minute","gateway")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" BIGSERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotent_requests" (
    "actor" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "status" INTEGER,
    "response" JSON,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotent_requests_pkey" PRIMARY KEY ("actor","key")
);

-- CreateIndex
CREATE UNIQUE INDEX "webhook_endpoints_merchant_name_key" ON "webhook_endpoints"("merchant", "name");

-- CreateIndex
CREATE INDEX "dead_letters_redriven_at_dismissed_at_id_idx" ON "dead_letters"("redriven_at", "dismissed_at", "id");

-- CreateIndex
CREATE INDEX "deliveries_order_event_id_idx" ON "deliveries"("order_event_id");

-- CreateIndex
CREATE INDEX "deliveries_state_endpoint_id_next_attempt_at_idx" ON "deliveries"("state", "endpoint_id", "next_attempt_at");

-- CreateIndex
CREATE INDEX "deliveries_order_id_endpoint_id_idx" ON "deliveries"("order_id", "endpoint_id");

-- CreateIndex
CREATE UNIQUE INDEX "deliveries_endpoint_id_order_event_id_key" ON "deliveries"("endpoint_id", "order_event_id");

-- CreateIndex
CREATE INDEX "delivery_attempts_delivery_id_id_idx" ON "delivery_attempts"("delivery_id", "id");

-- CreateIndex
CREATE INDEX "gateway_reports_created_at_idx" ON "gateway_reports" USING BRIN ("created_at");

-- CreateIndex
CREATE INDEX "gateways_seen_at_idx" ON "gateways"("seen_at");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_name_key" ON "api_keys"("name");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_hash_key" ON "api_keys"("key_hash");

-- CreateIndex
CREATE INDEX "idempotent_requests_created_at_idx" ON "idempotent_requests"("created_at");

-- CreateIndex
CREATE INDEX "orders_created_at_idx" ON "orders" USING BRIN ("created_at");

-- CreateIndex
CREATE INDEX "notifications_created_at_idx" ON "notifications" USING BRIN ("created_at");

-- CreateIndex
CREATE INDEX "notification_events_decided_at_idx" ON "notification_events" USING BRIN ("decided_at");

-- CreateIndex
CREATE INDEX "order_events_fanned_out_at_id_idx" ON "order_events"("fanned_out_at", "id");

-- CreateIndex
CREATE INDEX "order_events_merchant_id_idx" ON "order_events"("merchant", "id");

-- CreateIndex
CREATE UNIQUE INDEX "order_events_notification_event_id_type_milestone_key" ON "order_events"("notification_event_id", "type", "milestone");

-- CreateIndex
CREATE INDEX "audit_log_delivery_id_idx" ON "audit_log"("delivery_id");

-- CreateIndex
CREATE INDEX "audit_log_endpoint_id_idx" ON "audit_log"("endpoint_id");

-- AddForeignKey
ALTER TABLE "order_events" ADD CONSTRAINT "order_events_notification_event_id_fkey" FOREIGN KEY ("notification_event_id") REFERENCES "notification_events"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_order_event_id_fkey" FOREIGN KEY ("order_event_id") REFERENCES "order_events"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "delivery_attempts" ADD CONSTRAINT "delivery_attempts_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "deliveries"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_copies" ADD CONSTRAINT "notification_copies_notification_row_id_fkey" FOREIGN KEY ("notification_row_id") REFERENCES "notifications"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "deliveries"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_api_key_id_fkey" FOREIGN KEY ("api_key_id") REFERENCES "api_keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say.

ALTER TABLE "notifications"
  ADD CONSTRAINT "notifications_acknowledged_not_negative" CHECK ("acknowledged" >= 0),
  ADD CONSTRAINT "notifications_purged_is_empty" CHECK ("purged_at" IS NULL OR octet_length("body") = 0);

-- What retention has left to look at, the oldest first.
CREATE INDEX "notifications_unpurged_idx" ON "notifications"("id") WHERE "purged_at" IS NULL;

ALTER TABLE "order_events"
  DROP CONSTRAINT "order_events_type_known",
  DROP CONSTRAINT "order_events_version_positive",
  ADD CONSTRAINT "order_events_type_known" CHECK ("type" IN ('order.paid', 'order.partially_refunded', 'order.refunded', 'order.closed', 'order.attention', 'notification.held', 'notification.unsupported')),
  ADD CONSTRAINT "order_events_of_one_thing" CHECK (
    CASE WHEN "type" LIKE 'order.%'
      THEN "order_id" IS NOT NULL AND "notification_event_id" IS NULL AND "version" IS NOT NULL AND "version" > 0
      ELSE "order_id" IS NULL AND "notification_event_id" IS NOT NULL AND "version" IS NULL
    END
  );

ALTER TABLE "webhook_endpoints"
  ADD CONSTRAINT "webhook_endpoints_name_known" CHECK ("name" ~ '^[a-z0-9-]{1,40}$'),
  ADD CONSTRAINT "webhook_endpoints_source_known" CHECK ("source" IN ('file', 'api')),
  ADD CONSTRAINT "webhook_endpoints_event_types_known" CHECK ("event_types" IS NOT NULL AND "event_types" <@ ARRAY['order.paid', 'order.partially_refunded', 'order.refunded', 'order.closed', 'order.attention', 'notification.held', 'notification.unsupported']),
  -- Nothing ever leaves unsigned.
  ADD CONSTRAINT "webhook_endpoints_signed" CHECK ("secret" IS NOT NULL OR "url" LIKE 'handler:%'),
  ADD CONSTRAINT "webhook_endpoints_previous_secret_whole" CHECK (("previous_secret" IS NULL) = ("previous_secret_expires_at" IS NULL)),
  ADD CONSTRAINT "webhook_endpoints_failures_not_negative" CHECK ("failures" >= 0),
  ADD CONSTRAINT "webhook_endpoints_disabled_with_reason" CHECK (("disabled_at" IS NULL) = ("disabled_reason" IS NULL)),
  ADD CONSTRAINT "webhook_endpoints_disabled_reason_known" CHECK ("disabled_reason" IN ('operator', 'failing', 'gone', 'not_in_file'));

ALTER TABLE "deliveries"
  ADD CONSTRAINT "deliveries_state_known" CHECK ("state" IN ('pending', 'delivered', 'parked')),
  ADD CONSTRAINT "deliveries_parked_with_reason" CHECK (("state" = 'parked') = ("parked_reason" IS NOT NULL)),
  ADD CONSTRAINT "deliveries_parked_reason_known" CHECK ("parked_reason" IN ('exhausted', 'endpoint_disabled', 'endpoint_deleted', 'rejected')),
  ADD CONSTRAINT "deliveries_delivered_with_time" CHECK ("state" <> 'delivered' OR "delivered_at" IS NOT NULL),
  ADD CONSTRAINT "deliveries_attempts_not_negative" CHECK ("attempts" >= 0);

ALTER TABLE "delivery_attempts"
  ADD CONSTRAINT "delivery_attempts_response_bounded" CHECK (octet_length("response") <= 1024);

CREATE INDEX "delivery_attempts_unpurged_idx" ON "delivery_attempts"("id") WHERE "response" IS NOT NULL;

ALTER TABLE "notification_copies"
  ADD CONSTRAINT "notification_copies_count_positive" CHECK ("count" > 0);

ALTER TABLE "api_keys"
  ADD CONSTRAINT "api_keys_role_known" CHECK ("role" IN ('read', 'operate', 'admin')),
  ADD CONSTRAINT "api_keys_hash_sha256" CHECK ("key_hash" ~ '^[0-9a-f]{64}$');

ALTER TABLE "audit_log"
  DROP CONSTRAINT "audit_log_action_known",
  ADD CONSTRAINT "audit_log_action_known" CHECK ("action" IN ('event.retry', 'event.accept', 'event.reject', 'dead_letter.redrive', 'dead_letter.dismiss', 'delivery.redeliver', 'delivery.reject', 'endpoint.create', 'endpoint.update', 'endpoint.rotate_secret', 'endpoint.enable', 'endpoint.disable', 'endpoint.delete', 'api_key.create', 'api_key.revoke', 'notification.view_raw', 'order.close'));
