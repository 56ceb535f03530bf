import { join } from 'node:path';
import { expect, test } from 'vitest';
import { productionInstall } from '../tooling/src/measure/closure.js';

const root = join(import.meta.dirname, '..');

test("a gateway's production install has no Prisma and no database of orders", () => {
  const installed = [...productionInstall(root, 'apps/gateway')];
  expect(installed).toContain('packages/core'); // a list that read nothing finds nothing
  expect(installed.some((id) => id.startsWith('fastify@'))).toBe(true);
  expect(installed.filter((id) => /prisma/i.test(id) || id === 'packages/orders')).toEqual([]);
});

test("a worker's has both", () => {
  const installed = [...productionInstall(root, 'apps/worker')];
  expect(installed).toContain('packages/orders');
  expect(installed.some((id) => id.startsWith('@prisma/client@'))).toBe(true);
});
