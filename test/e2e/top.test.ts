import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

// Columns of podman's top, with which one sees how little each process of a container may do.

const job = useJob();

test('top -o pid,capeff,label: what each process may do', async () => {
  const lost = ['FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'SYS_CHROOT', 'MKNOD', 'SETFCAP'];
  const drops = [...lost, 'DAC_OVERRIDE', 'NET_RAW', 'AUDIT_WRITE'].map((name) => `--cap-drop=${name}`);
  const id = await ask(job.berth, 'run', '-d', ...drops, 'busybox', 'sh', '-c', 'sleep 987 & sleep 986');
  await ask(job.berth, 'exec', '-d', '-u', '1000', id, 'sleep', '985');
  const rows = async (): Promise<readonly (readonly string[])[]> => {
    const table = await ask(job.berth, 'top', id, '-o', 'pid,capeff,label,args');
    return table.split('\n').map((line) => line.trim().split(/ {2,}/));
  };
  await expect.poll(async () => (await rows()).length).toBe(4);
  const [titles, ...processes] = await rows();
  expect(titles).toEqual(['PID', 'EFFECTIVE CAPS', 'LABEL', 'COMMAND']);
  // Without a module of the kernel that labels processes there is none.
  const label = await readFile(`/proc/${processes[0]?.[0] ?? ''}/attr/current`, 'utf8').catch(() => '-');
  const own = 'CHOWN,NET_BIND_SERVICE';
  expect(
    processes.map(([, ...row]) => row).sort((one, other) => (one[2] ?? '').localeCompare(other[2] ?? '')),
  ).toEqual([
    ['none', label.trim(), 'sleep 985'],
    [own, label.trim(), 'sleep 986'],
    [own, label.trim(), 'sleep 987'],
  ]);
  await ask(job.berth, 'rm', '-f', id);
});
