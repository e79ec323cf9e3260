import koffi from 'koffi';

import { systemError } from './native.ts';

/** The system calls that sockets of other namespaces need; a failure is an errno error. */
export interface NetnsCalls {
  /** Moves this thread into the network namespace of the descriptor. */
  setns(fd: number): void;
  socket(family: number, type: number): number;
  /** Sets an option to one. */
  setOption(fd: number, level: number, option: number): void;
  /** `name` is a struct sockaddr. */
  bind(fd: number, name: Buffer): void;
  listen(fd: number, backlog: number): void;
}

const cloneNewnet = 0x40000000;

/** Binds the functions. Importing this file takes milliseconds: do it when they are needed. */
export function openNetnsCalls(): NetnsCalls {
  const library = koffi.load(null);
  const define = (name: string, parameters: readonly string[]): ((...args: readonly unknown[]) => number) => {
    const call = library.func(name, 'int', [...parameters]) as (...args: readonly unknown[]) => number;
    return (...args) => {
      const result = call(...args);
      if (result < 0) throw systemError(name, koffi.errno(), 'network namespace');
      return result;
    };
  };
  const setns = define('setns', ['int', 'int']);
  const socket = define('socket', ['int', 'int', 'int']);
  const setsockopt = define('setsockopt', ['int', 'int', 'int', 'void *', 'uint32']);
  const bind = define('bind', ['int', 'void *', 'uint32']);
  const listen = define('listen', ['int', 'int']);
  const one = Buffer.from(Uint32Array.of(1).buffer);
  return {
    setns: (fd) => void setns(fd, cloneNewnet),
    socket: (family, type) => socket(family, type, 0),
    setOption: (fd, level, option) => void setsockopt(fd, level, option, one, one.length),
    bind: (fd, name) => void bind(fd, name, name.length),
    listen: (fd, backlog) => void listen(fd, backlog),
  };
}
