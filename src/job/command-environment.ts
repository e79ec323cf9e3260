/** `NAME=value` pairs as an object; a bare `NAME` takes its value from berth's own environment, as `docker run -e` does. */
export function parseEnvironment(
  entries: readonly string[],
  ownEnv: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const values: [string, string][] = [];
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const name = at < 0 ? entry : entry.slice(0, at);
    const value = at < 0 ? ownEnv[name] : entry.slice(at + 1);
    if (value !== undefined) values.push([name, value]);
  }
  return Object.fromEntries(values);
}
