import { GenericContainer, Network } from 'testcontainers';
import { SCENARIOS } from './scenarios.ts';

// A test run of the job: `session.ts run [NAME…]` prints how each scenario ended, one JSON line each; `session.ts leave`
// ends without having removed what it started, and prints what that is.

const [, , what, ...names] = process.argv;

if (what === 'leave') {
  const network = await new Network().start();
  const container = await new GenericContainer('alpine')
    .withNetwork(network)
    .withCommand(['sleep', '1000'])
    .start();
  print({ container: container.getId(), network: network.getId() });
  // As a test run that was killed: nothing of its own gets to clear up.
  process.kill(process.pid, 'SIGKILL');
}

// Streams of testcontainers do not keep a process alive.
const alive = setInterval(() => undefined, 60_000);
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const began = Date.now();
  const error = await scenario().then(
    () => undefined,
    (reason: unknown) => (reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)),
  );
  print({ name, error, tookMs: Date.now() - began });
}
clearInterval(alive);
process.exit();

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
