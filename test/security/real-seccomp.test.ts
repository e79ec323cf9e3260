import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useJob } from '../support/e2e-job.ts';
import { inDockersFormat } from '../support/seccomp-format.ts';

// Seccomp profiles of a client's own, as docker sends them: those that take something away are in force, no others.

const job = useJob();
let directory: string;

beforeAll(() => {
  directory = mkdtempSync('/tmp/berth-seccomp-');
});
afterAll(() => rmSync(directory, { recursive: true }));

async function runUnder(profile: unknown, script: string): Promise<{ code: number; output: string }> {
  const file = join(directory, 'profile.json');
  writeFileSync(file, JSON.stringify(profile));
  const args = ['run', '--rm', '--security-opt', `seccomp=${file}`, 'busybox', 'sh', '-c', script];
  const { code, stdout, stderr } = await job.berth.docker(args);
  return { code, output: stdout + stderr };
}

describe('a seccomp profile', () => {
  test('that allows less is in force', async () => {
    const script = 'mkdir /new; touch /file && grep Seccomp: /proc/self/status';
    const { code, output } = await runUnder(inDockersFormat(['mkdir', 'mkdirat']), script);
    expect(output).toContain("can't create directory '/new': Operation not permitted");
    expect(output).toMatch(/Seccomp:\s+2/);
    expect(code).toBe(0);
  });

  test('that allows one call more is refused by its name', async () => {
    const { syscalls, ...profile } = inDockersFormat();
    const more = [...(syscalls as readonly unknown[]), { names: ['unshare'], action: 'SCMP_ACT_ALLOW' }];
    const { code, output } = await runUnder({ ...profile, syscalls: more }, 'true');
    expect(output).toContain('allows unshare');
    expect(code).toBe(125);
  });
});
