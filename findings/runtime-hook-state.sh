#!/bin/sh
# A hook reads the container's state from its standard input (OCI runtime spec, config.md, "POSIX-platform Hooks"). The
# two runtimes hardly agree on what it says: while create goes on runc calls it "creating" and crun "created"; where the
# hook runs in the container's namespaces, runc gives the process id there and crun 0; and crun has a status "starting".
# A hook that goes by the status or the id works with one runtime only; an engine can promise neither.
# Runs as any user that may make user namespaces.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download crun=1.8.1-1+deb12u1 runc=1.1.5+ds1-1+deb12u1 \
  busybox-static=1:1.35.0-4+deb12u1+b1 libyajl2=2.1.0-3+deb12u2 libseccomp2=2.5.4-1+deb12u1
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$temp/root/usr/bin:$temp/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$temp/root/usr/lib/x86_64-linux-gnu"
mkdir -p bundle/rootfs/bin bundle/rootfs/proc bundle/rootfs/sys bundle/rootfs/dev bundle/rootfs/tmp
cp root/bin/busybox bundle/rootfs/bin/
(cd bundle && unshare --user --map-root-user runc spec --rootless)
python3 - "$temp/bundle" <<'END'
import json
import sys

config = json.load(open(f"{sys.argv[1]}/config.json"))
config["process"].update(terminal=False, args=["/bin/busybox", "true"])
config["root"]["readonly"] = False
# startContainer hooks run in the container, the others see the host's paths.
for name in ("prestart", "createRuntime", "createContainer", "startContainer"):
    inside = name == "startContainer"
    script = f"cat >{'' if inside else sys.argv[1] + '/rootfs'}/tmp/{name}"
    start = ["/bin/busybox", "sh"] if inside else ["/bin/sh"]
    config.setdefault("hooks", {})[name] = [{"path": start[0], "args": [*start, "-c", script]}]
json.dump(config, open(f"{sys.argv[1]}/config.json", "w"))
END
cat >say.py <<'END'
import json
import sys

for name in ("prestart", "createRuntime", "createContainer", "startContainer"):
    state = json.load(open(f"bundle/rootfs/tmp/{name}"))
    print(sys.argv[1], name, state["status"], "pid" if state["pid"] > 1 else state["pid"])
END
# Where cgroup v1 is there, too, crun wants to see version 2 alone.
seen=$(for runtime in 'crun --cgroup-manager=disabled' runc; do
  # shellcheck disable=SC2086  # with its option
  unshare --user --map-root-user --mount sh -c '[ ! -d /sys/fs/cgroup/unified ] ||
    mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; exec "$@"' sh \
    $runtime --root "$temp/state" run -b bundle one </dev/null
  python3 say.py "${runtime%% *}"
done)
expected='crun prestart created pid
crun createRuntime created pid
crun createContainer created 0
crun startContainer starting 0
runc prestart creating pid
runc createRuntime creating pid
runc createContainer creating 1
runc startContainer created 1'
echo "version: crun 1.8.1, runc 1.1.5 (Debian 12); hook, status, process id (pid: the host's)"
echo "guessed: creating for the first three, and a process id in each, from both"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
