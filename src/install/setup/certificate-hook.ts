import { renderFile } from '../template.ts';

/** Where systemd keeps the state folder of a user that exists only while its program runs. */
const PRIVATE_STATE_FOLDER = '/var/lib/private/session-server';

/**
 * The script that certbot runs after each renewal (`--deploy-hook`): it copies the certificate to a folder that the session server, which is not root, can
 * read. The session server uses it within ten seconds and drops no connection.
 */
export function certificateHook(stateFolder = PRIVATE_STATE_FOLDER): string {
  return renderFile('deploy-certificate.sh', { stateFolder });
}
