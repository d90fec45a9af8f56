#!/bin/sh
# YAML 1.1 has types for the bare words = and << (value, merge). PyYAML knows both when it writes, and quotes them; when
# it reads them as ordinary values, safe_load has no constructor for these types and refuses the whole document. Go's
# encoders write both bare, so YAML from Kubernetes tools may be refused: Podman's "kube generate" writes "value: =" for
# a variable that is "=". Both of PyYAML's loaders do so. BaseLoader reads them. Runs as any user.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download python3-yaml=6.0-3+b2 libyaml-0-2=0.2.5-1
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH="$temp/root/usr/lib/x86_64-linux-gnu" PYTHONPATH="$temp/root/usr/lib/python3/dist-packages"
cat >read.py <<'EOF'
import yaml

for name in ("SafeLoader", "CSafeLoader", "BaseLoader"):
    for word in ("=", "<<", "=="):
        try:
            print(name, word, yaml.load("value: " + word, Loader=getattr(yaml, name)) == {"value": word})
        except yaml.YAMLError as error:
            print(name, word, type(error).__name__)
print("written", yaml.safe_dump(["=", "<<"], default_flow_style=True).strip())
EOF
seen=$(/usr/bin/python3 read.py)
expected="SafeLoader = ConstructorError
SafeLoader << ConstructorError
SafeLoader == True
CSafeLoader = ConstructorError
CSafeLoader << ConstructorError
CSafeLoader == True
BaseLoader = True
BaseLoader << True
BaseLoader == True
written ['=', '<<']"
echo "version: PyYAML 6.0 (Debian 12)"
echo "guessed: a bare word that is no number, boolean, null or date is read as a text"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
