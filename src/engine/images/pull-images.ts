import { EngineError } from '../../errors.ts';
import { familiarName } from '../../oci/reference.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Job } from '../job.ts';
import { hostPlatform } from './host-platform.ts';
import { pullImage, pullTag, tellPulled, type PullRequest } from './pull-image.ts';

/** `docker pull`, also with `--all-tags`: a reference without tag and digest stands for every tag of the repository. */
export async function pullImages(job: Job, request: PullRequest): Promise<void> {
  const { reference, credentials, signal } = request;
  if (reference.tag !== undefined || reference.digest !== undefined) {
    await pullImage(job, request);
    return;
  }
  if (request.platform !== '') parsePlatform(request.platform, hostPlatform(job));
  const repository = job.registry.open({
    reference,
    familiarName: familiarName(reference),
    ...(credentials ? { credentials } : {}),
    signal: AbortSignal.any([signal, job.signal]),
  });
  const tags = await repository.listTags();
  if (tags.length === 0) throw new EngineError('NotFound', `no tags of ${familiarName(reference)} to pull`);
  let isNew = false;
  for (const tag of tags) {
    const pulled = await pullTag(job, { ...request, reference: { ...reference, tag } });
    isNew ||= pulled.isNew;
  }
  tellPulled(job, request, { isNew });
}
