import { excerpt, nodesOf, type Source } from './sources.js';

/** The log calls of a source, and how many of them name an event with a dot or in lower case. */
export function logCalls({ text }: Source) {
  const calls = [
    ...text.matchAll(/\blog(?:ger)?\??\.(?:fatal|error|warn|info|debug|trace)\(([\s\S]*?)\);/g),
  ];
  const named = calls.filter(([, args = '']) => /'[a-z_]+(\.[a-z_]+)+'/.test(args));
  return { calls: calls.length, named: named.length };
}

/** Variables that a module changes, and calls that it makes when it is imported. */
export function importEffects(source: Source): string[] {
  return source.tree.body.flatMap((item) => {
    const declared = item.type === 'ExportDeclaration' ? item.declaration : item;
    if (declared.type === 'VariableDeclaration' && declared.kind === 'let') return ['let'];
    if (item.type !== 'ExpressionStatement') return [];
    const { text } = excerpt(source, item as unknown as { type: string; span: never });
    return /^['"]use /.test(text) ? [] : [text.split('\n')[0] ?? ''];
  });
}

/** Names that the file exports, types too. */
export function exportedNames(source: Source): string[] {
  return [
    ...source.text.matchAll(
      /^export (?:async )?(?:const|function|class|interface|type|enum) (\w+)/gm,
    ),
  ].map(([, name = '']) => name);
}

const COMMENT = /^\s*(\/\/|\*|\/\*)/;

export function widths({ text }: Source) {
  const wide = text.split('\n').filter((line) => line.length > 100);
  return { wide: wide.length, wideComments: wide.filter((line) => COMMENT.test(line)).length };
}

/** `any` as a type, `as unknown as`, and comments that promise work. */
export function shortcuts(source: Source) {
  const types = [...nodesOf(source.tree)].filter(
    (node) => node.type === 'TsKeywordType' && (node as { kind?: string }).kind === 'any',
  );
  return {
    any: types.length,
    asUnknownAs: [...source.text.matchAll(/as unknown as/g)].length,
    todo: [...source.text.matchAll(/\/\/.*\b(TODO|FIXME)\b/g)].length,
  };
}
