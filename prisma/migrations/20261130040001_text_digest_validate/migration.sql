-- Reads the table and blocks nobody who writes to it.
ALTER TABLE "notifications" VALIDATE CONSTRAINT "notifications_text_digest_sha256";
