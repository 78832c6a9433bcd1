#!/bin/sh
# Runs once on the master's first start; the replica receives the account by replication, so it makes no transaction of its own.
set -eu
[ -z "${MARIADB_MASTER_HOST:-}" ] || exit 0
# By the environment: arguments are seen by everybody on the machine.
MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot <<SQL
CREATE USER 'watcher'@'%' IDENTIFIED BY '$MARIADB_WATCHER_PASSWORD';
GRANT PROCESS, SLAVE MONITOR, BINLOG MONITOR ON *.* TO 'watcher'@'%';
SQL
