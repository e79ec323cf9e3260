import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// With the gate open: what can be granted is granted, and what this machine cannot grant fails no container.

const open = useJob({ config: '[dind]\nallow_privileged = true\n' });

const SYS_RESOURCE = 1n << 24n;

/** A line of /proc/…/status as bits. */
function bitsOf(status: string, name: string): bigint {
  return BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? ''}`);
}

async function statusIn(...args: readonly string[]): Promise<string> {
  return ask(open.berth, 'run', '--rm', ...args, 'busybox', 'cat', '/proc/self/status');
}

const own = async (): Promise<bigint> => bitsOf(await readFile('/proc/self/status', 'utf8'), 'CapBnd');

describe('with the gate open', () => {
  test('--privileged has all that this machine can grant, and no filter', async () => {
    const status = await statusIn('--privileged');
    expect(bitsOf(status, 'CapEff')).toBe(await own());
    expect(bitsOf(status, 'CapInh')).toBe(0n);
    expect(status).toMatch(/^Seccomp:\t0$/m);
  });

  test.each(['SYS_RESOURCE', 'cap_sys_resource', 'ALL'])('--cap-add %s starts', async (name) => {
    const status = await statusIn('--cap-add', name);
    expect(bitsOf(status, 'CapEff') & ~(await own())).toBe(0n);
    expect(status).toMatch(/^Seccomp:\t2$/m);
  });

  test('a capability that cannot be granted is named in the warnings, one that can is not', async () => {
    const isGrantable = ((await own()) & SYS_RESOURCE) !== 0n;
    const api = createApiClient(open.berth.ready.socket);
    for (const hostConfig of [
      { CapAdd: ['SYS_RESOURCE', 'SYS_ADMIN'] },
      { CapAdd: ['SYS_RESOURCE'], Privileged: true },
    ]) {
      const { status, body } = await api.post('/containers/create', {
        Image: 'busybox',
        HostConfig: hostConfig,
      });
      expect(status).toBe(201);
      const { Id: id, Warnings: warnings } = body as { readonly Id: string; readonly Warnings: string[] };
      expect(warnings).toEqual(
        isGrantable
          ? []
          : ['Capability CAP_SYS_RESOURCE cannot be granted on this machine; the container runs without it.'],
      );
      expect((await api.post(`/containers/${id}/start`)).status).toBe(204);
      expect((await api.delete(`/containers/${id}?force=1`)).status).toBe(204);
    }
  });

  test('--cap-add NOPE is refused in the words of dockerd', async () => {
    const { code, stderr } = await open.berth.docker(['run', '--cap-add', 'NOPE', 'busybox', 'true']);
    expect(code).toBe(125);
    expect(stderr).toContain('invalid CapAdd: unknown capability: "CAP_NOPE"');
  });

  test('what has been dropped stays dropped', async () => {
    const status = await statusIn('--cap-drop', 'ALL', '--cap-add', 'CHOWN');
    expect(bitsOf(status, 'CapEff')).toBe(1n);
  });

  test('exec --privileged has more than its container', async () => {
    const id = await ask(open.berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const [plain, privileged] = await Promise.all([
      ask(open.berth, 'exec', id, 'cat', '/proc/self/status'),
      ask(open.berth, 'exec', '--privileged', id, 'cat', '/proc/self/status'),
    ]);
    expect(bitsOf(plain, 'CapEff')).toBe(0xa80425fbn);
    expect(bitsOf(privileged, 'CapEff')).toBe(await own());
    await ask(open.berth, 'rm', '-f', id);
  });
});

test('a host of virtual machines opens the gate where the setting is absent', async () => {
  const berth = await startBerth({ args: ['--host-platform', 'darwin'] });
  try {
    await loadBusybox(berth);
    expect((await berth.docker(['run', '--rm', '--privileged', 'busybox', 'true'])).code).toBe(0);
  } finally {
    expect(await berth.stop()).toMatchObject({ code: 0 });
  }
});

test('an explicit false closes it there too', async () => {
  const berth = await startBerth({
    args: ['--host-platform', 'windows'],
    config: '[dind]\nallow_privileged = false\n',
  });
  try {
    await loadBusybox(berth);
    const { code, stderr } = await berth.docker(['run', '--rm', '--privileged', 'busybox', 'true']);
    expect(code).toBe(125);
    expect(stderr).toContain('dind.allow_privileged is false');
  } finally {
    expect(await berth.stop()).toMatchObject({ code: 0 });
  }
});
