#!/bin/sh
# Installs the Fournines agent from this folder. Needs root, and no network.
#   ./install.sh --collector https://10.0.0.5:9999 --enrol-token-file FILE [--ca-file FILE] [--public-key FILE]
# Run it again to upgrade: the configuration and the data stay.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/package.sh"
root=
collector=
token=
ca=
public_key=

while [ $# -gt 0 ]; do
	case "$1" in
	--collector) collector=${2:?} && shift 2 ;;
	--enrol-token-file) token=$(absolute "${2:?}") && shift 2 ;;
	--ca-file) ca=$(absolute "${2:?}") && shift 2 ;;
	--public-key) public_key=$(absolute "${2:?}") && shift 2 ;;
	--root) root=$(absolute "${2:?}") && shift 2 ;;
	--help | -h) usage && exit 0 ;;
	*) usage >&2 && fail "unknown argument $1" ;;
	esac
done

check_package "$root" "$public_key" "$token" "$ca"

config="$root/etc/fournines/agent.yml"
secrets="$root/etc/fournines/secrets"
install -d -m 0755 "$root/opt/fournines" "$root/etc/fournines" "$root/etc/systemd/system" "$root/usr/local/bin"
if [ -z "$root" ]; then
	ensure_user fournines-agent /var/lib/fournines-agent
	# As the unit does, for what is run by hand.
	! getent group adm >/dev/null || usermod -a -G adm fournines-agent
	# systemd before 235 (CentOS 7) does not make it.
	install -d -m 0700 -o fournines-agent -g "$(id -gn fournines-agent)" /var/lib/fournines-agent
fi
install -m 0644 fournines-agent.cjs fournines-agent.cjs.LEGAL.txt "$root/opt/fournines/"
install -m 0755 uninstall.sh "$root/opt/fournines/uninstall-agent.sh"
install -m 0755 fournines-agent "$root/usr/local/bin/fournines-agent"
if [ -f runtime/node ]; then
	install -d -m 0755 "$root/opt/fournines/runtime"
	# Renamed into place: the running agent keeps the file that it was started with.
	install -m 0755 runtime/node "$root/opt/fournines/runtime/node.new"
	mv -f "$root/opt/fournines/runtime/node.new" "$root/opt/fournines/runtime/node"
fi
install -m 0644 fournines-agent.service "$root/etc/systemd/system/"

own_group() {
	[ -n "$root" ] || chgrp fournines-agent "$1"
}
if [ ! -d "$secrets" ]; then
	install -d -m 0750 "$secrets"
	own_group "$secrets"
fi
if [ -n "$token" ]; then
	install -m 0640 "$token" "$root/etc/fournines/enrol.token"
	own_group "$root/etc/fournines/enrol.token"
fi
[ -z "$ca" ] || install -m 0644 "$ca" "$root/etc/fournines/ca.pem"
wanted() {
	echo "collector:"
	echo "  url: $collector"
	[ -z "$token" ] || echo "  enrol_token: { file: /etc/fournines/enrol.token }"
	[ -z "$ca" ] || echo "  ca_file: /etc/fournines/ca.pem"
}
if [ -f "$config" ]; then
	if [ -n "$collector" ] && ! grep -qF -e "$collector" "$config"; then
		echo "install.sh: $config stays as it is and does not name $collector; if it should, write into it:" >&2
		wanted >&2
	fi
else
	{
		echo "# Every key: https is assumed, secrets are files; \"fournines-agent --help\" lists what can be run by hand."
		echo "data: /var/lib/fournines-agent"
		[ -z "$collector" ] || wanted
	} >"$config"
	chmod 0640 "$config"
fi
# Nothing else below /etc/fournines is touched: the collector's files may lie there, too.
own_group "$config"

if [ -z "$root" ]; then
	systemctl daemon-reload
	systemctl enable --quiet fournines-agent.service
	systemctl restart fournines-agent.service
	echo "the agent is installed and running; its log: journalctl -u fournines-agent"
else
	echo "the agent is installed below $root"
fi
grep -qE '^(collector|outbox|remote_write):' "$config" || echo "it sends nowhere yet: set collector.url in /etc/fournines/agent.yml"
