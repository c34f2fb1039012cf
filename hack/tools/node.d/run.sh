#!/bin/sh
# The first process of a PID namespace and a mount namespace of their own: containerd, the images, then the kubelet.
# When this ends in whatever way, the kernel ends everything below it, containers included, and all mounts are gone.
# A kubelet that ends is started again where the file DIR/again asks for that.
#   run.sh DIR IMAGES... -- KUBELET ARGUMENTS...
set -eu
dir=$1
shift
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/netns
[ ! -d /var/lib/cni ] || mount -t tmpfs tmpfs /var/lib/cni
containerd --config "$dir/containerd.toml" >"$dir/containerd.log" 2>&1 &
until ctr --address "$dir/containerd.sock" version >/dev/null 2>&1; do
	kill -0 $! || exit 1
	sleep 0.1
done
while [ "$1" != -- ]; do
	ctr --address "$dir/containerd.sock" --namespace k8s.io images import "$1"
	shift
done
shift
while
	"$@" &
	wait $! || code=$?
	rm "$dir/again" 2>/dev/null
do :; done
exit "${code:-0}"
