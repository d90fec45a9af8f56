#!/bin/sh
# "spec --rootless" of crun and runc writes a config.json to start from. crun's asks for a user namespace without
# uidMappings, which crun then makes up itself; runc refuses such a file, while crun takes runc's. So a bundle that is
# rootless for one runtime isn't for the other, and an engine must write its mappings out.
# Runs as any user that may make user namespaces.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download crun=1.8.1-1+deb12u1 runc=1.1.5+ds1-1+deb12u1 \
  busybox-static=1:1.35.0-4+deb12u1+b1 libyajl2=2.1.0-3+deb12u2 libseccomp2=2.5.4-1+deb12u1
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$temp/root/usr/bin:$temp/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$temp/root/usr/lib/x86_64-linux-gnu"
mkdir -p bundle/rootfs/bin bundle/rootfs/proc bundle/rootfs/sys bundle/rootfs/dev
cp root/bin/busybox bundle/rootfs/bin/
run() { # RUNTIME OPTION…: where cgroup v1 is there, too, crun wants to see version 2 alone
  unshare --user --map-root-user --mount sh -c '[ ! -d /sys/fs/cgroup/unified ] ||
    mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; exec "$@"' sh \
    "$@" --root "$temp/state" run -b bundle one </dev/null 2>&1
}
seen=$(for writer in crun runc; do
  rm -f bundle/config.json
  (cd bundle && unshare --user --map-root-user "$writer" spec --rootless)
  python3 - bundle/config.json <<'END'
import json
import sys

config = json.load(open(sys.argv[1]))
config["process"].update(terminal=False, args=["/bin/busybox", "echo", "runs"])
config["root"]["readonly"] = False
json.dump(config, open(sys.argv[1], "w"))
END
  echo "$writer's: crun $(run crun --cgroup-manager=disabled | tail -n 1)"
  echo "$writer's: runc $(run runc | grep -oE 'runs$|no uid mappings found')"
done)
expected="crun's: crun runs
crun's: runc no uid mappings found
runc's: crun runs
runc's: runc runs"
echo "version: crun 1.8.1, runc 1.1.5 (Debian 12)"
echo "guessed: either runtime runs what the other wrote"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
