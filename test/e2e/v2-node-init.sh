#!/bin/sh
# The init of a node that k8s-cgroup-v2.test.ts boots: cgroup v2 only, with the groups that a kubelet and containerd make, and
# this script in the kubelet's place. The exporter runs as the DaemonSet would, and its answers go to the second serial port.
#
#   kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice    memory.max 192 MiB
#     pause
#     web     64 MiB   a master; its worker is killed
#     cache   no limit of its own
#     worker  48 MiB   its main process is killed
#   kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod<uid>.slice  no limit
#     batch   32 MiB   memory.oom.group: a master and three workers, killed as a whole
#     idle    no limit
#     swap    no limit; most of its memory is swapped out
#     leakwatch
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmp /tmp
ip link set lo up
stty -F /dev/ttyS1 raw
insmod /modules/lz4hc_compress.ko
insmod /modules/zram.ko
echo 128M > /sys/block/zram0/disksize
mkswap /dev/zram0
swapon /dev/zram0
exec < /dev/null

root=/sys/fs/cgroup
mkdir "$root/init.scope"
for pid in $(cat "$root/cgroup.procs"); do echo "$pid" > "$root/init.scope/cgroup.procs"; done 2> /dev/null

group() { # FOLDER: make it, with the memory controller on in every parent
  path=$root
  for name in $(echo "$1" | tr / ' '); do
    echo '+memory +pids' > "$path/cgroup.subtree_control"
    path=$path/$name
    [ -d "$path" ] || mkdir "$path"
  done
}
pod=kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9c3f5e_7a41_4b62_9a53_3f1c2f6b8d10.slice
other=kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod5b1e7c02_94d6_4c1f_8e3a_6d0a7f2b9c44.slice

scope() { # DIGITS: a container's id, from eight of its digits
  echo "cri-containerd-$1$1$1$1$1$1$1$1.scope"
}

run() { # FOLDER COMMAND...: a container
  folder=$1
  shift
  group "$folder"
  sh -c 'echo $$ > "$0/cgroup.procs"; exec "$@"' "$root/$folder" "$@" &
}

limited() { # LIMIT FOLDER COMMAND...
  group "$2"
  echo "$1" > "$root/$2/memory.max"
  echo 0 > "$root/$2/memory.swap.max" # as the kubelet does
  shift
  run "$@"
}

run "$pod/$(scope 1f0d6c8b)" sh -c 'exec -a sleep /pause 100000'
echo 192M > "$root/$pod/memory.max"
limited 64M "$pod/$(scope 8c1e5d2f)" sh /srv/web.sh
run "$pod/$(scope 2b9a7604)" sh /srv/cache.sh
limited 48M "$pod/$(scope c47b19e6)" sh /srv/worker.sh
limited 32M "$other/$(scope 5d72f8a1)" sh /srv/batch.sh
echo 1 > "$root/$other/$(scope 5d72f8a1)/memory.oom.group"
run "$other/$(scope 77aa88bb)" sh /srv/idle.sh
run "$other/$(scope b6043d9c)" sh /srv/swap.sh
# with the setting for which it would otherwise start itself anew, which takes seconds here
MALLOC_ARENA_MAX=1 run "$other/$(scope e93a60b5)" su -s /bin/sh nobody -c 'exec node /app/dist/exporter/main.js serve --config.file=/srv/leakwatch.yml'

until wget -q -O /tmp/ready http://127.0.0.1:9847/-/ready; do sleep 1; done

answer() { # NAME: what a scrape shows now
  echo "=== $1"
  wget -q -O - http://127.0.0.1:9847/metrics
}
seen() { # PATTERN: until a scrape has such a line; not for ever
  for _ in $(seq 60); do
    wget -q -O - http://127.0.0.1:9847/metrics | grep -q "$1" && return
    sleep 1
  done
}
samples() {
  set -- $(wget -q -O - http://127.0.0.1:9847/metrics | grep '^leakwatch_samples_total ')
  echo "$2"
}
passes() { # COUNT: until so many more are finished; not for ever
  last=$(($(samples) + $1))
  for _ in $(seq 120); do
    [ "$(samples)" -ge "$last" ] && return
    sleep 1
  done
}
again() { # OLD NEW LIMIT SCRIPT: the kubelet starts the container anew, which gets a new id
  while grep -q . "$root/$1/cgroup.procs"; do sleep 1; done
  rmdir "$root/$1"
  limited "$3" "$2" sh "$4"
}

seen 'leakwatch_process_resident_memory_bytes{group="batch.sh",slot="3"}'
answer before > /dev/ttyS1

echo 24M > "$root/$other/$(scope b6043d9c)/memory.reclaim"
passes 2
answer swapped-out > /dev/ttyS1

touch /tmp/go-web
seen 'leakwatch_group_oom_kills_total{group="web.sh"} 1'
seen 'leakwatch_group_processes{group="web.sh"} 1' # the kernel counts a kill before its victim is gone
answer worker-killed > /dev/ttyS1

touch /tmp/go-worker
again "$pod/$(scope c47b19e6)" "$pod/$(scope c47b19e7)" 48M /srv/worker.sh
seen 'leakwatch_group_restarts_total{group="worker.sh",reason="oom"} 1'
answer main-process-killed > /dev/ttyS1

touch /tmp/go-batch
again "$other/$(scope 5d72f8a1)" "$other/$(scope 5d72f8a2)" 32M /srv/batch.sh
seen 'leakwatch_group_restarts_total{group="batch.sh",reason="oom"} 1'
seen 'leakwatch_process_resident_memory_bytes{group="batch.sh",slot="3"}'
passes 25 # for so long kills are kept for victims that have not ended, and exits of workers for that of their master
answer group-killed > /dev/ttyS1

echo "=== end" > /dev/ttyS1
sync
poweroff -f
