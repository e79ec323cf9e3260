#!/bin/bash
# A server that forwards ports for root, whose password is $PASSWORD.
set -euo pipefail
printf 'root:%s:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n' "$(openssl passwd -6 "$PASSWORD")" >/etc/shadow
echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
mkdir -p /run/sshd /etc/ssh
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
exec /usr/sbin/sshd -D -e -f /dev/null -o HostKey=/etc/ssh/ssh_host_ed25519_key -o PermitRootLogin=yes \
  -o UsePAM=no -o PasswordAuthentication=yes -o AllowTcpForwarding=yes -o GatewayPorts=yes -o AddressFamily=inet
