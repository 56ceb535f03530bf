/** What the schema of this build consists of, oldest first; written by `generate.mjs`. */
export { KNOWN_MIGRATIONS } from './generated/migrations.js';
