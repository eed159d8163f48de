/**
 * What certbot runs after each renewal (`--deploy-hook`): the certificate is copied to where the session server, which is no root, may read it. The session server
 * takes it over within ten seconds and drops no connection. The key comes first and each file is replaced as a whole; in between the pair does not fit, and the one before
 * stays in use.
 */
export function certificateHook(stateFolder = PRIVATE_STATE_FOLDER): string {
  return `#!/bin/sh
# Run by certbot after each renewal: gives the new certificate to the session server.
set -eu
umask 077
# What systemd gives to the session server as /var/lib/session-server.
state=${stateFolder}
mkdir -p "$state/tls"
for name in privkey fullchain; do
  cp -L "$RENEWED_LINEAGE/$name.pem" "$state/tls/$name.pem.new"
  chown --reference="$state" "$state/tls" "$state/tls/$name.pem.new"
  mv "$state/tls/$name.pem.new" "$state/tls/$name.pem"
done
`;
}

/** Where systemd keeps the state folder of a user that exists only while its program runs. */
const PRIVATE_STATE_FOLDER = '/var/lib/private/session-server';
