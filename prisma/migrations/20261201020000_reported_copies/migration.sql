-- Reports write their own tables only, so that a statistic never locks a notification. Readers join the counts.
--
-- Workers of the previous release go on writing "notification_copies" and "notifications"."acknowledged" during the
-- update. Readers add both, so no count is lost. The next release can drop "notification_copies".

-- CreateTable
CREATE TABLE "reported_copies" (
    "id" BIGSERIAL NOT NULL,
    "report_id" UUID NOT NULL,
    "gateway" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "notification_id" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "reported_copies_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "reported_copies_channel_notification_id_idx" ON "reported_copies"("channel", "notification_id");

-- CreateIndex
CREATE INDEX "reported_copies_report_id_idx" ON "reported_copies"("report_id");

-- Prisma's language cannot say this.
ALTER TABLE "reported_copies"
  ADD CONSTRAINT "reported_copies_count_positive" CHECK ("count" > 0);
