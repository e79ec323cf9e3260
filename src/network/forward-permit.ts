import { expectSuccess, type NetTools, type Place } from './net-tools.ts';

type Program = 'iptables-nft' | 'iptables-legacy';

/** Whose traffic is let through, and the comment its rules are found by. */
export interface ForwardPermit {
  readonly link: string;
  readonly mark: string;
}

/**
 * Hosts with Docker or a firewall drop what iptables' FORWARD chain does not accept, whatever a table of our own
 * says: an accept there is put in front for the link. Does nothing where iptables is not in use.
 */
export async function permitForwarding(tools: NetTools, place: Place, permit: ForwardPermit): Promise<void> {
  for (const program of await programsInUse(tools, place)) {
    const present = new Set(await rulesOf(tools, place, program));
    const missing = ['-i', '-o']
      .map((direction) => `FORWARD ${direction} ${permit.link} -m comment --comment ${permit.mark} -j ACCEPT`)
      .filter((rule) => !present.has(`-A ${rule}`));
    if (missing.length === 0) continue;
    const result = await restore(tools, place, { program, lines: missing.map((rule) => `-I ${rule}`) });
    expectSuccess(result, program);
  }
}

/** Removes every FORWARD rule with the mark as its comment; answers what could not be removed. */
export async function withdrawForwarding(
  tools: NetTools,
  place: Place,
  mark: string,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const program of await programsInUse(tools, place)) {
    const own = (await rulesOf(tools, place, program)).filter((rule) => hasComment(rule, mark));
    if (own.length === 0) continue;
    const lines = own.map((rule) => rule.replace(/^-A/, '-D'));
    const result = await restore(tools, place, { program, lines });
    if (result.code !== 0) left.push(...own.map((rule) => `${program} rule: ${rule}`));
  }
  return left;
}

// Asking iptables itself would create its tables where there are none.
async function programsInUse(tools: NetTools, place: Place): Promise<readonly Program[]> {
  const [nft, legacy] = await Promise.all([
    tools.run(place, ['nft', 'list', 'chain', 'ip', 'filter', 'FORWARD']),
    tools.run(place, ['cat', '/proc/net/ip_tables_names']),
  ]);
  const programs: Program[] = nft.code === 0 ? ['iptables-nft'] : [];
  return legacy.stdout.split('\n').includes('filter') ? [...programs, 'iptables-legacy'] : programs;
}

async function rulesOf(tools: NetTools, place: Place, program: Program): Promise<readonly string[]> {
  const { stdout } = expectSuccess(await tools.run(place, [program, '-w', '-S', 'FORWARD']), program);
  return stdout.split('\n').filter((line) => line.startsWith('-A '));
}

function hasComment(rule: string, mark: string): boolean {
  const words = rule.split(' ');
  const at = words.indexOf('--comment');
  return at >= 0 && words[at + 1]?.replaceAll('"', '') === mark;
}

interface Restore {
  readonly program: Program;
  readonly lines: readonly string[];
}

function restore(tools: NetTools, place: Place, { program, lines }: Restore): ReturnType<NetTools['run']> {
  const text = `*filter\n${lines.map((line) => `${line}\n`).join('')}COMMIT\n`;
  return tools.run(place, [`${program}-restore`, '-w', '--noflush'], text);
}
