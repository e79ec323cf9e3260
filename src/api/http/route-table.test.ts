import { describe, expect, it } from 'vitest';
import { createRouteTable } from './route-table.ts';
import type { Route, RouteMethod } from './route.ts';

const route = (method: RouteMethod, path: string): Route => ({
  method,
  path,
  group: 'system',
  body: 'none',
  handle: () => Promise.resolve(),
});

const find = createRouteTable([
  route('GET', '/containers/json'),
  route('GET', '/containers/:id'),
  route('GET', '/images/:name*/json'),
  route('POST', '/containers/:id'),
  route('OPTIONS', '/:any*'),
]);

describe('the route table', () => {
  it.each([
    { method: 'GET', path: '/containers/json', found: '/containers/json', params: {} },
    {
      method: 'GET',
      path: '/v1.41/containers/a%2Fb',
      found: '/containers/:id',
      params: { apiVersion: '1.41', id: 'a/b' },
    },
    { method: 'POST', path: '/containers/json', found: '/containers/:id', params: { id: 'json' } },
    {
      method: 'GET',
      path: '/images/registry/one/json',
      found: '/images/:name*/json',
      params: { name: 'registry/one' },
    },
    { method: 'OPTIONS', path: '/containers/json', found: '/:any*', params: { any: 'containers/json' } },
  ])('leads $method $path to $found', ({ method, path, found, params }) => {
    const answer = find(method, path);
    expect(answer?.route.path).toBe(found);
    expect({ ...answer?.params }).toEqual(params);
  });

  it.each([
    ['DELETE', '/containers/json'],
    ['GET', '/containers/json/'],
    ['GET', '/Containers/json'],
    ['GET', '/v1.41x/containers/json'],
    ['GET', '/vx/containers/json'],
    ['GET', '/'],
    ['GET', ''],
  ])('leads %s %j nowhere', (method, path) => {
    expect(find(method, path)).toBeUndefined();
  });
});
