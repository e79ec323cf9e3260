/** A hole through which a container got out, and the first release of each line that has it closed. */
interface Hole {
  readonly cve: string;
  readonly fixedIn: readonly string[];
}

const HOLES: Readonly<Record<'runc' | 'containerd', readonly Hole[]>> = {
  runc: [
    { cve: 'CVE-2019-5736', fixedIn: ['1.0.0-rc7'] },
    { cve: 'CVE-2021-30465', fixedIn: ['1.0.0-rc95'] },
    { cve: 'CVE-2024-21626', fixedIn: ['1.1.12'] },
    { cve: 'CVE-2025-31133', fixedIn: ['1.2.8', '1.3.3', '1.4.0-rc3'] },
    { cve: 'CVE-2025-52565', fixedIn: ['1.2.8', '1.3.3', '1.4.0-rc3'] },
    { cve: 'CVE-2025-52881', fixedIn: ['1.2.8', '1.3.3', '1.4.0-rc3'] },
  ],
  containerd: [
    { cve: 'CVE-2020-15257', fixedIn: ['1.3.9', '1.4.3'] },
    { cve: 'CVE-2022-23648', fixedIn: ['1.4.13', '1.5.10', '1.6.1'] },
    { cve: 'CVE-2024-40635', fixedIn: ['1.6.38', '1.7.27', '2.0.4'] },
    { cve: 'CVE-2024-25621', fixedIn: ['1.7.29', '2.0.7', '2.1.5', '2.2.0'] },
  ],
};

/**
 * Says which known holes a release is too old for; undefined for none, and for a version that cannot be read. Only a
 * hint: distributions mend old releases without changing their number.
 */
export function adviseOn(program: 'runc' | 'containerd', version: string): string | undefined {
  const own = parseVersion(version);
  if (!own) return undefined;
  const open = HOLES[program].filter(({ fixedIn }) => isOlder(own, fixedIn)).map(({ cve }) => cve);
  if (open.length === 0) return undefined;
  return `${program} ${version} is older than the releases that fixed ${open.join(', ')}; see whether your distribution has mended it`;
}

type Version = readonly [major: number, minor: number, patch: number, candidate: number];

function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch, candidate] = /^v?(\d+)\.(\d+)\.(\d+)(?:-rc\.?(\d+))?/.exec(text) ?? [];
  if (major === undefined) return undefined;
  // A release comes after all of its candidates.
  return [
    Number(major),
    Number(minor),
    Number(patch),
    candidate === undefined ? Infinity : Number(candidate),
  ];
}

function isOlder(own: Version, fixedIn: readonly string[]): boolean {
  const fixes = fixedIn.map(parseVersion).filter((fix) => fix !== undefined);
  const sameLine = fixes.find(([major, minor]) => major === own[0] && minor === own[1]);
  const last = fixes.toSorted(compare).at(-1);
  const fix = sameLine ?? last;
  return fix !== undefined && compare(own, fix) < 0;
}

function compare(a: Version, b: Version): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}
