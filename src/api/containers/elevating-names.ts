const ELEVATING =
  /privileg|cap|secur|device|seccomp|apparmor|selinux|namespace|userns|mount|bind|cgroup|sysctl|runtime|hook/i;

/** True for a name nobody knows that sounds as if it widened a container's rights: ignoring it would be a guess. */
export function soundsElevating(name: string): boolean {
  // docker-py writes the runtime beside HostConfig as well as into it; only the one inside means anything.
  return ELEVATING.test(name) && name !== 'Runtime';
}
