#!/bin/bash
# Run a one-node Ceph RGW (S3 + IAM + STS) from unpacked Debian packages, without a container engine.
#   rgw.sh fetch DIR              download and unpack the packages (Debian sid) into DIR/root
#   rgw.sh run DIR PORT OUT       run until killed; writes OUT/credentials (and OUT/admin, of its admin API) when it answers, and logs and sockets there
# DIR/root is not changed by a run, so that several can use it at once; PORT + 1 is the monitor's.
# State is in memory and is gone when it stops. Needs apt-get, unshare, chroot; root or user namespaces.
set -euo pipefail
here=$(readlink -f "$0")
cmd=$1 dir=$(mkdir -p "$2" && readlink -f "$2")
root=$dir/root

fetch() {
	local apt=$dir/apt mirror opts
	mkdir -p "$apt"/{etc/apt/apt.conf.d,etc/apt/preferences.d,var/lib/apt/lists/partial,var/cache/apt/archives/partial,var/lib/dpkg}
	: >"$apt/var/lib/dpkg/status"
	mirror=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' | awk '$2 == "Debian" {print $1; exit}')
	[ -n "$mirror" ] || mirror=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$apt/etc/apt/sources.list"
	cp -r /etc/apt/apt.conf.d/. "$apt/etc/apt/apt.conf.d/"
	opts=(-o Dir="$apt" -o Dir::State::status="$apt/var/lib/dpkg/status" -o APT::Install-Recommends=false
		-o APT::Architecture="$(dpkg --print-architecture)" -o Debug::NoLocking=true -o APT::Sandbox::User=root)
	apt-get "${opts[@]}" -q update
	apt-get "${opts[@]}" -qy --download-only install radosgw ceph-mon ceph-osd ceph-common libc-bin
	rm -rf "$root" && mkdir -p "$root"
	for deb in "$apt"/var/cache/apt/archives/*.deb; do dpkg -x "$deb" "$root"; done
	for link in bin sbin lib lib64; do ln -sfn "usr/$link" "$root/$link"; done
	mkdir -p "$root"/{dev,proc,tmp,run,etc/ceph,ceph}
	ldconfig -r "$root"
	rm -rf "$apt"
}

run() {
	local flags=(--mount --pid --fork --kill-child)
	[ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
	unshare "${flags[@]}" bash "$here" inside "$dir" "$1" "$2" &
	trap 'kill -KILL %1' EXIT TERM INT
	wait
}

c() { LC_ALL=C PATH=/usr/bin:/usr/sbin chroot "$root" "$@"; }

inside() {
	local port=$1 mon=$(($1 + 1)) out=$2 fsid osd key id
	mount -t tmpfs none "$root/ceph"
	mount -t tmpfs none "$root/etc/ceph"
	mount -t tmpfs none "$root/tmp"
	mount -t proc none "$root/proc"
	mount --rbind /dev "$root/dev"
	mkdir -p "$root"/ceph/{mon,osd,rgw,run,out}
	mount --bind "$out" "$root/ceph/out"
	fsid=$(cat /proc/sys/kernel/random/uuid) osd=$(cat /proc/sys/kernel/random/uuid)
	cat >"$root/etc/ceph/ceph.conf" <<-X
		[global]
		fsid = $fsid
		mon host = v2:127.0.0.1:$mon
		public addr = 127.0.0.1
		cluster addr = 127.0.0.1
		auth cluster required = cephx
		auth service required = cephx
		auth client required = cephx
		keyring = /ceph/keyring
		run dir = /ceph/run
		admin socket = /ceph/out/\$name.asok
		pid file = /ceph/run/\$name.pid
		log file = /ceph/out/\$name.log
		mon data = /ceph/mon
		osd data = /ceph/osd
		osd objectstore = memstore
		memstore device bytes = 2147483648
		osd crush chooseleaf type = 0
		osd pool default size = 1
		osd pool default min size = 1
		osd pool default pg num = 1
		osd pool default pgp num = 1
		osd pool default pg autoscale mode = off
		mon allow pool size one = true
		mon warn on pool no redundancy = false
		mon max pg per osd = 1000
		[client.rgw]
		rgw data = /ceph/rgw
		rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
		rgw s3 auth use sts = true
		rgw sts key = abcdefghijklmnop
		rgw enable apis = s3, sts, iam, admin
		rgw thread pool size = 64
		rgw trust forwarded https = true
	X
	c ceph-authtool --create-keyring /ceph/keyring --gen-key -n mon. --cap mon 'allow *'
	c ceph-authtool /ceph/keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
	c ceph-authtool /ceph/keyring --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
	c monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon]" /ceph/monmap
	c ceph-mon --mkfs -i a --monmap /ceph/monmap --keyring /ceph/keyring
	c ceph-mon -i a
	key=$(c ceph-authtool --gen-print-key)
	id=$(echo "{\"cephx_secret\": \"$key\"}" | c ceph --connect-timeout 20 osd new "$osd" -i -)
	c ceph-authtool --create-keyring /ceph/osd/keyring --name "osd.$id" --add-key "$key" --cap osd 'allow *' --cap mon 'allow profile osd'
	c ceph-osd -i "$id" --mkfs --osd-uuid "$osd" --keyring /ceph/osd/keyring
	c ceph-osd -i "$id" --keyring /ceph/osd/keyring
	c radosgw -n client.rgw
	until curl -s -o /dev/null "http://127.0.0.1:$port"; do sleep .2; done
	c radosgw-admin account create --account-name mesh --account-id RGW00000000000000001 --max-users 20000 --max-buckets 20000 --max-access-keys 2 >/dev/null
	c radosgw-admin user create --uid root --display-name root --account-id RGW00000000000000001 --account-root --gen-secret --gen-access-key >"$out/credentials.tmp"
	c radosgw-admin user create --uid admin --display-name admin --caps 'accounts=*;users=*' --gen-secret --gen-access-key >"$out/admin"
	mv "$out/credentials.tmp" "$out/credentials"
	exec sleep infinity
}

case $cmd in
fetch) fetch ;;
run) run "$3" "$(readlink -f "$4")" ;;
inside) inside "$3" "$4" ;;
esac
