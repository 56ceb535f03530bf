import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { BANNED_WORDS, sentences, wordsOf } from '../tooling/src/measure/documents.js';

const root = join(import.meta.dirname, '..');

const MOST_WORDS = 30;
const MOST_COLUMNS = 100;

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

/** Biome reads a suppression and its reason from one line. */
const SUPPRESSION = /^\s*\/\/ biome-ignore /;

/** Without git's ignored files, but with files that are about to be added. */
function files(folder: string, patterns: readonly string[]): string[] {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const found = execFileSync('git', list, { cwd: folder, encoding: 'utf8' }).split('\n');
  return found.filter((file) => file !== '' && existsSync(join(folder, file)));
}

/** The comments and test titles, each on one line. */
function prose(source: string): string[] {
  const comments = [...source.matchAll(COMMENT)].map(([comment]) =>
    comment.replace(/\n[ \t]*(?:\*|\/\/+)?[ \t]*/g, ' '),
  );
  return [...comments, ...[...source.matchAll(TITLE)].map(([, , title = '']) => title)];
}

/** The lines of comments that are too wide, with the code before them. */
function wideComments(source: string): string[] {
  return [...source.matchAll(COMMENT)].flatMap(({ 0: comment, index }) => {
    const lines = source.slice(source.lastIndexOf('\n', index) + 1, index + comment.length);
    return lines
      .split('\n')
      .filter((line) => line.length > MOST_COLUMNS && !SUPPRESSION.test(line));
  });
}

function bannedIn(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    [...text.matchAll(BANNED_WORDS)].map(([word]) => word.toLowerCase()),
  );
}

/** Every violation in a folder that git knows, by file. */
function judge(folder: string) {
  const read = (patterns: readonly string[]) =>
    files(folder, patterns).map((file) => ({
      file,
      text: readFileSync(join(folder, file), 'utf8'),
    }));
  const sources = read(SOURCES).map(({ file, text }) => ({
    file,
    texts: prose(text),
    wide: wideComments(text),
  }));
  const documents = read(['*.md']).map(({ file, text }) => ({ file, texts: sentences(text) }));
  const all = [...sources, ...documents];
  return {
    sources: sources.length,
    texts: sources.flatMap(({ texts }) => texts).length,
    sentences: documents.flatMap(({ texts }) => texts).length,
    banned: all.flatMap(({ file, texts }) => bannedIn(texts).map((word) => ({ file, word }))),
    wide: sources.flatMap(({ file, wide }) => wide.map((line) => ({ file, line }))),
    long: documents.flatMap(({ file, texts }) =>
      texts.filter((text) => wordsOf(text) > MOST_WORDS).map((sentence) => ({ file, sentence })),
    ),
  };
}

const judged = judge(root);

// A search that read nothing finds nothing.
test('all texts are read', () => {
  expect(judged.sources).toBeGreaterThan(700);
  expect(judged.texts).toBeGreaterThan(5_000);
  expect(judged.sentences).toBeGreaterThan(2_000);
});

test('comments, test titles and documents have no banned word', () => {
  expect(judged.banned).toEqual([]);
});

test('no line of a comment is wider than the code may be', () => {
  expect(judged.wide).toEqual([]);
});

test('no sentence of a document has more than thirty words', () => {
  expect(judged.long).toEqual([]);
});

let planted = '';
afterEach(() => {
  if (planted !== '') rmSync(planted, { recursive: true, force: true });
});

test('a violation of each rule is found in the files of a folder', () => {
  planted = mkdtempSync(join(tmpdir(), 'payonce-plain-english-'));
  execFileSync('git', ['init', '--quiet'], { cwd: planted });
  const plant = (file: string, text: string) => {
    mkdirSync(dirname(join(planted, file)), { recursive: true });
    writeFileSync(join(planted, file), text);
  };
  const wide = `read(); // ${'wide '.repeat(20)}`.trimEnd();
  const long = `${'One word and '.repeat(11).trimEnd()}.`;
  plant('src/banned.ts', '// Rows are kept for ever.\n');
  plant('src/wide.mjs', `${wide}\n// biome-ignore lint/a: ${'a reason '.repeat(20)}\n`);
  plant('guide/banned.md', 'A list:\n\n* Each has a lock of its\n  own. `anew` is code.\n');
  plant('guide/long.md', `Short.\n\n| cell | ${long} |\n`);
  expect(judge(planted)).toMatchObject({
    banned: [
      { file: 'src/banned.ts', word: 'for ever' },
      { file: 'guide/banned.md', word: 'of its own' },
    ],
    wide: [{ file: 'src/wide.mjs', line: wide }],
    long: [{ file: 'guide/long.md', sentence: long }],
  });
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
