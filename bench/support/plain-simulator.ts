/**
 * A simulator that starts in a few milliseconds, so that what is measured is the server: it takes the arguments of Webots and says its words. Perl comes with
 * Git on most systems.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quantile } from './figures.ts';

/** Bytes and pauses of a stream of 36 kB a second, as the stream of a small world has. */
const FRAME_BYTES = 1440;
const FRAME_SECONDS = 0.04;

/** What it does otherwise is in the name of its world: `crash`, `stay` (a process that leaves its group). */
const SIMULATOR = `#!/usr/bin/perl
# Modules would take longer than all the rest. 2, 1, 2: AF_INET, SOCK_STREAM, SO_REUSEADDR at SOL_SOCKET, which is 1.
$| = 1; $SIG{PIPE} = 'IGNORE';
my ($port) = map { /^--port=(\\d+)$/ ? $1 : () } @ARGV;
my $world = $ARGV[-1];
exit 3 if $world =~ /crash/;
if ($world =~ /stay/ && !fork) { require POSIX; POSIX::setsid(); exit if fork; close STDOUT; close STDERR; sleep 1000; }
socket(my $server, 2, 1, 0) or die $!;
setsockopt($server, 1, 2, 1);
bind($server, pack('S n x12', 2, $port)) or die $!;
listen($server, 64);
print ".\\n";
while (accept(my $client, $server)) {
  my $request = '';
  while ($request !~ /\\r\\n\\r\\n/) { sysread($client, $request, 4096, length $request) or last; }
  if ($request =~ /^Sec-WebSocket-Key: (\\S+)/mi) {
    require Digest::SHA; require MIME::Base64;
    my $accept = MIME::Base64::encode_base64(Digest::SHA::sha1($1 . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'), '');
    syswrite($client, "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: $accept\\r\\n\\r\\n");
    my $frame = pack('CCn', 0x82, 126, ${FRAME_BYTES}) . ('x' x ${FRAME_BYTES});
    while (syswrite($client, $frame)) { select(undef, undef, undef, ${FRAME_SECONDS}); }
  } else { syswrite($client, "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok"); }
  close $client;
}
`;

/** Returns the folder to be used as `webotsHome`. */
export function writePlainSimulator(folder: string): string {
  const home = join(folder, 'simulator');
  mkdirSync(home);
  writeFileSync(join(home, 'webots'), SIMULATOR, { mode: 0o755 });
  return home;
}

export interface OwnStart {
  /** Milliseconds until it says that the world is loaded: the median. */
  readonly median: number;
  /** Started and ended a second. */
  readonly rate: number;
}

/** The simulator, started and ended by nothing but the system: `count` times, so many at a time, each on a port of its own above `port`. */
export async function ownStartOf(home: string, port: number, count = 20, together = 1): Promise<OwnStart> {
  const times: number[] = [];
  const began = performance.now();
  let left = count;
  const starts = async (_: unknown, index: number) => {
    while ((left -= 1) >= 0) times.push(await startAndEnd(home, port + index));
  };
  await Promise.all(Array.from({ length: together }, starts));
  return { median: quantile(times, 0.5), rate: (1000 * count) / (performance.now() - began) };
}

async function startAndEnd(home: string, port: number): Promise<number> {
  const began = performance.now();
  const child = spawn(join(home, 'webots'), [`--port=${port}`, 'world'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const time = performance.now() - began;
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  return time;
}
