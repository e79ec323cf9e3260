import { expect, test } from 'vitest';
import type { Container } from '../../state/container.ts';
import { logAttributes } from './log-attributes.ts';

function containerWith(options: Readonly<Record<string, string>>): Container {
  const config = {
    Image: 'app:1',
    Labels: { some: 'a b', other: 'x,y=z' },
    Env: ['SHOWN=yes!', 'EMPTY=', 'TWICE=a=b'],
  };
  const record = {
    name: 'web',
    imageId: `sha256:${'c'.repeat(64)}`,
    config,
    hostConfig: { LogConfig: { Type: 'json-file', Config: options } },
  };
  return { id: 'd'.repeat(64), record } as unknown as Container;
}

test.each([
  [{}, ''],
  [{ labels: 'some,none,other' }, 'other=x%2Cy%3Dz,some=a+b'],
  [{ env: 'TWICE,SHOWN,EMPTY,NONE' }, 'EMPTY=,SHOWN=yes%21,TWICE=a%3Db'],
  [{ tag: '{{.Name}}/{{ .ID }}' }, 'tag=web%2Fdddddddddddd'],
  [{ tag: '{{.ImageName}} {{.ImageID}}', labels: 'some' }, 'some=a+b,tag=app%3A1+cccccccccccc'],
])('%j: %s', (options, wanted) => {
  expect(logAttributes(containerWith(options))).toBe(wanted);
});
