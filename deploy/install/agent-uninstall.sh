#!/bin/sh
# Removes the Fournines agent. The configuration and what it has not sent yet stay, unless --purge is given.
#   /opt/fournines/uninstall-agent.sh [--purge]
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
	systemctl disable --now fournines-agent.service 2>/dev/null || true
fi
rm -f "$root/etc/systemd/system/fournines-agent.service"
[ -n "$root" ] || systemctl daemon-reload
rm -f "$root/opt/fournines/fournines-agent.cjs" "$root/opt/fournines/fournines-agent.cjs.LEGAL.txt" "$root/opt/fournines/runtime/node" \
	"$root/opt/fournines/uninstall-agent.sh" "$root/usr/local/bin/fournines-agent"
rmdir "$root/opt/fournines/runtime" "$root/opt/fournines" 2>/dev/null || true
if [ "$purge" = yes ]; then
	rm -rf "$root/etc/fournines/agent.yml" "$root/etc/fournines/enrol.token" "$root/var/lib/fournines-agent"
	# A collector on this machine may use them, too.
	[ -f "$root/etc/fournines/collector.yml" ] || rm -rf "$root/etc/fournines/secrets" "$root/etc/fournines/ca.pem"
	rmdir "$root/etc/fournines" 2>/dev/null || true
	[ -n "$root" ] || userdel fournines-agent 2>/dev/null || true
	echo "the agent, its configuration and its data are removed"
else
	echo "the agent is removed; /etc/fournines and /var/lib/fournines-agent stay (--purge removes them)"
fi
