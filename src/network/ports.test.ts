import { describe, expect, test } from 'vitest';

import { createPortTable } from './port-table.ts';
import type { PortRequest } from './types.ts';

const owner = { containerId: 'c1', containerName: 'web' };

function ask(hostPort: number, more: Partial<PortRequest> = {}): PortRequest {
  return {
    containerPort: 80,
    protocol: 'tcp',
    hostIp: '',
    firstHostPort: hostPort,
    lastHostPort: hostPort,
    ...more,
  };
}

describe('the table of ports', () => {
  test('goes around the ephemeral range, past ports that processes have', () => {
    const table = createPortTable({ first: 40_000, last: 40_002 }, 100);
    const hold = ({ hostPort }: { hostPort: number }): void => {
      if (hostPort === 40_001) throw Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
    };
    expect(table.claim(owner, ask(0), hold).hostPort).toBe(40_000);
    expect(table.claim({ ...owner, containerId: 'c2' }, ask(0), hold).hostPort).toBe(40_002);
    expect(() => table.claim(owner, ask(0), hold)).toThrow('port is already allocated');
    expect(table.release('c2')).toBe(true);
    expect(table.release('c2')).toBe(false);
    expect(table.claim(owner, ask(0), hold).hostPort).toBe(40_002);
  });

  test.each([
    ['', '', true],
    ['', '127.0.0.1', true],
    ['127.0.0.1', '', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '172.17.0.1', false],
    ['', '::', false],
    ['::', '::1', true],
  ])('%j and %j collide on one port: %s', (first, second, isRefused) => {
    const table = createPortTable({ first: 1, last: 2 }, 100);
    table.claim(owner, ask(80, { hostIp: first }), () => undefined);
    const claim = (): unknown => table.claim(owner, ask(80, { hostIp: second }), () => undefined);
    if (isRefused) expect(claim).toThrow('port is already allocated (by container web)');
    else expect(claim).not.toThrow();
    expect(() => table.claim(owner, ask(80, { protocol: 'udp' }), () => undefined)).not.toThrow();
  });

  test('names the holder as it is called now', () => {
    const table = createPortTable({ first: 1, last: 2 }, 100);
    table.claim(owner, ask(80), () => undefined);
    table.rename('c2', 'nobody');
    table.rename('c1', 'front');
    expect(() => table.claim(owner, ask(80), () => undefined)).toThrow('(by container front)');
  });

  test('has an end', () => {
    const table = createPortTable({ first: 1, last: 2 }, 100);
    for (let port = 1; port <= 100; port += 1) table.claim(owner, ask(port), () => undefined);
    expect(() => table.claim(owner, ask(5000), () => undefined)).toThrow('the job has 100 ports already');
  });
});
