import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { en } from './en.js';
import { languageOf } from './language.js';
import { isPlainKey, translator } from './translate.js';
import { zhCn } from './zh-cn.js';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('the two languages', () => {
  test('have the same messages with the same placeholders', () => {
    expect(Object.keys(zhCn).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) {
      const chinese = zhCn[key as keyof typeof en];
      expect([key, placeholders(chinese)]).toEqual([key, placeholders(text)]);
      expect(chinese.trim(), key).not.toBe('');
    }
  });

  test('Chinese is Chinese: no message is left in English, and punctuation is full-width', () => {
    const mixed = Object.entries(zhCn).filter(([key]) => key !== 'sentence');
    expect(mixed.filter(([, text]) => !/\p{Script=Han}/u.test(text))).toEqual([]);
    expect(mixed.filter(([, text]) => /\p{Script=Han}[,.;:?!]/u.test(text))).toEqual([]);
  });

  test('a message contains the filled-in values word for word', () => {
    const text = translator('en')('done.notHeld', { outcome: '{reason} $1' });
    expect(text).toContain('({reason} $1)');
  });

  test('a name from the database is a message only if there is one without placeholders', () => {
    expect(isPlainKey('order.paid')).toBe(true);
    for (const key of ['order.unheard_of', 'done.notHeld', 'toString', '__proto__']) {
      expect(isPlainKey(key)).toBe(false);
    }
  });
});

describe('the words of docs/failure-modes.md', () => {
  const root = join(import.meta.dirname, '..', '..', '..', '..');
  const document = readFileSync(join(root, 'docs', 'failure-modes.md'), 'utf8');

  /** The rows of the table under a heading: code, meaning, what to do; links as their words. */
  function rowsOf(heading: string): string[][] {
    const [, after = ''] = document.split(new RegExp(`^## ${heading}$`, 'm'));
    const [section = ''] = after.split(/^## /m);
    const plain = section.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
    return [...plain.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \|$/gm)].map((row) => row.slice(1));
  }

  test.each([
    ['Held', 'hold'],
    ['Attention', 'attention'],
    ['Dead letters', 'dead'],
  ])('%s: the pages say what to do in the same words', (heading, family) => {
    const rows = rowsOf(heading);
    expect(rows.length).toBeGreaterThan(3);
    const messages: Readonly<Record<string, string>> = en;
    for (const [code, means, toDo] of rows) {
      expect(messages[`${family}.${code}.do`]).toBe(toDo);
      if (family === 'hold') expect(messages[`hold.${code}.means`]).toBe(means);
    }
  });
});

describe('the language of a page', () => {
  test.each([
    ['zh-CN', 'en', 'zh-CN'],
    ['en', 'zh-CN,zh;q=0.9', 'en'],
    [undefined, 'zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN'],
    [undefined, 'fr-FR,zh-TW;q=0.7,en;q=0.8', 'en'],
    [undefined, 'en;q=0.1, zh;q=0.2', 'zh-CN'],
    [undefined, 'zh;q=0, en', 'en'],
    [undefined, 'fr', 'en'],
    [undefined, undefined, 'en'],
    ['de', ';;q=,', 'en'],
  ])('chosen %s, browser %s: %s', (chosen, header, language) => {
    expect(languageOf(chosen, header)).toBe(language);
  });
});
