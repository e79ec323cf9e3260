import type { Container } from '../../state/container.ts';
import type { PortSummary } from '../../wire/container-summary.ts';
import { describePorts } from './describe-networks.ts';

/** `Ports` of the list: one entry per published address, and one for each port that is only exposed. */
export function summarizePorts(container: Container): readonly PortSummary[] {
  return Object.entries(describePorts(container)).flatMap(([key, bindings]): readonly PortSummary[] => {
    const [port = '', type = 'tcp'] = key.split('/', 2);
    const exposed = { PrivatePort: Number(port), Type: type };
    if (!bindings || bindings.length === 0) return [exposed];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, ...exposed, PublicPort: Number(HostPort) }));
  });
}
