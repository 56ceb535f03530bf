import { Validator } from '@seriousme/openapi-schema-validator';
import type { OpenAPIV3_1 } from 'openapi-types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { routesOf } from './routes-of.js';
import { call, logIn, makeKey, startConsole, type TestConsole } from './support.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const ROLES = ['read', 'operate', 'admin'];
type Operation = OpenAPIV3_1.OperationObject;

let server: TestConsole;
let document: OpenAPIV3_1.Document;
beforeAll(async () => {
  server = await startConsole();
  document = (await call(server, 'GET', '/openapi.json')).json();
});
afterAll(() => server.close());

/** `GET /v1/orders/{number}` and the like, with their descriptions. */
function operations(): [string, Operation][] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method): [string, Operation][] => {
      const operation = item?.[method];
      return operation ? [[`${method.toUpperCase()} ${path}`, operation]] : [];
    }),
  );
}

describe("the API's description", () => {
  it('is OpenAPI 3.1 for an independent validator', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    const broken = { ...structuredClone(document), paths: { '/v1/x': { get: { responses: 7 } } } };
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  it('has every route of the API, and no other', () => {
    const served = routesOf(server.app).filter((route) => route.includes(' /v1/'));
    expect(served.length).toBeGreaterThan(12);
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(served.sort());
  });

  it('states for each operation its caller, its purpose and its errors', () => {
    const names = new Set<string>();
    for (const [name, { operationId, summary, tags, security, responses }] of operations()) {
      expect(summary?.length, name).toBeGreaterThan(3);
      expect(operationId, name).toMatch(/^[a-z][A-Za-z]+$/);
      names.add(operationId ?? '');
      expect(
        document.tags?.map((tag) => tag.name),
        name,
      ).toEqual(expect.arrayContaining(tags ?? ['none']));
      const [{ bearerKey: [role] = [] } = {}] = security ?? [];
      expect(ROLES, name).toContain(role);
      const problems = [
        '401',
        '403',
        '429',
        '500',
        '503',
        ...(name.startsWith('POST') ? ['400', '409', '422'] : []),
      ];
      for (const status of problems) {
        expect(responses?.[status], `${name} ${status}`).toMatchObject({
          content: {
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          },
        });
      }
    }
    expect(names.size).toBe(operations().length);
  });

  it('demands the role that the guard demands', async () => {
    const keys = new Map<string, string>();
    for (const role of ['read', 'operate'] as const)
      keys.set(role, await makeKey(server, role, role));
    for (const [name, { security }] of operations()) {
      const [method = '', path = ''] = name.replaceAll(/{\w+}/g, '1').split(' ');
      const needed = ROLES.indexOf(security?.[0]?.bearerKey?.[0] ?? '');
      for (const [role, key] of keys) {
        const payload = method === 'GET' ? {} : { payload: { nothing: 'valid' } };
        const answer = await call(server, method as 'GET', path.replace('/v1', ''), {
          key,
          ...payload,
        });
        expect([name, role, answer.statusCode === 403]).toEqual([
          name,
          role,
          ROLES.indexOf(role) < needed,
        ]);
      }
    }
  });

  it('is a page for people who have logged in, from this origin and without inline code', async () => {
    const cookies = await logIn(server);
    const page = await server.app.inject({ url: '/docs/', cookies });
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    expect(page.body).not.toMatch(/<script(?![^>]* src=)|<style|https?:\/\//);
    const json = await server.app.inject({ url: '/docs/json', cookies });
    expect(json.json()).toEqual(document);
    for (const url of ['/docs/', '/docs/json', '/docs/static/swagger-ui-bundle.js']) {
      expect((await server.app.inject({ url })).statusCode, url).toBe(401);
    }
  });
});
