import { existsSync } from 'node:fs';
import { findProgram, type Program } from './programs.js';
import { run } from './run.js';

type Command = readonly [program: string, ...args: string[]];

/**
 * Installs Debian's packages if this user may, and announces each command before it runs it.
 * Otherwise prints in one sentence what is missing. Everything goes to standard error: the standard
 * output may be for a program that reads it.
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
  const commands = installCommands(programs, existsSync('/run/systemd/system'));
  console.error('· missing on this machine, so root installs Debian packages with these commands:');
  for (const { names, why } of programs) console.error(`    ${names[0]}: ${why}`);
  for (const command of commands) console.error(`    $ ${command.join(' ')}`);
  for (const [program, ...args] of commands) {
    const line = [program, ...args].join(' ');
    const started = Date.now();
    console.error(`· ${line}`);
    const code = await run(program, args, 'ignore', { DEBIAN_FRONTEND: 'noninteractive' });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.error(code === 0 ? `✓ ${line} … ${seconds} s` : `✗ ${line} failed (exit code ${code})`);
  }
}

/** A package that starts a service by itself is followed by the command that ends this service. */
export function installCommands(
  programs: readonly Program[],
  hasSystemd: boolean,
): readonly Command[] {
  return [
    ['apt-get', 'update', '-qq'],
    ...programs.flatMap(({ packages, service }): Command[] => [
      ['apt-get', 'install', '-y', '-qq', ...packages],
      ...(service !== undefined && hasSystemd
        ? [['systemctl', 'disable', '--now', service] as const]
        : []),
    ]),
  ];
}
