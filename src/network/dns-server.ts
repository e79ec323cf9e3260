import { createSocket, type RemoteInfo } from 'node:dgram';
import { createServer, type Socket } from 'node:net';

import { createForwarder, withLength, type Forwarder, type ForwarderOptions } from './dns-forwarder.ts';
import { formatAnswer, formatFailure, parseQuery, responseCodes } from './dns-message.ts';
import { answerFromNetworks, type Neighbours } from './dns-names.ts';

/** What one container's resolver works with. */
export interface DnsServerOptions extends ForwarderOptions {
  readonly netnsPath: string;
  readonly address: string;
  readonly port: number;
  readonly neighbours: () => Neighbours;
}

/** A resolver that runs. */
export interface DnsServer {
  close(): void;
}

const maxConnections = 64;
const maxTcpBytes = 4096;
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
