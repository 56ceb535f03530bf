import { en } from './en.js';
import { zhCn } from './zh-cn.js';

export type MessageKey = keyof typeof en;
type Catalogue = Readonly<Record<MessageKey, string>>;

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

const CATALOGUES: Readonly<Record<Language, Catalogue>> = { en, 'zh-CN': zhCn };

/** The names in braces. */
type Placeholder<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;
type Values<Key extends MessageKey> = [Placeholder<(typeof en)[Key]>] extends [never]
  ? []
  : [Readonly<Record<Placeholder<(typeof en)[Key]>, string | number | bigint>>];

/** Messages without placeholders. */
export type PlainKey = {
  [Key in MessageKey]: Values<Key> extends [] ? Key : never;
}[MessageKey];

/** A message with its placeholders filled in: plain text, to be escaped like any other. */
export type Translate = <Key extends MessageKey>(key: Key, ...values: Values<Key>) => string;

export function translator(language: Language): Translate {
  const catalogue = CATALOGUES[language];
  return (key, ...[values]) => fill(catalogue[key], values ?? {});
}

function fill(text: string, values: Readonly<Record<string, string | number | bigint>>): string {
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => String(values[name]));
}

/**
 * Whether there is a message with this name: for names in the database that another version wrote.
 */
export function isPlainKey(key: string): key is PlainKey {
  return Object.hasOwn(en, key) && !/\{\w+\}/.test(en[key as MessageKey]);
}
