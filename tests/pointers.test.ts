import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const planted = join(root, 'apps/simulator/src/planted-by-the-pointers-test.ts');

/**
 * Numbered sections belong to documents outside this repository. This file must not contain the
 * sign.
 */
const SECTION_SIGN = '\u00a7';

/** A page of `docs`, also with some of its headings: `page, "Heading" and "Heading"`. */
const POINTER = /\b(docs\/[\w./-]+\.md)\b(?:, ("[^"]+"(?:(?:,| and) "[^"]+")*))?/g;

interface Pointer {
  readonly file: string;
  readonly page: string;
  /** Null where only the page is named. */
  readonly heading: string | null;
}

/** Every text file that git has or would add, by name. */
function texts(): Map<string, string> {
  // `--untracked` omits the files that git ignores, `-I` the binary ones.
  const list = ['grep', '--untracked', '-I', '--files-with-matches', '-e', ''];
  const names = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\n');
  return new Map(names.filter((name) => name !== '').map((name) => [name, read(name)]));
}

/** Empty for a file that another test planted and has removed. */
function read(name: string): string {
  const path = join(root, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** A pointer may span two lines of a comment. */
function unwrapped(text: string): string {
  return text.replace(/\n[ \t]*(?:\*|\/\/\/?|#)?[ \t]*/g, ' ');
}

function pointersIn(file: string, text: string): Pointer[] {
  return [...unwrapped(text).matchAll(POINTER)].flatMap(([, page = '', quoted]): Pointer[] => {
    if (quoted === undefined) return [{ file, page, heading: null }];
    const headings = [...quoted.matchAll(/"([^"]+)"/g)].map(([, heading = '']) => heading);
    return headings.map((heading) => ({ file, page, heading }));
  });
}

function leadsSomewhere({ page, heading }: Pointer): boolean {
  if (heading === null) return existsSync(join(root, page));
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  return headings.includes(heading);
}

function judge() {
  const all = texts();
  const pointers = [...all].flatMap(([file, text]) => pointersIn(file, text));
  return {
    pointers,
    lost: pointers.filter((pointer) => !leadsSomewhere(pointer)),
    numbered: [...all].filter(([, text]) => text.includes(SECTION_SIGN)).map(([file]) => file),
  };
}

afterEach(() => rmSync(planted, { force: true }));

test('every page of docs that is named exists, and so does each named heading', () => {
  const { pointers, lost } = judge();
  const headings = pointers.filter(({ heading }) => heading !== null);
  expect(headings.length).toBeGreaterThan(20); // what was not found is not judged
  expect(lost).toEqual([]);
});

test('no text refers to a numbered section, since the headings have no numbers', () => {
  expect(judge().numbered).toEqual([]);
});

test('a missing heading, a missing page and a numbered section are found, also across two lines', () => {
  const file = 'apps/simulator/src/planted-by-the-pointers-test.ts';
  const page = 'docs/providers/wechatpay.md';
  const lostPage = ['docs', 'no-such-page.md'].join('/');
  const lines = [
    '/**',
    ` * What this says (${page},`,
    ` * "No such heading"), what that says (${lostPage}, "Reply"), and ${lostPage}.`,
    ` * What is right: ${page}, "Reply" and "Time window". What is numbered: ${SECTION_SIGN}3.4.`,
    ' */',
  ];
  writeFileSync(planted, `${lines.join('\n')}\nexport {};\n`);
  const { lost, numbered } = judge();
  expect(lost).toEqual([
    { file, page, heading: 'No such heading' },
    { file, page: lostPage, heading: 'Reply' },
    { file, page: lostPage, heading: null },
  ]);
  expect(numbered).toEqual([file]);
});
