/** The migrations of this build, oldest first; `generate.mjs` writes the list. */
export { KNOWN_MIGRATIONS } from './generated/migrations.js';
