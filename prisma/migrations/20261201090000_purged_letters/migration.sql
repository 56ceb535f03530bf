-- Retention deletes the jobs of closed dead letters.

-- AlterTable
ALTER TABLE "dead_letters" ADD COLUMN     "purged_at" TIMESTAMPTZ(3);

-- Prisma's language cannot say this.
ALTER TABLE "dead_letters"
  ADD CONSTRAINT "dead_letters_purged_is_empty" CHECK ("purged_at" IS NULL OR "job"::text = '{}') NOT VALID;
