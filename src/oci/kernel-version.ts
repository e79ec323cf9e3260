/** True when a kernel's release (`6.1.0-18-amd64`) is at least `major.minor`; false for one that cannot be read. */
export function isKernelAtLeast(release: string, minimum: string): boolean {
  const [major, minor] = numbersOf(release);
  const [leastMajor, leastMinor] = numbersOf(minimum);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function numbersOf(release: string): readonly [major: number, minor: number] {
  const [, major = '0', minor = '0'] = /^([0-9]+)\.([0-9]+)/.exec(release) ?? [];
  return [Number(major), Number(minor)];
}
