#!/bin/sh
# Removes the Fournines collector. The configuration and everything that it has stored stay, unless --purge is given.
#   /opt/fournines-collector/uninstall.sh [--purge]
set -eu

root=
purge=no
while [ $# -gt 0 ]; do
	case "$1" in
	--purge) purge=yes && shift ;;
	--root) root=${2:?} && shift 2 ;;
	*) sed -n '2,3s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
	esac
done

if [ -z "$root" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "uninstall: run it as root" >&2 && exit 1; }
	systemctl disable --now fournines-collector.service 2>/dev/null || true
fi
rm -f "$root/etc/systemd/system/fournines-collector.service" "$root/usr/local/bin/fournines"
[ -n "$root" ] || systemctl daemon-reload
rm -rf "$root/opt/fournines-collector"
if [ "$purge" = yes ]; then
	rm -rf "$root/etc/fournines/collector.yml" "$root/var/lib/fournines"
	[ -n "$root" ] || userdel fournines 2>/dev/null || true
	echo "the collector, its configuration and its data are removed"
else
	echo "the collector is removed; /etc/fournines/collector.yml and /var/lib/fournines stay (--purge removes them)"
fi
