/** How to get a certificate from Let's Encrypt, so that every renewal reaches the program that serves it. */
export interface CertbotOptions {
  /** Fully qualified domain name. */
  readonly server: string;
  /** Folder that is served at port 80. */
  readonly webroot: string;
  /** What certbot runs with the first certificate and with each new one. */
  readonly deployHook: string;
}

/** certbot uses ECDSA by default since 2.0; the certbot of Ubuntu 22.04 is older. */
export function certbotCommands({ server, webroot, deployHook }: CertbotOptions): string[] {
  const hook = /\s/.test(deployHook) ? `'${deployHook}'` : deployHook;
  return [
    'apt-get install -y certbot',
    `certbot certonly --webroot -w ${webroot} -d ${server} --key-type ecdsa --deploy-hook ${hook}`,
  ];
}

export const CERTIFICATE_STEP =
  'get a certificate and renew it automatically (ECDSA: new connections need less CPU time than with RSA)';
