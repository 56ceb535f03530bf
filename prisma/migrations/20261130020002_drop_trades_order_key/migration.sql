-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS "trades_rail_trade_order_id_key";
