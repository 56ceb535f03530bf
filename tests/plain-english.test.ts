import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Literary words: many readers of this code learned English as a second language. */
const BANNED = /\b(?:whoever|anew|for ever|of its own)\b/gi;

/**
 * Databases store the checksums of migrations, so the migrations' texts never change. This file
 * plants banned words.
 */
const EXCLUDED = [':!prisma/migrations', ':!tests/plain-english.test.ts'];
const SOURCES = ['*.ts', '*.mjs', '*.prisma', ...EXCLUDED];

/** A block comment, or consecutive line comments. A `//` in an address has no space before it. */
const COMMENT = /(?<=^|[\s([{])(?:\/\*[\s\S]*?\*\/|\/\/.*(?:\n[ \t]*\/\/.*)*)/gm;
/** Also the title of `test.each([…])`. */
const TITLE = /(?:\b(?:test|it|describe)(?:\.\w+)*|\]\))\(\s*(['"`])((?:(?!\1).)+)\1/g;

/** Without git's ignored files, but with files that are about to be added. */
function sources(): string[] {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...SOURCES];
  const found = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\n');
  return found.filter((file) => file !== '' && existsSync(join(root, file)));
}

/** The comments and test titles, each on one line. */
function prose(source: string): string[] {
  const comments = [...source.matchAll(COMMENT)].map(([comment]) =>
    comment.replace(/\n[ \t]*(?:\*|\/\/+)?[ \t]*/g, ' '),
  );
  return [...comments, ...[...source.matchAll(TITLE)].map(([, , title = '']) => title)];
}

function bannedIn(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [...text.matchAll(BANNED)].map(([word]) => word.toLowerCase()));
}

test('comments and test titles have no banned word', () => {
  const read = sources().map((file) => ({
    file,
    texts: prose(readFileSync(join(root, file), 'utf8')),
  }));
  // A search that read nothing finds nothing.
  expect(read.length).toBeGreaterThan(700);
  expect(read.flatMap(({ texts }) => texts).length).toBeGreaterThan(5_000);
  const found = read.map(({ file, texts }) => ({ file, words: bannedIn(texts) }));
  expect(found.filter(({ words }) => words.length > 0)).toEqual([]);
});

test.each([
  ['a line', '// Rows are kept for ever.', ['for ever']],
  ['lines', '  // A connection of its\n  // own.', ['of its own']],
  ['a comment after code', 'read(); // Whoever asks first.', ['whoever']],
  ['a block', '/**\n * Each has a lock of\n * its own, taken anew.\n */', ['of its own', 'anew']],
  ['a schema', '/// Read anew.\nmodel Order {}', ['anew']],
  ['a title', "test('a row stays for ever', () => {});", ['for ever']],
  ['a title of a table', "test.each([1])(\n  'asked anew: %i',\n  () => {},\n);", ['anew']],
])('a banned word is found in %s', (_, source, words) => {
  expect(bannedIn(prose(source))).toEqual(words);
});

test.each([
  "const anew = 'read anew';",
  "await fetch('https://example.com/anew');",
  'const path = `/orders/anew`;',
])('identifiers and strings are not judged: %s', (source) => {
  expect(bannedIn(prose(source))).toEqual([]);
});
