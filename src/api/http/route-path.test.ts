import { describe, expect, it } from 'vitest';
import { compileRoutePath } from './route-path.ts';

function match(path: string, requested: string): Readonly<Record<string, string | undefined>> | undefined {
  const groups = compileRoutePath(path).exec(requested)?.groups;
  return groups && { ...groups };
}

describe('route paths', () => {
  it.each([
    ['/a/:id/json', '/a/x/json', { apiVersion: undefined, id: 'x' }],
    ['/a/:id/json', '/v1.41/a/x/json', { apiVersion: '1.41', id: 'x' }],
    ['/images/:name*/json', '/images/h:5/a/b/json', { apiVersion: undefined, name: 'h:5/a/b' }],
    ['/a.b', '/a.b', { apiVersion: undefined }],
  ])('%s takes %s', (path, requested, groups) => {
    expect(match(path, requested)).toEqual(groups);
  });

  it.each([
    ['/a/:id/json', '/a//json'],
    ['/a/:id/json', '/a/x/y/json'],
    ['/a/:id/json', '/a/x/json/'],
    ['/images/:name*/json', '/images/json'],
    ['/a.b', '/aXb'],
    ['/a', '/A'],
    ['/a', '/v1.041/a'],
    ['/a', '/v1.41/v1.41/a'],
  ])('%s does not take %s', (path, requested) => {
    expect(match(path, requested)).toBeUndefined();
  });
});
