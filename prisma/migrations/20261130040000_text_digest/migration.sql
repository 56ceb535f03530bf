-- AlterTable
ALTER TABLE "notifications" ADD COLUMN     "text_digest" TEXT;

-- Prisma's language cannot say this.
ALTER TABLE "notifications"
  ADD CONSTRAINT "notifications_text_digest_sha256" CHECK (length("text_digest") = 64 AND translate("text_digest", '0123456789abcdef', '') = '') NOT VALID;
