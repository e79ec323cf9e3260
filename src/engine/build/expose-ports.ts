import { EngineError } from '../../errors.ts';

const MAX_PORT = 65_535;
const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

/** What `EXPOSE` words come to, each as `port/proto`: `80`, `80-82/udp`, `127.0.0.1:8080:80`; InvalidArgument in dockerd's words. */
export function parseExposedPorts(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const [spec = '', protocol = 'tcp'] = word.split('/');
    const container = spec.slice(spec.lastIndexOf(':') + 1);
    if (container === '')
      throw new EngineError('InvalidArgument', `No port specified: ${word.slice(0, 100)}<empty>`);
    if (!PROTOCOLS.has(protocol.toLowerCase()))
      throw new EngineError('InvalidArgument', `Invalid proto: ${protocol.slice(0, 100)}`);
    return portsOf(container).map((port) => `${port}/${protocol.toLowerCase()}`);
  });
}

function portsOf(text: string): readonly number[] {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from > to || to > MAX_PORT)
    throw new EngineError('InvalidArgument', `Invalid containerPort: ${text.slice(0, 100)}`);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
