#!/bin/sh
# Run by certbot after each renewal: copies the new certificate to a folder that the session server can read.
# The key comes first, and each file is replaced as a whole. While the pair does not match, the old one stays in use.
set -eu
umask 077
# The folder that systemd shows to the session server as /var/lib/session-server.
state={{stateFolder}}
mkdir -p "$state/tls"
for name in privkey fullchain; do
  cp -L "$RENEWED_LINEAGE/$name.pem" "$state/tls/$name.pem.new"
  chown --reference="$state" "$state/tls" "$state/tls/$name.pem.new"
  mv "$state/tls/$name.pem.new" "$state/tls/$name.pem"
done
