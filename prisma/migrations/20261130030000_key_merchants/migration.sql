-- A key may have merchants. Null, as every key has now, is all of them.
ALTER TABLE "api_keys" ADD COLUMN "merchants" JSONB;

-- The hash of a key with merchants is stored so that a console of the release before, which ignores the column,
-- cannot find it. Without that it would let the key see every merchant.
ALTER TABLE "api_keys" DROP CONSTRAINT "api_keys_hash_sha256";
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_hash_by_merchants" CHECK (
  CASE WHEN "merchants" IS NULL THEN "key_hash" ~ '^[0-9a-f]{64}$'
    ELSE "key_hash" ~ '^merchants:[0-9a-f]{64}$' AND jsonb_typeof("merchants") = 'array' AND "merchants" <> '[]'
  END
) NOT VALID;
