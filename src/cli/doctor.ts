import { parseArgs } from 'node:util';
import { checkHost, type HostCheck } from '../job/check-host.ts';

/** `berth doctor`: what of the host is there, what is missing; 0 only where every needed thing is. */
export async function doctor(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean' } }, strict: true });
  const checks = await checkHost();
  process.stdout.write(values.json ? `${JSON.stringify({ checks })}\n` : checks.map(formatCheck).join(''));
  return checks.every(({ outcome }) => outcome !== 'missing') ? 0 : 1;
}

function formatCheck({ name, outcome, detail }: HostCheck): string {
  return `${outcome.padEnd(8)} ${name.padEnd(22)} ${detail}\n`;
}
