import { expectSuccess, type NetTools, type Place } from './net-tools.ts';

const programs = {
  ip: { nft: 'iptables-nft', legacy: 'iptables-legacy', names: 'ip_tables_names' },
  ip6: { nft: 'ip6tables-nft', legacy: 'ip6tables-legacy', names: 'ip6_tables_names' },
} as const;

type Family = keyof typeof programs;
type Program = (typeof programs)[Family]['nft' | 'legacy'];

/** Whose traffic is let through, and the comment its rules are found by. */
export interface ForwardPermit {
  readonly link: string;
  readonly mark: string;
  readonly families: readonly Family[];
}

/**
 * Hosts with Docker or a firewall drop what iptables' FORWARD chain does not accept, whatever a table of our own
 * says: an accept there is put in front for the link. Does nothing where iptables is not in use.
 */
export async function permitForwarding(tools: NetTools, place: Place, permit: ForwardPermit): Promise<void> {
  for (const program of await programsInUse(tools, place, permit.families)) {
    const present = new Set(await rulesOf(tools, place, program));
    const missing = ['-i', '-o']
      .map((direction) => `FORWARD ${direction} ${permit.link} -m comment --comment ${permit.mark} -j ACCEPT`)
      .filter((rule) => !present.has(`-A ${rule}`));
    if (missing.length === 0) continue;
    const result = await restore(tools, place, { program, lines: missing.map((rule) => `-I ${rule}`) });
    expectSuccess(result, program);
  }
}

/** Removes the FORWARD rules with the mark as their comment, of all links or of one; answers what could not be removed. */
export async function withdrawForwarding(
  tools: NetTools,
  place: Place,
  { mark, link }: { readonly mark: string; readonly link?: string },
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const program of await programsInUse(tools, place, ['ip', 'ip6'])) {
    const own = (await rulesOf(tools, place, program)).filter(
      (rule) => hasComment(rule, mark) && (link === undefined || rule.split(' ').includes(link)),
    );
    if (own.length === 0) continue;
    const lines = own.map((rule) => rule.replace(/^-A/, '-D'));
    const result = await restore(tools, place, { program, lines });
    if (result.code !== 0) left.push(...own.map((rule) => `${program} rule: ${rule}`));
  }
  return left;
}

// Asking iptables itself would create its tables where there are none.
async function programsInUse(
  tools: NetTools,
  place: Place,
  families: readonly Family[],
): Promise<readonly Program[]> {
  const found = await Promise.all(
    families.map(async (family): Promise<readonly Program[]> => {
      const { nft, legacy, names } = programs[family];
      const tables = tools.readProcNet(place, names).split('\n');
      return [
        ...((await tools.hasChain(place, family, { table: 'filter', name: 'FORWARD' })) ? [nft] : []),
        ...(tables.includes('filter') ? [legacy] : []),
      ];
    }),
  );
  return found.flat();
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
