#!/bin/sh
# The image ships its manager aside; this puts it in place for the network of this composition, with a read-only account.
set -eu
cp -rn "$CATALINA_HOME/webapps.dist/manager" "$CATALINA_HOME/webapps.dist/ROOT" "$CATALINA_HOME/webapps/"
rm -f "$CATALINA_HOME/webapps/manager/META-INF/context.xml"
cat > "$CATALINA_HOME/conf/tomcat-users.xml" <<XML
<tomcat-users><user username="watcher" password="$TOMCAT_WATCHER_PASSWORD" roles="manager-status"/></tomcat-users>
XML
exec catalina.sh run
