import koffi from 'koffi';

import { systemError } from './system-error.ts';

/** The system calls that namespaces and their sockets need; a failure is an errno error. */
export interface NetnsCalls {
  /** Moves this thread into the network namespace of the descriptor. */
  setns(fd: number): void;
  /** Moves this thread into a new network namespace. */
  unshare(): void;
  socket(family: number, type: number, protocol?: number): number;
  /** Sets an option to one. */
  setOption(fd: number, level: number, option: number): void;
  /** `name` is a struct sockaddr. */
  bind(fd: number, name: Buffer): void;
  listen(fd: number, backlog: number): void;
  /** Sends on another thread: what the kernel does with the bytes may take its time. */
  send(fd: number, bytes: Buffer): Promise<void>;
  /** Fills the buffer with what has come already; answers how many bytes that is. */
  receive(fd: number, buffer: Buffer): number;
}

const cloneNewnet = 0x40000000;

type Call = (...args: readonly unknown[]) => number;
type AsyncCall = (...args: readonly unknown[]) => void;

/** Binds the functions. Importing this file takes milliseconds: do it when they are needed. */
export function openNetnsCalls(): NetnsCalls {
  const library = koffi.load(null);
  const failure = (name: string): Error => systemError(name, koffi.errno(), 'network namespace');
  const define = (name: string, parameters: readonly string[]): Call => {
    const call = library.func(name, 'int', [...parameters]) as Call;
    return (...args) => {
      const result = call(...args);
      if (result < 0) throw failure(name);
      return result;
    };
  };
  const setns = define('setns', ['int', 'int']);
  const unshare = define('unshare', ['int']);
  const socket = define('socket', ['int', 'int', 'int']);
  const setsockopt = define('setsockopt', ['int', 'int', 'int', 'void *', 'uint32']);
  const bind = define('bind', ['int', 'void *', 'uint32']);
  const listen = define('listen', ['int', 'int']);
  const receive = define('recv', ['int', 'void *', 'size_t', 'int']);
  const sendAsync = library.func('send', 'int', ['int', 'void *', 'size_t', 'int']).async as AsyncCall;
  const one = Buffer.from(Uint32Array.of(1).buffer);
  return {
    setns: (fd) => void setns(fd, cloneNewnet),
    unshare: () => void unshare(cloneNewnet),
    socket: (family, type, protocol = 0) => socket(family, type, protocol),
    setOption: (fd, level, option) => void setsockopt(fd, level, option, one, one.length),
    bind: (fd, name) => void bind(fd, name, name.length),
    listen: (fd, backlog) => void listen(fd, backlog),
    receive: (fd, buffer) => receive(fd, buffer, buffer.length, 0),
    send: (fd, bytes) =>
      new Promise((resolve, reject) => {
        sendAsync(fd, bytes, bytes.length, 0, (error: unknown, result: number) => {
          if (error instanceof Error) reject(error);
          else if (result < 0) reject(failure('send'));
          else resolve();
        });
      }),
  };
}
