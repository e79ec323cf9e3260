import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

/** What a relay of datagrams needs. */
export interface DatagramRelay {
  /** A bound IPv6 socket, which becomes the relay's. */
  readonly fd: number;
  /** Where datagrams go now, and an unbound IPv4 socket to send them from; undefined where nobody takes them. */
  readonly open: () => { readonly fd: number; readonly address: string; readonly port: number } | undefined;
}

/** How many clients have a socket of their own at once: who has been silent for longest gives way. */
const maxClients = 256;
/** As docker-proxy's. */
const silentMs = 90_000;
const sweepMs = 10_000;

interface Client {
  readonly upstream: Socket;
  readonly address: string;
  readonly port: number;
  seenAt: number;
}

/** Carries datagrams between clients over IPv6 and a container over IPv4, each client from a socket of its own; answers its end. */
export function relayDatagrams({ fd, open }: DatagramRelay): () => void {
  // In the order in which they were last heard of.
  const clients = new Map<string, Client>();
  const front = createSocket('udp6').bind({ fd });
  const drop = (key: string, client: Client): void => {
    if (clients.delete(key)) client.upstream.close();
  };
  const admit = (key: string, from: RemoteInfo): Client | undefined => {
    const target = open();
    if (!target) return undefined;
    const [oldest] = clients;
    if (oldest && clients.size >= maxClients) drop(...oldest);
    const upstream = createSocket('udp4').bind({ fd: target.fd });
    const client = { upstream, address: target.address, port: target.port, seenAt: 0 };
    upstream.on('error', () => drop(key, client));
    upstream.on('message', (answer, { address, port }) => {
      if (address !== client.address || port !== client.port) return;
      client.seenAt = Date.now();
      front.send(answer, from.port, from.address, () => undefined);
    });
    return client;
  };
  front.on('error', () => undefined);
  front.on('message', (message, from) => {
    const key = `${from.address} ${from.port}`;
    const client = clients.get(key) ?? admit(key, from);
    if (!client) return;
    client.seenAt = Date.now();
    clients.delete(key);
    clients.set(key, client);
    client.upstream.send(message, client.port, client.address, () => undefined);
  });
  const sweep = setInterval(() => {
    for (const [key, client] of clients) if (Date.now() - client.seenAt > silentMs) drop(key, client);
  }, sweepMs).unref();
  return () => {
    clearInterval(sweep);
    front.close();
    for (const [key, client] of clients) drop(key, client);
  };
}
