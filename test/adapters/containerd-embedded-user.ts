import { acquireEmbedded } from '../../src/containerd/embedded.ts';
import { embeddedOptions } from '../support/real-containerd.ts';

// Uses the embedded containerd of the root in argv until it is killed.
const embedded = await acquireEmbedded(await embeddedOptions(process.argv[2] ?? ''));
process.send?.(embedded.address);
setInterval(() => undefined, 60_000);
