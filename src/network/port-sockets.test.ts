import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { partOf } from '../../test/support/records.ts';
import type { NetnsEntry } from '../host/netns.ts';
import { systemError } from '../host/system-error.ts';
import { createPortSockets } from './port-sockets.ts';

interface UdpHandle {
  readonly fd: number;
  recvStop(): void;
}

test('a datagram is dropped, and nothing else happens, where no descriptor is left for its client', async () => {
  const bound = createSocket('udp6').bind(0, '::1');
  await once(bound, 'listening');
  const { port } = bound.address();
  const handle = Reflect.get(bound, '_handle') as UdpHandle;
  handle.recvStop();
  let asked = 0;
  const netns = partOf<NetnsEntry>({
    listen: () => handle.fd,
    open: () => {
      asked += 1;
      throw systemError('socket', constants.errno.EMFILE, 'udp');
    },
  });
  const sockets = createPortSockets(netns, '/netns');
  const published = { protocol: 'udp', hostIp: '::1', hostPort: port, containerPort: 53 } as const;
  expect(sockets.relay('c', published, () => ({ address: '127.0.0.1', port: 1 }))).toBe(true);
  const client = createSocket('udp6');
  client.send('a', port, '::1');
  await expect.poll(() => asked).toBe(1);
  client.send('b', port, '::1');
  await expect.poll(() => asked).toBe(2);
  client.close();
});
