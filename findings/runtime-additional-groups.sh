#!/bin/sh
# process.user.additionalGids are group ids that the container's process gets (OCI runtime spec, config.md, "User").
# They can't be had in a user namespace that gave up setgroups(2), as one made without newgidmap must. Neither runtime
# says so: both run the process without them. An engine whose --group-add is to hold or to fail must look at
# /proc/self/setgroups itself. Runs as any user that may make user namespaces.
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
(cd bundle && unshare --user --map-root-user runc spec --rootless)
python3 - bundle/config.json <<'END'
import json
import sys

config = json.load(open(sys.argv[1]))
config["process"].update(terminal=False, args=["/bin/busybox", "grep", "Groups", "/proc/self/status"])
config["process"]["user"]["additionalGids"] = [5]
json.dump(config, open(sys.argv[1], "w"))
END
seen=$(for runtime in 'crun --cgroup-manager=disabled' runc; do
  # shellcheck disable=SC2086  # with its option
  if said=$(run $runtime); then
    echo "${runtime%% *} runs, lines with group 5: $(echo "$said" | grep -cw 5 || true)"
  else
    echo "${runtime%% *} fails"
  fi
done)
expected="crun runs, lines with group 5: 0
runc runs, lines with group 5: 0"
echo "version: crun 1.8.1, runc 1.1.5 (Debian 12)"
echo "guessed: both fail, as setgroups(2) does"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
