import { expect, test } from 'vitest';
import config from '../../vitest.config.js';
import { STEPS } from './test-steps.js';

test('every project of vitest.config.ts is run by exactly one step', () => {
  const projects = config.test?.projects?.map((project) =>
    typeof project === 'object' && 'test' in project ? project.test?.name : project,
  );
  expect(projects?.length).toBeGreaterThan(3);
  expect(STEPS.flatMap((step) => step.projects ?? []).sort()).toEqual(projects?.sort());
});

test('every step has a separate name', () => {
  expect(new Set(STEPS.map(({ name }) => name)).size).toBe(STEPS.length);
});
