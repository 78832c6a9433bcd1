# Read by the install scripts of the agent's and the collector's package, which lie beside it. Not run by itself.

fail() {
	echo "install.sh: $1" >&2
	exit 1
}

# What the head of the script says, and what every one of them takes.
usage() {
	sed -n '2,4s/^# \{0,1\}//p' "$0"
	echo "  --root DIR   installs below DIR and starts nothing, for images"
}

# absolute PATH: as it was meant where the script was called, because the scripts go into the package's folder.
absolute() {
	case "$1" in
	/*) echo "$1" ;;
	*) echo "$PWD/$1" ;;
	esac
}

# check_package ROOT PUBLIC_KEY FILE...: may this be installed, is it whole, and is it of who signed it. FILEs are given on the command line.
check_package() {
	[ -n "$1" ] || [ "$(id -u)" -eq 0 ] || fail "run it as root, or with --root DIR"
	key=$2
	shift
	for file in "$@"; do
		[ -z "$file" ] || [ -r "$file" ] || fail "$file cannot be read"
	done
	cd "$here"
	sha256sum --check --quiet SHA256SUMS || fail "a file of this package is damaged or was changed; get the package again"
	[ -n "$key" ] || return 0
	[ -r SHA256SUMS.sig ] || fail "this package is not signed"
	# Before version 3 it cannot check such a signature at all, which says nothing about the package.
	openssl pkeyutl -help 2>&1 | grep -q -e -rawin ||
		fail "checking the signature needs openssl 3, here is $(openssl version 2>&1 | head -n 1); check it on another machine (openssl pkeyutl -verify), then install without --public-key"
	openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null ||
		fail "the signature of this package is not of $key"
}

# ensure_user NAME HOME
ensure_user() {
	id "$1" >/dev/null 2>&1 || useradd --system --home-dir "$2" --shell /usr/sbin/nologin "$1"
}
