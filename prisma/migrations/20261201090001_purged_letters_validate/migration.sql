-- Reads the table and blocks nobody who writes to it.
ALTER TABLE "dead_letters" VALIDATE CONSTRAINT "dead_letters_purged_is_empty";
