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
	--enrol-token-file) token=${2:?} && shift 2 ;;
	--ca-file) ca=${2:?} && shift 2 ;;
	--public-key) public_key=${2:?} && shift 2 ;;
	--root) root=${2:?} && shift 2 ;;
	--help | -h) usage && exit 0 ;;
	*) usage >&2 && fail "unknown argument $1" ;;
	esac
done

check_package "$root" "$public_key" "$token" "$ca"

[ -n "$root" ] || ensure_user fournines-agent /var/lib/fournines-agent
install -d -m 0755 "$root/opt/fournines" "$root/etc/fournines" "$root/etc/systemd/system"
install -d -m 0750 "$root/etc/fournines/secrets"
install -m 0644 fournines-agent.cjs fournines-agent.cjs.LEGAL.txt "$root/opt/fournines/"
install -m 0755 uninstall.sh "$root/opt/fournines/uninstall-agent.sh"
if [ -f runtime/node ]; then
	install -d -m 0755 "$root/opt/fournines/runtime"
	# Renamed into place: the running agent keeps the file that it was started with.
	install -m 0755 runtime/node "$root/opt/fournines/runtime/node.new"
	mv -f "$root/opt/fournines/runtime/node.new" "$root/opt/fournines/runtime/node"
fi
install -m 0644 fournines-agent.service "$root/etc/systemd/system/"

[ -z "$token" ] || install -m 0640 "$token" "$root/etc/fournines/enrol.token"
[ -z "$ca" ] || install -m 0644 "$ca" "$root/etc/fournines/ca.pem"
config="$root/etc/fournines/agent.yml"
if [ ! -f "$config" ]; then
	{
		echo "# Every key: https is assumed, secrets are files; \"fournines-agent --help\" lists what can be run by hand."
		echo "data: /var/lib/fournines-agent"
		if [ -n "$collector" ]; then
			echo "collector:"
			echo "  url: $collector"
			[ -z "$token" ] || echo "  enrol_token: { file: /etc/fournines/enrol.token }"
			[ -z "$ca" ] || echo "  ca_file: /etc/fournines/ca.pem"
		fi
	} >"$config"
	chmod 0640 "$config"
fi

if [ -z "$root" ]; then
	chgrp -R fournines-agent /etc/fournines
	systemctl daemon-reload
	systemctl enable --quiet fournines-agent.service
	systemctl restart fournines-agent.service
	echo "the agent is installed and running; its log: journalctl -u fournines-agent"
else
	echo "the agent is installed below $root"
fi
[ -n "$collector" ] || echo "it sends nowhere yet: set collector.url in /etc/fournines/agent.yml"
