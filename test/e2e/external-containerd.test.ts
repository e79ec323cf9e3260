import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { startRealContainerd, type RealContainerd } from '../support/real-containerd.ts';

// A containerd that is not berth's: used by its address, left running, and left as it was.

let containerd: RealContainerd;
beforeAll(async () => {
  containerd = await startRealContainerd();
});
afterAll(() => containerd.stop());

test('two jobs share it, see only their own, and leave no namespace in it', async () => {
  const args = ['--containerd', containerd.address];
  const [one, two] = await Promise.all([
    startBerth({ job: 'ext-one', args }),
    startBerth({ job: 'ext-two', args }),
  ]);
  expect(one.ready.containerd).toBe(containerd.address);
  await Promise.all([loadBusybox(one), loadBusybox(two)]);
  const id = await ask(one, 'run', '-d', '--name', 'same', 'busybox', 'sleep', '1000');
  expect(await ask(two, 'run', '--rm', '--name', 'same', 'busybox', 'echo', 'own')).toBe('own');
  expect((await two.docker(['logs', id])).code).toBe(1);
  for (const berth of [one, two]) {
    const end = await berth.stop();
    expect({ code: end.code, leaks: end.report?.leaks }, berth.logs()).toEqual({ code: 0, leaks: [] });
  }
  const client = containerd.connect('none');
  try {
    expect(await client.namespaces.list()).toEqual([]);
  } finally {
    client.close();
  }
});

test('an address where nobody answers is an error that names it, and nothing is left', async () => {
  await expect(startBerth({ args: ['--containerd', '/tmp/no-such-containerd.sock'] })).rejects.toThrow(
    'no containerd answers at /tmp/no-such-containerd.sock',
  );
});
