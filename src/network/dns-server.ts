import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, Socket } from 'node:net';

import type { NetnsEntry } from '../host/netns.ts';
import { answerFromNetworks, type Neighbours } from './dns-names.ts';
import { formatAnswer, formatFailure, parseQuery, responseCodes, type DnsQuestion } from './dns-message.ts';

/** What one container's resolver works with. */
export interface DnsServerOptions {
  readonly netns: NetnsEntry;
  readonly netnsPath: string;
  readonly address: string;
  readonly port: number;
  readonly neighbours: () => Neighbours;
  /** IPv4 servers for other names, asked from the container's namespace: its walls are theirs. */
  readonly upstream: readonly string[];
}

/** A resolver that runs. */
export interface DnsServer {
  close(): void;
}

const maxForwards = 128;
const maxConnections = 64;
const maxTcpBytes = 4096;
const serverTimeoutMs = 2000;
const idleMs = 10_000;

/** Answers a container's questions over UDP and TCP, on sockets in its own namespace. */
export function startDnsServer(options: DnsServerOptions): DnsServer {
  const { netns, netnsPath, address, port } = options;
  const forwarder = createForwarder(options);
  const udp = createSocket('udp4').bind({ fd: netns.listen(netnsPath, { protocol: 'udp', address, port }) });
  udp.on('error', () => undefined);
  udp.on('message', (message: Buffer, from: RemoteInfo) => {
    void answer(options, { message, isTcp: false, forwarder }).then((response) => {
      if (response && forwarder.isOpen()) udp.send(response, from.port, from.address, () => undefined);
    });
  });
  const clients = new Set<Socket>();
  const tcp = createServer((client) => {
    if (clients.size >= maxConnections) {
      client.destroy();
      return;
    }
    clients.add(client);
    client.setTimeout(idleMs, () => client.destroy());
    client.on('error', () => client.destroy());
    client.on('close', () => clients.delete(client));
    serveConnection(client, (message) => answer(options, { message, isTcp: true, forwarder }));
  });
  tcp.on('error', () => undefined);
  tcp.listen({ fd: netns.listen(netnsPath, { protocol: 'tcp', address, port }) });
  return {
    close() {
      forwarder.close();
      udp.close();
      tcp.close();
      for (const client of clients) client.destroy();
    },
  };
}

interface Asking {
  readonly message: Buffer;
  readonly isTcp: boolean;
  readonly forwarder: Forwarder;
}

async function answer(options: DnsServerOptions, asking: Asking): Promise<Buffer | undefined> {
  const question = parseQuery(asking.message);
  if (!question) return undefined;
  const own = answerFromNetworks(question, options.neighbours());
  if (own) return formatAnswer(question, own, asking.isTcp ? 65_535 : question.maxBytes);
  return (
    (await asking.forwarder.ask(asking.message, question, asking.isTcp)) ??
    formatFailure(question, responseCodes.serverFailure)
  );
}

function serveConnection(client: Socket, respond: (message: Buffer) => Promise<Buffer | undefined>): void {
  let waiting: Buffer = Buffer.alloc(0);
  let isBusy = false;
  const next = (): void => {
    if (isBusy || waiting.length < 2) return;
    const length = waiting.readUInt16BE(0);
    if (length > maxTcpBytes) {
      client.destroy();
      return;
    }
    if (waiting.length < 2 + length) return;
    const message = waiting.subarray(2, 2 + length);
    waiting = waiting.subarray(2 + length);
    isBusy = true;
    void respond(message).then((response) => {
      isBusy = false;
      if (!response || client.destroyed) client.destroy();
      else client.write(withLength(response), next);
    });
  };
  client.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    // One question at a time: who sends on without reading answers is not waited for.
    if (waiting.length > 4 * maxTcpBytes) client.destroy();
    else next();
  });
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}

interface Forwarder {
  ask(message: Buffer, question: DnsQuestion, isTcp: boolean): Promise<Buffer | undefined>;
  isOpen(): boolean;
  close(): void;
}

function createForwarder({ netns, netnsPath, upstream }: DnsServerOptions): Forwarder {
  const pending = new Set<() => void>();
  let isOpen = true;
  const attempt = (start: (done: (response?: Buffer) => void) => () => void): Promise<Buffer | undefined> =>
    new Promise((resolve) => {
      const finish = (response?: Buffer): void => {
        clearTimeout(timer);
        pending.delete(cancel);
        stop();
        resolve(response);
      };
      let stop = (): void => undefined;
      const cancel = (): void => finish();
      const timer = setTimeout(cancel, serverTimeoutMs);
      pending.add(cancel);
      stop = start(finish);
    });
  return {
    isOpen: () => isOpen,
    async ask(message, question, isTcp) {
      let refusal: Buffer | undefined;
      for (const server of upstream) {
        if (!isOpen || pending.size >= maxForwards) return refusal;
        const fd = netns.open(netnsPath, isTcp ? 'tcp' : 'udp');
        const response = await attempt((done) =>
          isTcp ? askTcp(fd, { server, message, done }) : askUdp(fd, { server, message, done }),
        );
        if (!response || !isResponseTo(response, question)) continue;
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

interface Forward {
  readonly server: string;
  readonly message: Buffer;
  readonly done: (response?: Buffer) => void;
}

function askUdp(fd: number, { server, message, done }: Forward): () => void {
  const socket: DatagramSocket = createSocket('udp4');
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
