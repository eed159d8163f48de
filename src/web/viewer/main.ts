/** The script of the viewer: buttons and keys on one side, a session and its stream on the other. */
import { projectParameter } from '../../core/fleet/project.ts';
import { Availability } from './availability.ts';
import { Driving, directionOf, type Direction } from './driving.ts';
import { readScene, move, type Graph } from './graph.ts';
import { Session, type SessionEnd } from './session.ts';
import { Stream } from './stream.ts';
import { fill, type Texts } from './texts/texts.ts';
import { createView3d } from './view-3d.ts';
import { createViewPlan } from './view-plan.ts';
import type { View } from './view.ts';
import type { PoseUpdate, StreamMessage } from './words.ts';

/** Milliseconds between two looks at the figures in the corner. */
const FIGURES_EVERY = 1000;
/** Milliseconds that a button drives when it is activated without being held, as by a screen reader. */
const NUDGE = 700;
/** Codes with which the session server says that there is no room. */
const NO_ROOM: readonly string[] = ['no-room', 'no-servers', 'others-wait', 'queue-full'];

const texts = JSON.parse(element('texts').textContent) as Texts;
const canvas = element('picture') as HTMLCanvasElement;
const buttons = Object.fromEntries(
  ['start', 'play', 'step', 'reset', 'follow', 'leave'].map((id) => [id, element(id) as HTMLButtonElement]),
) as Record<'start' | 'play' | 'step' | 'reset' | 'follow' | 'leave', HTMLButtonElement>;

let view: View | undefined;
let graph: Graph | undefined;
let session: Session | undefined;
let stream: Stream | undefined;
let playing = false;
/** It was started once; from then on the user decides. */
let begun = false;
let following = false;
let drawing = false;
/** Milliseconds of simulation. */
let time = 0;

const driving = new Driving((words) => {
  if (graph?.robot?.drives === true) stream?.send(`robot:${JSON.stringify({ name: graph.robot.name, message: words })}`);
});

function start(): void {
  buttons.start.hidden = true;
  availability.stop();
  say(texts.asking);
  session = new Session({
    url: socketUrl('session'),
    project: projectParameter(location.search),
    waiting: (position, seconds) => say(waitingText(position, seconds)),
    reconnecting: () => say(texts.reconnecting),
    connecting: () => say(texts.connecting),
    progress: say,
    streaming: watch,
    ended: stop,
  });
}

/** Of the session server that served this page, which may be behind a path. */
function socketUrl(path: string): string {
  return new URL(path, document.baseURI).href.replace(/^http/, 'ws');
}

function waitingText(position: number, seconds: number | undefined): string {
  const place = position === 1 ? texts.next : fill(texts.waiting, { position: String(position) });
  if (seconds === undefined) return place;
  const minutes = String(Math.round(seconds / 60));
  return `${place} ${seconds < 60 ? texts.soon : fill(texts.estimate, { minutes })}`;
}

function watch(url: string): void {
  say(texts.loading);
  begun = false;
  stream?.close();
  stream = new Stream({ url, received, lost: () => leave({ kind: 'lost' }) });
}

function received(message: StreamMessage): void {
  switch (message.kind) {
    case 'scene':
      showScene(readScene(message.xml));
      return;
    case 'loaded':
      if (!begun) stream?.send('real-time:-1');
      begun = true;
      return;
    case 'state':
      playing = message.playing;
      buttons.play.textContent = playing ? texts.pause : texts.play;
      say(playing ? texts.running : texts.paused);
      return;
    case 'poses':
      time = message.time;
      movePoses(message.poses);
  }
}

function showScene(read: Graph): void {
  graph = read;
  element('stage').hidden = false;
  view ??= createView();
  canvas.dataset['view'] = view.kind;
  view.show(read);
  if (document.activeElement === document.body) buttons.play.focus();
  element('driving').hidden = read.robot?.drives !== true;
  buttons.follow.hidden = read.robot === undefined;
  const notes = [...(view.kind === 'plan' ? [texts.plan] : []), ...(read.incomplete ? [texts.incomplete] : [])];
  element('note').textContent = notes.join(' ');
  element('note').hidden = notes.length === 0;
  draw();
}

/** A browser without WebGL, or on which it fails, gets the plan. */
function createView(): View {
  try {
    return createView3d(canvas, draw);
  } catch {
    return createViewPlan(canvas, draw);
  }
}

function movePoses(poses: readonly PoseUpdate[]): void {
  for (const pose of poses) {
    const object = graph?.nodes.get(pose.id);
    if (object !== undefined) move(object, pose);
  }
  draw();
}

/** Once for all changes before the next picture of the screen. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    view?.draw();
  });
}

/** Ends the session from this side. */
function leave(end: SessionEnd | undefined): void {
  session?.leave();
  stop(end);
}

function stop(end: SessionEnd | undefined): void {
  driving.releaseAll();
  stream?.close();
  [session, stream] = [undefined, undefined];
  element('stage').hidden = true;
  buttons.start.textContent = texts.startAgain;
  buttons.start.hidden = false;
  buttons.start.focus();
  say(endText(end));
  availability.start();
}

function endText(end: SessionEnd | undefined): string {
  switch (end?.kind) {
    case undefined:
      return texts.gone;
    case 'lost':
      return texts.lost;
    case 'over':
      return texts.ended;
    case 'refused':
    case 'error':
      return NO_ROOM.includes(end.code ?? '') ? texts.full : end.reason;
  }
}

function showFigures(): void {
  if (stream === undefined) return;
  const rate = (stream.received / FIGURES_EVERY).toFixed(0);
  const frames = String(Math.round((stream.frames * 1000) / FIGURES_EVERY));
  [stream.received, stream.frames] = [0, 0];
  const clock = new Date(time).toISOString().slice(11, 19);
  element('figures').textContent = `${clock} · ${fill(texts.figures, { rate, frames })}`;
  const { robot } = graph ?? {};
  if (robot === undefined) return;
  const { position, rotation } = robot.object;
  const angle = String((Math.round((rotation.reorder('ZYX').z * 180) / Math.PI) + 360) % 360);
  const place = { name: robot.name, x: position.x.toFixed(1), y: position.y.toFixed(1), angle };
  element('place').textContent = fill(texts.place, place);
}

const availability = new Availability(socketUrl('.'), (available) => {
  element('availability').textContent = available === undefined ? '' : available ? texts.available : texts.unavailable;
});

function say(text: string): void {
  element('status').textContent = text;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

buttons.start.addEventListener('click', start);
buttons.play.addEventListener('click', () => stream?.send(playing ? 'pause' : 'real-time:-1'));
buttons.step.addEventListener('click', () => stream?.send('step'));
buttons.reset.addEventListener('click', () => stream?.send('reset'));
buttons.leave.addEventListener('click', () => leave(undefined));
buttons.follow.addEventListener('click', () => {
  following = !following;
  buttons.follow.setAttribute('aria-pressed', String(following));
  view?.follow(following);
  draw();
});

for (const button of document.querySelectorAll<HTMLElement>('[data-direction]')) {
  const direction = button.dataset['direction'] as Direction;
  let held = false;
  button.addEventListener('pointerdown', (event) => {
    button.setPointerCapture(event.pointerId);
    held = true;
    driving.press(direction);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
    button.addEventListener(end, () => driving.release(direction));
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  button.addEventListener('click', () => {
    // The pointer has driven already.
    if (!held) {
      driving.press(direction);
      setTimeout(() => driving.release(direction), NUDGE);
    }
    held = false;
  });
}

document.addEventListener('keydown', (event) => {
  const direction = directionOf(event.code);
  if (direction === undefined || graph === undefined || stream === undefined) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  driving.press(direction);
});
document.addEventListener('keyup', ({ code }) => {
  const direction = directionOf(code);
  if (direction !== undefined) driving.release(direction);
});
// The page does not receive keys that are released elsewhere.
addEventListener('blur', () => driving.releaseAll());
addEventListener('resize', draw);
// A page that comes back from the browser's memory can be started again.
addEventListener('pagehide', () => {
  if (session !== undefined) leave(undefined);
});
setInterval(showFigures, FIGURES_EVERY);
if (document.querySelector('main')?.dataset['starts'] === 'true') start();
else availability.start();
