/** How a certificate is got from Let's Encrypt, so that every renewal of it reaches whoever serves it. */
export interface CertbotOptions {
  /** Fully qualified domain name. */
  readonly server: string;
  /** Folder that is served at port 80. */
  readonly webroot: string;
  /** What certbot runs with the first certificate and with each new one. */
  readonly deployHook: string;
}

/** ECDSA is what certbot chooses by itself since 2.0; the certbot of Ubuntu 22.04 is older. */
export function certbotCommands({ server, webroot, deployHook }: CertbotOptions): string[] {
  const hook = /\s/.test(deployHook) ? `'${deployHook}'` : deployHook;
  return [
    'apt-get install -y certbot',
    `certbot certonly --webroot -w ${webroot} -d ${server} --key-type ecdsa --deploy-hook ${hook}`,
  ];
}

export const CERTIFICATE_STEP =
  'a certificate, and every renewal of it (ECDSA: new connections cost less processor time than with RSA)';
