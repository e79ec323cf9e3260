import { buildImage } from '../test/support/image-builder.ts';
import { dockerArchive } from '../test/support/image-builder-archives.ts';

// Writes a docker-archive tar of a small image, made from this machine's busybox, to stdout: make-demo-image NAME

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: make-demo-image NAME');
const image = await buildImage({ cmd: ['sh'], labels: { purpose: 'demonstration' } });
process.stdout.write(await dockerArchive([{ image, tags: [name] }]));
