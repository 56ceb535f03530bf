-- PostgreSQL went back in time: a backup was restored, or a standby without the last transactions was promoted.

-- CreateTable
CREATE TABLE "rewinds" (
    "id" BIGSERIAL NOT NULL,
    "found_at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "version_floor" INTEGER NOT NULL,
    "replayed_at" TIMESTAMPTZ(3),
    "replayed_jobs" INTEGER,

    CONSTRAINT "rewinds_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "rewinds_version_floor_idx" ON "rewinds"("version_floor");

-- Prisma's language cannot say this.
ALTER TABLE "rewinds"
  ADD CONSTRAINT "rewinds_version_floor_positive" CHECK ("version_floor" > 0);
