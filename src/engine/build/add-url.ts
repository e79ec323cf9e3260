import { createHash } from 'node:crypto';
import { mkdir, open, utimes } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { EngineError } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { OpenedUrl } from '../../network/types.ts';
import type { BuildRun } from './build-run.ts';
import type { CopySource } from './copy-sources.ts';

const URL_MODE = 0o600;
const BAD_REQUEST = 400;
const CHECKSUM = /^sha256:[0-9a-f]{64}$/;

/** What ADD says of a URL. */
export interface UrlSource {
  readonly url: string;
  /** Empty, or what the content's digest has to be. */
  readonly checksum: string;
  readonly destination: string;
}

/** Fetches what ADD takes of a URL, by the job's egress rules: a file of mode 600, dated as the server says. */
export async function fetchUrlSource(run: BuildRun, source: UrlSource): Promise<CopySource> {
  const { job, signal } = run;
  checkChecksum(source);
  const opened = await job.network.openUrl(source.url, signal);
  try {
    if (opened.status >= BAD_REQUEST)
      throw new EngineError('Unavailable', `failed to GET ${source.url} with status ${opened.status}`);
    const name = nameOf(source, opened);
    const directory = join(run.scratch, `url-${createRandomId()}`);
    await mkdir(directory, { mode: 0o700 });
    const path = join(directory, 'content');
    const digest = await writeBody(run, opened, path);
    if (source.checksum !== '' && source.checksum !== digest)
      throw new EngineError(
        'InvalidArgument',
        `digest mismatch for ${source.url}: expected ${source.checksum}, got ${digest}`,
      );
    const seconds = modifiedAt(opened, run.epochSeconds);
    await utimes(path, seconds, seconds);
    const root = await job.rootfs.openMounts(
      [{ type: 'bind', source: directory, target: '', options: ['rbind', 'ro'] }],
      { isOwn: true },
    );
    run.undo.defer('fetched file', () => root.close());
    const hash = await job.buildFiles.hash({ root, path: '/content' }, { isExcluded: () => false, signal });
    return {
      root,
      path: '/content',
      name,
      below: name,
      isDirectory: false,
      isExcluded: () => false,
      isFetched: true,
      hash,
    };
  } finally {
    opened.body.destroy();
  }
}

function checkChecksum({ checksum }: UrlSource): void {
  if (checksum === '' || CHECKSUM.test(checksum)) return;
  throw new EngineError('InvalidArgument', `unsupported digest ${checksum.slice(0, 200)}: sha256 alone is`);
}

/** As dockerd: of the path, else of Content-Disposition; without any, the destination must be a file's name. */
function nameOf({ url, destination }: UrlSource, { contentDisposition }: OpenedUrl): string {
  const { pathname } = new URL(url);
  const [, quoted, plain] = /;\s*filename=(?:"([^"/]+)"|([^\s;"/]+))/i.exec(contentDisposition) ?? [];
  const name = pathname.endsWith('/') ? (quoted ?? plain ?? '') : posix.basename(decodePath(pathname));
  if (name === '.' || name === '..' || name === '') {
    if (destination.endsWith('/'))
      throw new EngineError('InvalidArgument', `cannot determine filename for source ${url}`);
    return '__unnamed__';
  }
  return name;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Answers the content's digest. */
async function writeBody({ job }: BuildRun, { body }: OpenedUrl, path: string): Promise<string> {
  const { layerBytes } = job.settings.limits;
  const hash = createHash('sha256');
  const file = await open(path, 'wx', URL_MODE);
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > layerBytes)
        throw new EngineError('InvalidArgument', `the answer is larger than ${layerBytes} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Seconds since 1970; nothing said is 1970, as in dockerd. */
function modifiedAt({ lastModified }: OpenedUrl, epochSeconds: number | undefined): number {
  const said = Date.parse(lastModified) / 1000;
  const seconds = Number.isFinite(said) && said > 0 ? Math.floor(said) : 0;
  return epochSeconds === undefined ? seconds : Math.min(seconds, epochSeconds);
}
