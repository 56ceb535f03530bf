import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.js';

/** The oldest one that payonce supports, and one of each later line with long support. */
export const PINNED_NODES = ['20.19.0', '22.23.5', '24.22.3'] as const;

/** npm has these versions as `node-{platform}-{architecture}` here; not for every other machine. */
const PLATFORMS = ['linux-x64', 'linux-arm64'];

/**
 * The binary of Node from npm, kept in `.payonce/`. The package has no script that would run.
 * @returns its path; null, after a line that says what to do, where there is none
 */
export async function pinnedNode(
  state: string,
  version: string,
  platform = `${process.platform}-${process.arch}`,
): Promise<string | null> {
  if (!PLATFORMS.includes(platform)) {
    console.error(
      `✗ npm has no pinned Node ${version} for ${platform}: run 'npx vitest run --project unit' ` +
        'with this Node by hand, or npm run test:full on Linux',
    );
    return null;
  }
  const name = `node-${platform}`;
  const folder = join(state, 'node', version);
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  if (versionOf(node) === version) return node;
  console.log(`· fetching Node ${version} (${name} of npm) to ${folder}`);
  mkdirSync(folder, { recursive: true });
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run('npm', ['install', '--prefix', folder, ...flags, `${name}@${version}`], 'inherit');
  if (versionOf(node) === version) return node;
  console.error(`✗ Node ${version} could not be fetched: npm install ${name}@${version} failed`);
  return null;
}

function versionOf(node: string): string | null {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().replace(/^v/, '');
  } catch {
    return null;
  }
}
