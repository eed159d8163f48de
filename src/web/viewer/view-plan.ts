/** The picture without WebGL: a plan, seen from above. */
import { Mesh, Vector3, type MeshLambertMaterial } from 'three';
import type { Graph } from './graph.ts';
import { outlineOf, type PlanPoint } from './outline.ts';
import { sizeOf, type CreateView, type View } from './view.ts';

/** Metres across the picture while it follows the robot. */
const NEAR = 5;

/** Throws when there is no canvas at all. */
export const createViewPlan: CreateView = (canvas) => new ViewPlan(canvas);

class ViewPlan implements View {
  readonly kind = 'plan';
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #graph: Graph | undefined;
  #follows = false;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('there is no canvas to draw on');
    this.#canvas = canvas;
    this.#context = context;
  }

  show(graph: Graph): void {
    this.#graph = graph;
  }

  follow(follows: boolean): void {
    this.#follows = follows;
  }

  draw(): void {
    if (this.#graph === undefined) return;
    this.#graph.scene.updateMatrixWorld();
    const shapes = shapesOf(this.#graph).sort((one, other) => one.top - other.top);
    const all = shapes.flatMap(({ outline }) => outline);
    const robot = this.#follows ? this.#graph.robot?.object.getWorldPosition(new Vector3()) : undefined;
    this.#place(robot === undefined ? extentOf(all) : { x: robot.x, y: robot.y, size: NEAR });
    for (const { outline, color } of shapes) this.#fill(outline, color);
  }

  /** Puts the point in the middle, y upwards. */
  #place({ x, y, size }: { readonly x: number; readonly y: number; readonly size: number }): void {
    const { width, height, ratio } = sizeOf(this.#canvas);
    [this.#canvas.width, this.#canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const scale = (Math.min(width, height) * ratio) / size;
    this.#context.setTransform(scale, 0, 0, -scale, (width * ratio) / 2 - x * scale, (height * ratio) / 2 + y * scale);
    this.#context.lineWidth = 1 / scale;
  }

  #fill(outline: readonly PlanPoint[], color: string): void {
    this.#context.beginPath();
    for (const { x, y } of outline) this.#context.lineTo(x, y);
    this.#context.closePath();
    this.#context.fillStyle = color;
    this.#context.fill();
    this.#context.strokeStyle = '#00000055';
    this.#context.stroke();
  }
}

function shapesOf({ scene }: Graph) {
  const shapes: { readonly outline: readonly PlanPoint[]; readonly top: number; readonly color: string }[] = [];
  scene.traverse((object) => {
    if (!(object instanceof Mesh)) return;
    const { attributes } = (object as Mesh).geometry;
    const points = Array.from({ length: attributes['position']?.count ?? 0 }, (_, index) =>
      new Vector3().fromBufferAttribute(attributes['position'] as Parameters<Vector3['fromBufferAttribute']>[0], index),
    );
    for (const point of points) point.applyMatrix4(object.matrixWorld);
    const { color } = object.material as MeshLambertMaterial;
    shapes.push({ outline: outlineOf(points), top: Math.max(...points.map(({ z }) => z)), color: `#${color.getHexString()}` });
  });
  return shapes;
}

function extentOf(points: readonly PlanPoint[]) {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { x: (left + right) / 2, y: (bottom + top) / 2, size: 1.05 * Math.max(right - left, top - bottom, 1) };
}
