import { ensurePrograms } from './ensure-programs.js';
import { TEST_PROGRAMS } from './programs.js';

/** `npm run setup`: what `npm test` needs beside the installed packages and the build. */
export async function setup(): Promise<number> {
  if (!(await ensurePrograms(TEST_PROGRAMS))) return 1;
  console.log('✓ everything that the tests need is here');
  return 0;
}
