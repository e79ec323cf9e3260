import { openNetnsEntry } from '../../src/host/netns.ts';
import { openUrl } from '../../src/network/open-url.ts';

// A process of its own, since Node reads once whom it trusts: fetches a URL from a namespace and writes what came of it.

const [url = '', netnsPath = ''] = process.argv.slice(2);
const access = {
  ...{ netns: await openNetnsEntry(), netnsPath, hasRules: true },
  egress: { kind: 'internet', allow: [] },
  openIpv6Exit: () => Promise.resolve(false),
} as const;
try {
  const { status, body } = await openUrl(access, url, AbortSignal.timeout(20_000));
  body.destroy();
  process.stdout.write(String(status));
} catch (error) {
  process.stdout.write(String(error));
}
