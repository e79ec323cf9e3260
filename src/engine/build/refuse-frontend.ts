import type { Dockerfile, Instruction } from '../../dockerfile/types.ts';
import { EngineError } from '../../errors.ts';

/**
 * Only the frontend that is built in can be asked for, by the Dockerfile or by the argument that stands for its directive:
 * others would be programs out of images, run by the builder.
 */
export function refuseFrontend(
  { syntax }: Pick<Dockerfile, 'syntax'>,
  buildArgs: Readonly<Record<string, string | null>>,
): void {
  for (const asked of [syntax, buildArgs['BUILDKIT_SYNTAX'] ?? '']) {
    const [image = ''] = asked.split(/\s/, 1);
    if (image === '' || /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(image))
      continue;
    throw new EngineError(
      'NotImplemented',
      `# syntax=${image.slice(0, 200)} is not supported: only docker/dockerfile, which is built in`,
    );
  }
}

const NETWORKS = ['', 'default', 'none', 'host'];

/** Refuses what of a RUN takes an entitlement. */
export function refuseEntitlements({ network, security }: Instruction & { readonly kind: 'RUN' }): void {
  if (!NETWORKS.includes(network))
    throw new EngineError('InvalidArgument', `unsupported network mode ${JSON.stringify(network)}`);
  if (network === 'host')
    throw new EngineError(
      'PermissionDenied',
      'RUN --network=host is refused: it takes the entitlement network.host, which no build is given',
    );
  if (security !== '' && security !== 'sandbox')
    throw new EngineError(
      'PermissionDenied',
      `RUN --security=${security} is refused: it takes the entitlement security.insecure, which no build is given`,
    );
}
