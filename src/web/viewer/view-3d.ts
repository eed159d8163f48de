/** The picture in 3D, with a camera that circles around a point. */
import { DirectionalLight, HemisphereLight, PerspectiveCamera, Vector3, WebGLRenderer, type Scene } from 'three';
import type { Graph } from './graph.ts';
import { Gestures } from './gestures.ts';
import { sizeOf, type CreateView, type View } from './view.ts';

/** Vertical angle of the picture, degrees. */
const FIELD_OF_VIEW = 45;
/** Metres between the camera and what it looks at. */
const MIN_DISTANCE = 0.5;
const MAX_DISTANCE = 60;
/** Radians above and below the horizon. */
const MAX_HEIGHT = 1.55;
const MIN_HEIGHT = 0.05;

/** Throws when there is no WebGL. */
export const createView3d: CreateView = (canvas, changed) => new View3d(canvas, changed);

class View3d implements View {
  readonly kind = '3d';
  readonly #canvas: HTMLCanvasElement;
  readonly #renderer: WebGLRenderer;
  readonly #camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.05, 200);
  readonly #target = new Vector3();
  #scene: Scene | undefined;
  #robot: Graph['robot'];
  #follows = false;
  /** Where the camera is, seen from its target. */
  #around = 0;
  #height = 0.6;
  #distance = 5;

  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    this.#canvas = canvas;
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.#renderer.shadowMap.enabled = true;
    this.#camera.up.set(0, 0, 1);
    new Gestures(canvas, {
      turn: (x, y) => {
        this.#around -= x * 0.008;
        this.#height = clamp(this.#height + y * 0.006, MIN_HEIGHT, MAX_HEIGHT);
        changed();
      },
      zoom: (factor) => {
        this.#distance = clamp(this.#distance * factor, MIN_DISTANCE, MAX_DISTANCE);
        changed();
      },
    });
  }

  show(graph: Graph): void {
    this.#scene = graph.scene;
    this.#robot = graph.robot;
    const { position, direction } = graph.camera;
    // It circles around what it sees on the ground.
    const steps = direction.z < -0.05 ? -position.z / direction.z : 5;
    this.#target.copy(position).addScaledVector(direction, clamp(steps, 1, MAX_DISTANCE));
    const back = position.clone().sub(this.#target);
    this.#distance = clamp(back.length(), MIN_DISTANCE, MAX_DISTANCE);
    this.#around = Math.atan2(back.y, back.x);
    this.#height = clamp(Math.asin(back.z / back.length()), MIN_HEIGHT, MAX_HEIGHT);
    graph.scene.add(new HemisphereLight(0xffffff, 0x8a8f98, 1.7), sun(this.#target));
  }

  follow(follows: boolean): void {
    this.#follows = follows;
  }

  draw(): void {
    if (this.#scene === undefined) return;
    const { width, height, ratio } = sizeOf(this.#canvas);
    this.#renderer.setPixelRatio(ratio);
    this.#renderer.setSize(width, height, false);
    this.#camera.aspect = width / height;
    this.#camera.updateProjectionMatrix();
    if (this.#follows && this.#robot !== undefined) this.#robot.object.getWorldPosition(this.#target);
    const flat = Math.cos(this.#height) * this.#distance;
    this.#camera.position
      .set(Math.cos(this.#around) * flat, Math.sin(this.#around) * flat, Math.sin(this.#height) * this.#distance)
      .add(this.#target);
    this.#camera.lookAt(this.#target);
    this.#renderer.render(this.#scene, this.#camera);
  }
}

function sun(target: Vector3): DirectionalLight {
  const light = new DirectionalLight(0xffffff, 2);
  light.position.set(target.x + 3, target.y - 5, 9);
  light.target.position.copy(target);
  light.target.updateMatrixWorld();
  light.castShadow = true;
  light.shadow.mapSize.set(1024, 1024);
  const { camera } = light.shadow;
  [camera.left, camera.right, camera.top, camera.bottom, camera.far] = [-6, 6, 6, -6, 30];
  return light;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
