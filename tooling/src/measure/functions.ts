import { excerpt, nodesOf, type Source } from './sources.js';

export interface FunctionLength {
  readonly path: string;
  readonly line: number;
  readonly lines: number;
}

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
]);

/** The length of every function with a body in braces, nested ones too. */
export function functionLengths(source: Source): FunctionLength[] {
  return [...nodesOf(source.tree)].flatMap((node) => {
    if (!FUNCTIONS.has(node.type)) return [];
    const { text, line } = excerpt(source, node);
    const lines = text.split('\n').length;
    return text.endsWith('}') ? [{ path: source.path, line, lines }] : [];
  });
}

/** The middle, the ninth tenth and the largest of the numbers. */
export function spread(numbers: readonly number[]) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { n: sorted.length, median: at(0.5), p90: at(0.9), max: at(1) };
}
