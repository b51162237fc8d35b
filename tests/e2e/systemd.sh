#!/usr/bin/env bash
# systemd.sh VIGIA UNIT CONFIG PORT REPORT: runs the unit under a systemd of its own and writes what
# happened to REPORT, a line for each step. Exits with 77 where that is not possible.
#
# systemd is process 1 of new namespaces; what it and the unit write goes to memory. It starts
# nothing but the unit: no target of the system is ever reached.
set -euo pipefail

if [ "$1" != --inside ]; then
  exec timeout -s KILL 120 unshare --pid --fork --kill-child --mount --uts --ipc --cgroup \
    --mount-proc -- "$0" --inside "$@"
fi
vigia=$2 unit=$3 config=$4 port=$5 report=$6

cannot() { echo "cannot: $*" >>"$report"; exit 77; }

mount --make-rprivate / || cannot 'change mounts'
exec 3<"$vigia" 4<"$unit" 5<"$config"  # which may lie where something is mounted below
mount -t tmpfs none /run
mkdir -p /run/trial /run/systemd/system/vigia.service.d
touch /run/trial/report
mount --bind "$report" /run/trial/report
for folder in etc var usr/bin; do
  mkdir -p "/run/trial/upper/$folder" "/run/trial/scratch/$folder"
  mount -t overlay none "/$folder" \
    -o "lowerdir=/$folder,upperdir=/run/trial/upper/$folder,workdir=/run/trial/scratch/$folder" ||
    cannot "lay anything over /$folder"
done
mount -t tmpfs -o mode=1777 none /tmp

# As the package installs it.
cat <&3 >/usr/bin/vigia
chmod 755 /usr/bin/vigia
mkdir -p /etc/vigia
cat <&5 >/etc/vigia/vigia.yml
cat <&4 >/run/systemd/system/vigia.service
cat >/run/systemd/system/vigia.service.d/trial.conf <<UNIT
[Unit]
DefaultDependencies=no
[Service]
ExecStart=
ExecStart=$(sed -n 's/^ExecStart=//p' /run/systemd/system/vigia.service) --listen 127.0.0.1:$port
StandardOutput=append:/run/trial/log
StandardError=append:/run/trial/log
WatchdogSec=3s
RestartSec=100ms
UNIT
cat >/run/systemd/system/trial.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/run/trial/steps
StandardOutput=append:/run/trial/report
StandardError=append:/run/trial/report
UNIT
cat >/run/trial/steps <<STEPS
#!/bin/bash
show() { systemctl show vigia -p "\$1" --value; }
ask() { curl -s -m 5 "http://127.0.0.1:$port\$1"; }
systemctl start vigia
echo "state \$(show ActiveState), \$(show StatusText), user \$(show User)"
echo "main process of \$(stat -c %U /proc/\$(show MainPID))"
echo "answer \$(ask /-/ready)"
echo "collectors down: \$(ask /metrics | grep -c '^vigia_collector_up{.*} 0\$')"
systemctl reload vigia
for _ in \$(seq 100); do grep -q 'msg="configuration reloaded"' /run/trial/log && break; sleep 0.1; done
echo "reloaded \$(grep -c 'msg="configuration reloaded"' /run/trial/log)"
kill -STOP \$(show MainPID)
for _ in \$(seq 300); do [ "\$(show NRestarts)" = 1 ] && [ "\$(show ActiveState)" = active ] && break; sleep 0.1; done
echo "restarts \$(show NRestarts), state \$(show ActiveState)"
echo "answer \$(ask /-/ready)"
systemctl stop vigia
echo "result \$(show Result), state \$(show ActiveState)"
cat /run/trial/log
systemctl exit 0
STEPS
chmod 755 /run/trial/steps
exec env -i container=other PATH="$PATH" /lib/systemd/systemd --system --unit=trial.service \
  --log-target=null --show-status=no
