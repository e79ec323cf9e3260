import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { Socket } from 'node:net';

import type { NetnsEntry } from '../host/netns.ts';
import { responseCodes, type DnsQuestion } from './dns-message.ts';
import type { Upstream, UpstreamHistory } from './dns-upstreams.ts';

/** Asks other servers what a container's networks do not know. */
export interface Forwarder {
  /** The first answer that is not a refusal, else a refusal; undefined where there is none. */
  ask(message: Buffer, question: DnsQuestion, isTcp: boolean): Promise<Buffer | undefined>;
  isOpen(): boolean;
  close(): void;
}

/** Whom a forwarder asks. */
export interface ForwarderOptions {
  readonly netns: NetnsEntry;
  /** Those to be asked now, first choice first. */
  readonly upstreams: () => readonly Upstream[];
  readonly history: UpstreamHistory;
}

const maxForwards = 128;
const serverTimeoutMs = 2000;
/** IXFR and AXFR. */
const transferTypes: readonly number[] = [251, 252];

/** What became of a question to one server: its answer, that it went wrong at once, or nothing at all. */
type Outcome = Buffer | 'failed' | 'silent';

/** Asks one server after the other: those that lately said nothing come last. */
export function createForwarder({ netns, upstreams, history }: ForwarderOptions): Forwarder {
  const pending = new Set<() => void>();
  let isOpen = true;
  const attempt = ({ address, netnsPath }: Upstream, message: Buffer, isTcp: boolean): Promise<Outcome> =>
    new Promise((resolve) => {
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        pending.delete(cancel);
        stop();
        resolve(outcome);
      };
      let stop = (): void => undefined;
      const cancel = (): void => finish('failed');
      const timer = setTimeout(() => finish('silent'), serverTimeoutMs);
      pending.add(cancel);
      try {
        const family = address.includes(':') ? 6 : 4;
        const fd = netns.open(netnsPath, { protocol: isTcp ? 'tcp' : 'udp', family });
        const done = (response?: Buffer): void => finish(response ?? 'failed');
        stop = (isTcp ? askTcp : askUdp)(fd, { server: address, message, done });
      } catch {
        // No descriptor left, or no such family: the next server, or none, answers.
        finish('failed');
      }
    });
  const ask = async (upstream: Upstream, asked: Asked): Promise<Buffer | undefined> => {
    const outcome = await attempt(upstream, asked.message, asked.isTcp);
    if (outcome !== 'failed') history.record(upstream, outcome === 'silent' ? 'silence' : 'answer');
    return Buffer.isBuffer(outcome) && isResponseTo(outcome, asked.question) ? outcome : undefined;
  };
  return {
    isOpen: () => isOpen,
    async ask(message, question, isTcp) {
      const asked = { message, question, isTcp };
      const { inOrder, due } = history.order(upstreams().filter(mayAnswer(question)));
      // Nobody waits for whether one speaks again.
      if (due && pending.size < maxForwards) void ask(due, asked);
      let refusal: Buffer | undefined;
      for (const upstream of inOrder) {
        if (!isOpen || pending.size >= maxForwards) return refusal;
        const response = await ask(upstream, asked);
        if (!response) continue;
        // One that cannot or will not answer leaves it to the next, if there is one.
        if (!isRefusal(response)) return response;
        refusal ??= response;
      }
      return refusal;
    },
    close() {
      isOpen = false;
      for (const cancel of [...pending]) cancel();
    },
  };
}

// Whole zones are for whom their server trusts: that would be the host, not the job.
function mayAnswer({ type }: DnsQuestion): (upstream: Upstream) => boolean {
  return ({ isRelayed }) => !isRelayed || !transferTypes.includes(type);
}

interface Asked {
  readonly message: Buffer;
  readonly question: DnsQuestion;
  readonly isTcp: boolean;
}

interface Forward {
  readonly server: string;
  readonly message: Buffer;
  readonly done: (response?: Buffer) => void;
}

function askUdp(fd: number, { server, message, done }: Forward): () => void {
  const socket: DatagramSocket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  let isClosed = false;
  socket.on('error', () => done());
  // Connected: the kernel passes on what comes from this server alone.
  socket.on('connect', () => {
    if (!isClosed) socket.send(message, (error) => (error ? done() : undefined));
  });
  socket.on('message', (response) => done(response));
  socket.bind({ fd }, () => {
    if (!isClosed) socket.connect(53, server);
  });
  return () => {
    if (!isClosed) socket.close();
    isClosed = true;
  };
}

function askTcp(fd: number, { server, message, done }: Forward): () => void {
  const options = { fd, readable: true, writable: true, manualStart: true };
  const socket = new Socket(options);
  let received: Buffer = Buffer.alloc(0);
  socket.on('error', () => done());
  socket.on('end', () => done());
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2) return;
    const length = received.readUInt16BE(0);
    if (received.length >= 2 + length) done(received.subarray(2, 2 + length));
  });
  socket.connect(53, server, () => socket.write(withLength(message)));
  return () => socket.destroy();
}

/** A message as TCP carries it. */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}

function isRefusal(response: Buffer): boolean {
  const code = response.readUInt16BE(2) & 15;
  return code === responseCodes.serverFailure || code === responseCodes.refused;
}

function isResponseTo(response: Buffer, { id, section }: DnsQuestion): boolean {
  if (response.length < 12 || response.readUInt16BE(0) !== id || response.readUInt16BE(2) < 0x8000)
    return false;
  const asked = response.subarray(12, 12 + section.length);
  // Servers that refuse may leave the question out.
  return (
    response.readUInt16BE(4) === 0 ||
    asked.toString('latin1').toLowerCase() === section.toString('latin1').toLowerCase()
  );
}
