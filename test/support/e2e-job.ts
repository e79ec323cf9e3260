import { afterAll, beforeAll } from 'vitest';
import { startBerth, showLogsOnFailure, type Berth, type BerthOptions } from './e2e-berth.ts';
import { dockerArchive } from './image-builder-archives.ts';
import { buildImage } from './image-builder.ts';

/** A job with the image `busybox:latest` for all tests of a file; ends with them, and fails if it leaves anything. */
export function useJob(options: BerthOptions = {}): { readonly berth: Berth } {
  let berth: Berth | undefined;
  beforeAll(async () => {
    berth = await startBerth(options);
    await loadBusybox(berth);
  });
  afterAll(async () => {
    const end = await berth?.stop();
    if (end?.code !== 0)
      throw new Error(`the job did not end clean: ${JSON.stringify(end)}\n${berth?.logs() ?? ''}`);
  });
  showLogsOnFailure(() => (berth ? [berth] : []));
  return {
    get berth() {
      if (!berth) throw new Error('the job has not started');
      return berth;
    },
  };
}

/** Loads the machine's busybox as `busybox:latest`. */
export async function loadBusybox(berth: Berth): Promise<void> {
  const input = await dockerArchive([{ image: await buildImage({ cmd: ['sh'] }), tags: ['busybox:latest'] }]);
  const { code, stderr } = await berth.docker(['load'], { input });
  if (code !== 0) throw new Error(`docker load failed: ${stderr}`);
}

/** Runs docker and answers its output without the last line's end; a failure throws with all that was printed. */
export async function ask(berth: Berth, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await berth.docker(args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} exited ${String(code)}: ${stdout}${stderr}`);
  return stdout.trimEnd();
}
