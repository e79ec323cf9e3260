import { parseReference } from '../../oci/reference.ts';
import { pushImage } from '../images/push-image.ts';
import type { Job } from '../job.ts';
import { loginOf } from './session-login.ts';
import type { SolveOptions } from './solve-build.ts';
import { SolveSteps } from './solve-steps.ts';

/** Pushes what was built under its names, with the logins of the client, and tells it as steps. */
export async function pushNames(job: Job, { solve, decoded, report }: SolveOptions): Promise<void> {
  const { session, signal, ref } = solve;
  const steps = new SolveSteps(`${ref} push`, report);
  for (const name of decoded.request.tags) {
    const reference = parseReference(name);
    const step = await steps.begin(`pushing ${name}`);
    const credentials = await loginOf(session, reference.domain);
    try {
      await pushImage(job, {
        reference: { ...reference, tag: reference.tag ?? 'latest' },
        platform: '',
        ...(credentials ? { credentials } : {}),
        report: () => undefined,
        signal,
      });
      await step.end({});
    } catch (error) {
      await step.end({ error });
      throw error;
    }
  }
}
