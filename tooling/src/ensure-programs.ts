import { existsSync } from 'node:fs';
import { findProgram, type Program } from './programs.js';
import { run } from './run.js';

/**
 * Installs Debian's packages if this user may; otherwise prints in one sentence what is missing.
 */
export async function ensurePrograms(programs: readonly Program[]): Promise<boolean> {
  const path = process.env.PATH ?? '';
  const isMissing = (program: Program) => findProgram(program, path) === null;
  const wanted = programs.filter(isMissing);
  if (wanted.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    await install(wanted);
  }
  const missing = programs.filter(isMissing);
  for (const { names, packages, why } of missing) {
    const example = `apt-get install ${packages.join(' ')}`;
    console.error(`There is no ${names.join(' or ')} on the PATH, but ${why}: ${example}.`);
  }
  return missing.length === 0;
}

async function install(programs: readonly Program[]): Promise<void> {
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], 'ignore', quiet);
  for (const { packages, why, service } of programs) {
    console.log(`· installing ${packages.join(' and ')} with apt-get (${why})`);
    await run('apt-get', ['install', '-y', '-qq', ...packages], 'ignore', quiet);
    if (service !== undefined && existsSync('/run/systemd/system')) {
      await run('systemctl', ['disable', '--now', service], 'ignore');
    }
  }
}
