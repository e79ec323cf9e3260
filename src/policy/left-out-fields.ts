type Reasons = Readonly<Record<string, string>>;

/**
 * Fields and parameters that some version of Docker's API describes and that are not decoded, with what happens to them.
 * Closed: a test holds it against the names of all versions. A name that sounds as if it widened rights is refused.
 */
export const LEFT_OUT_FIELDS: Readonly<Record<string, Reasons>> = {
  HostConfig: {
    Capabilities: 'of version 1.40 alone; refused with 400, CapAdd and CapDrop say the same',
    DiskQuota: 'never carried out on Linux; answered with a warning',
    NanoCPUs:
      'an old spelling of NanoCpus in the description; refused with 400, as every other case of a name',
  },
  update: {
    DiskQuota: 'never carried out on Linux; answered with a warning',
    Init: 'cannot be changed by an update; answered with a warning',
    NanoCPUs:
      'an old spelling of NanoCpus in the description; refused with 400, as every other case of a name',
  },
  commit: {
    Mounts: 'in the example of version 1.24 alone, and read by no daemon; refused with 400',
  },
};
