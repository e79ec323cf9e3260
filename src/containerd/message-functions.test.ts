import protobuf from 'protobufjs/light.js';
import { describe, expect, it } from 'vitest';
import tasks from './generated/tasks.json' with { type: 'json' };
import { generateWhenCalled } from './message-functions.ts';

const CREATE = 'containerd.services.tasks.v1.CreateTaskRequest';
const REQUEST = {
  container_id: 'c',
  rootfs: [
    { type: 'overlay', source: 'overlay', options: ['lowerdir=/a', 'upperdir=/b'] },
    { type: 'bind', source: '/x' },
  ],
  terminal: true,
  options: { type_url: 'containerd.runc.v1.Options', value: Buffer.from([1, 2, 3]) },
};

/** The type, and the one of an Any inside it. */
function readTypes(): { readonly create: protobuf.Type; readonly any: protobuf.Type } {
  const root = protobuf.Root.fromJSON(tasks as object);
  root.resolveAll();
  return { create: root.lookupType(CREATE), any: root.lookupType('google.protobuf.Any') };
}

/** Not as methods: they are only held against each other. */
function functionsOf(type: protobuf.Type): Readonly<Record<string, unknown>> {
  const { encode, decode, fromObject, toObject, verify } = type as unknown as Readonly<
    Record<'encode' | 'decode' | 'fromObject' | 'toObject' | 'verify', unknown>
  >;
  return { encode, decode, fromObject, toObject, verify };
}

function prepared(): ReturnType<typeof readTypes> {
  const types = readTypes();
  generateWhenCalled(types.create.root);
  return types;
}

describe('generateWhenCalled', () => {
  it('encodes and decodes as protobufjs does by itself, messages inside of others included', () => {
    const own = readTypes().create;
    const bytes = own.encode(own.fromObject(REQUEST)).finish();
    const { create } = prepared();
    expect(create.encode(create.fromObject(REQUEST)).finish()).toEqual(bytes);
    const defaults = { defaults: true };
    expect(create.toObject(create.decode(bytes), defaults)).toEqual(
      own.toObject(own.decode(bytes), defaults),
    );
  });

  it('generates nothing but what is called, for what is inside as well', () => {
    const { create, any } = prepared();
    const waiting = [functionsOf(create), functionsOf(any)];
    create.encode(create.fromObject(REQUEST)).finish();
    for (const [index, now] of [functionsOf(create), functionsOf(any)].entries()) {
      const before = waiting[index];
      expect([now['decode'], now['toObject']]).toEqual([before?.['decode'], before?.['toObject']]);
      expect(now['encode']).not.toBe(before?.['encode']);
      expect(now['fromObject']).not.toBe(before?.['fromObject']);
      // Only a type that is generated as a whole has one of its own.
      expect(now['verify']).toBe(functionsOf(protobuf.Type.prototype)['verify']);
    }
  });
});
