/** The profile that Docker's containers run under, by its name. */
export const DEFAULT_PROFILE = 'docker-default';

/**
 * Its text where nobody has loaded one: a container's own files, processes and networks are free, mounting and the
 * kernel's files that reach the machine are not. The read-only and masked paths stand before all of it.
 */
export const DEFAULT_PROFILE_TEXT = `
profile ${DEFAULT_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  file,
  network,
  unix,
  capability,
  umount,
  signal (receive) peer=unconfined,
  signal (send,receive) peer=${DEFAULT_PROFILE},
  ptrace (trace,read,tracedby,readby) peer=${DEFAULT_PROFILE},

  deny mount,
  deny /proc/{kcore,kmem,mem,sysrq-trigger} rwklx,
  deny /proc/{acpi,bus,driver,fs,irq,scsi,tty}/** wklx,
  deny /proc/sys/{abi,crypto,debug,dev,user,vm}/** wklx,
  deny /proc/sys/fs/{binfmt_misc,protected_*,suid_dumpable}{,/**} wklx,
  deny /proc/sys/kernel/{core_*,hotplug,modprobe,modules_disabled,sysrq,usermodehelper/**} wklx,
  deny /sys/{block,bus,class,dev,devices,firmware,hypervisor,kernel,module,power}/** wklx,
  deny /sys/{firmware,kernel/debug,kernel/security,kernel/tracing}/** rwklx,
}
`;
