/** The migrations of this build, oldest first; `list-migrations.mjs` writes the list. */
export { KNOWN_MIGRATIONS } from './generated/migrations.js';
