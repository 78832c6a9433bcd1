#!/bin/sh
# Installs the Fournines collector from this folder, with everything it needs. Needs root, and no network.
#   ./install.sh [--listen HOST:PORT] [--public-key FILE]
# Run it again to upgrade: the configuration and the data stay. Restart the service afterwards.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/package.sh"
root=
listen=
public_key=

while [ $# -gt 0 ]; do
	case "$1" in
	--listen) listen=${2:?} && shift 2 ;;
	--public-key) public_key=$(absolute "${2:?}") && shift 2 ;;
	--root) root=$(absolute "${2:?}") && shift 2 ;;
	--help | -h) usage && exit 0 ;;
	*) usage >&2 && fail "unknown argument $1" ;;
	esac
done

check_package "$root" "$public_key"
runtime/node --version >/dev/null || fail "this package is for another processor, or this system's glibc is older than 2.28"

target="$root/opt/fournines-collector"
[ -n "$root" ] || ensure_user fournines /var/lib/fournines
install -d -m 0755 "$root/opt" "$root/etc/fournines" "$root/etc/systemd/system" "$root/usr/local/bin"
# Beside the old one, then exchanged: a copy that fails half-way leaves what runs.
rm -rf "$target.new"
mkdir "$target.new"
cp -R app runtime agents uninstall.sh "$target.new/"
rm -rf "$target.old"
[ ! -d "$target" ] || mv "$target" "$target.old"
mv "$target.new" "$target"
rm -rf "$target.old"
install -m 0755 fournines "$root/usr/local/bin/fournines"
install -m 0644 fournines-collector.service "$root/etc/systemd/system/"
config="$root/etc/fournines/collector.yml"
if [ -f "$config" ]; then
	[ -z "$listen" ] || grep -qF -e "$listen" "$config" ||
		echo "install.sh: $config stays as it is and does not name $listen; if it should, set server.listen there" >&2
else
	{
		echo "# Every key has a default; \"fournines check /etc/fournines/collector.yml\" tells what is wrong."
		echo "server:"
		echo "  listen: ${listen:-127.0.0.1:9999}"
	} >"$config"
	chmod 0640 "$config"
fi

if [ -z "$root" ]; then
	chgrp fournines "$config"
	systemctl daemon-reload
	if systemctl is-active --quiet fournines-collector.service; then
		echo "the collector is installed; what runs is still the version before: systemctl restart fournines-collector"
		exit 0
	fi
	systemctl enable --quiet --now fournines-collector.service
	echo "the collector is installed and running; the one-time code of the first log-in: journalctl -u fournines-collector | grep one-time"
else
	echo "the collector is installed below $root"
fi
