import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Module, parseSync } from '@swc/core';

/** One source file, parsed. */
export interface Source {
  /** Relative to the measured folder. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly isTest: boolean;
  readonly tree: Module;
}

/** A node of the syntax tree; `span` counts bytes from 1. */
export interface Node {
  readonly type: string;
  readonly span?: { readonly start: number; readonly end: number };
}

const SKIPPED = /(^|\/)(node_modules|dist|build|out|generated|fixtures|coverage|\..+)(\/|$)/;
const SOURCE = /\.(ts|mts|js|mjs)$/;
const TEST =
  /(^|\/)(tests?|__tests__|e2e|benchmarks?)\/|\.(test|spec|tst|test-d|d)\.(ts|mts|js|mjs)$/;

/** The TypeScript and JavaScript below `root`. A file that does not parse is left out. */
export function readSources(root: string): Source[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => SOURCE.test(path) && !SKIPPED.test(path))
    .sort()
    .flatMap((path) => parse(path, readFileSync(join(root, path), 'utf8')) ?? []);
}

/** The Markdown below `root`. */
export function readDocuments(root: string): { readonly path: string; readonly text: string }[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !SKIPPED.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** @returns null for a file that does not parse, such as a template */
export function parse(path: string, text: string): Source | null {
  const typescript = /ts$/.test(path);
  try {
    const tree = parseSync(text, {
      target: 'es2022',
      ...(typescript
        ? { syntax: 'typescript', decorators: true }
        : { syntax: 'ecmascript', decorators: true }),
    });
    return { path, text, lines: lineCount(text), isTest: TEST.test(path), tree };
  } catch {
    return null;
  }
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Every node of the tree, the outer ones first. */
export function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesOf(item);
  else if (typeof value === 'object' && value !== null) {
    if ('type' in value && typeof value.type === 'string') yield value as Node;
    for (const part of Object.values(value)) yield* nodesOf(part);
  }
}

/** The node's text, and the line where it begins. */
export function excerpt({ text }: Pick<Source, 'text'>, { span }: Node) {
  const bytes = Buffer.from(text);
  const start = (span?.start ?? 1) - 1;
  const end = (span?.end ?? 1) - 1;
  const line = bytes.subarray(0, start).toString().split('\n').length;
  return { text: bytes.subarray(start, end).toString(), line };
}
