/** A scene in the words of Webots becomes objects to draw. Only simple shapes are read; what else there is, is counted. */
import {
  BoxGeometry,
  CapsuleGeometry,
  Color,
  CylinderGeometry,
  Group,
  Mesh,
  MeshLambertMaterial,
  PlaneGeometry,
  Quaternion,
  Scene,
  SphereGeometry,
  SRGBColorSpace,
  Vector3,
  type BufferGeometry,
  type Object3D,
} from 'three';
import { numbers, type PoseUpdate } from './words.ts';

export interface Graph {
  readonly scene: Scene;
  /** By their ids, such as `n100`. */
  readonly nodes: ReadonlyMap<string, Object3D>;
  readonly camera: { readonly position: Vector3; readonly direction: Vector3 };
  readonly robot: { readonly name: string; readonly object: Object3D; readonly drives: boolean } | undefined;
  /** Some shapes are not drawn. */
  readonly incomplete: boolean;
}

/** Nodes that are read. More are a sign that this is not a scene for a light viewer. */
const MAX_NODES = 20_000;

/** Never throws; a text without a scene draws nothing. */
export function readScene(xml: string): Graph {
  const reader = new SceneReader();
  const parsed = new DOMParser().parseFromString(xml, 'text/xml');
  reader.read(parsed.documentElement, reader.scene);
  reader.scene.updateMatrixWorld();
  return reader;
}

class SceneReader implements Graph {
  readonly scene = new Scene();
  readonly nodes = new Map<string, Object3D>();
  camera: Graph['camera'] = { position: new Vector3(-5, -5, 4), direction: new Vector3(1, 1, -0.7) };
  robot: Graph['robot'];
  incomplete = false;
  #count = 0;

  read(element: Element, parent: Object3D): void {
    this.#count += 1;
    if (this.#count > MAX_NODES) {
      this.incomplete = true;
      return;
    }
    switch (element.tagName) {
      case 'Viewpoint':
        this.#readCamera(element);
        return;
      case 'Shape':
        this.#readShape(element, parent);
        return;
      default: {
        const isPlace = element.hasAttribute('translation') || element.hasAttribute('rotation') || isRobot(element);
        const object = isPlace ? this.#readPlace(element, parent) : parent;
        for (const child of element.children) this.read(child, object);
      }
    }
  }

  #readPlace(element: Element, parent: Object3D): Object3D {
    const group = new Group();
    move(group, {
      translation: listOf(element, 'translation', 3, [0, 0, 0]),
      rotation: listOf(element, 'rotation', 4, [0, 0, 1, 0]),
    });
    group.scale.fromArray(listOf(element, 'scale', 3, [1, 1, 1]));
    parent.add(group);
    const id = element.getAttribute('id');
    if (id !== null) this.nodes.set(id, group);
    if (isRobot(element)) {
      const drives = element.getAttribute('drives') === 'true';
      this.robot ??= { name: element.getAttribute('name') ?? '', object: group, drives };
    }
    return group;
  }

  #readCamera(element: Element): void {
    const direction = new Vector3(1, 0, 0).applyQuaternion(turnOf(listOf(element, 'orientation', 4, [0, 0, 1, 0])));
    this.camera = { position: new Vector3(...listOf(element, 'position', 3, [-5, -5, 4])), direction };
  }

  #readShape(element: Element, parent: Object3D): void {
    const made = [...element.children].map(geometryOf).find((geometry) => geometry !== undefined);
    if (made === undefined) {
      this.incomplete = true;
      return;
    }
    const look = element.querySelector('PBRAppearance, Material');
    const color = look === null ? null : numbers(look.getAttribute('baseColor') ?? look.getAttribute('diffuseColor'), 3);
    const [red = 1, green = 1, blue = 1] = color ?? [];
    const material = new MeshLambertMaterial({ color: new Color().setRGB(red, green, blue, SRGBColorSpace) });
    const mesh = new Mesh(made, material);
    mesh.castShadow = element.getAttribute('castShadows') !== 'false';
    mesh.receiveShadow = true;
    parent.add(mesh);
  }
}

export function move(object: Object3D, { translation, rotation }: Omit<PoseUpdate, 'id'>): void {
  if (translation !== undefined) object.position.fromArray(translation);
  if (rotation !== undefined) object.quaternion.copy(turnOf(rotation));
}

function turnOf([x = 0, y = 0, z = 1, angle = 0]: readonly number[]): Quaternion {
  return new Quaternion().setFromAxisAngle(new Vector3(x, y, z).normalize(), angle);
}

function isRobot(element: Element): boolean {
  return element.tagName === 'Robot' || element.getAttribute('type') === 'robot';
}

/** Round shapes stand upright, along z. */
function geometryOf(element: Element): BufferGeometry | undefined {
  const field = (name: string, otherwise: number) => listOf(element, name, 1, [otherwise])[0] ?? otherwise;
  const radius = field('radius', 1);
  switch (element.tagName) {
    case 'Box':
      return new BoxGeometry(...listOf(element, 'size', 3, [2, 2, 2]));
    case 'Plane':
      return new PlaneGeometry(...listOf(element, 'size', 2, [1, 1]));
    case 'Sphere':
      return new SphereGeometry(radius, 24, 16);
    case 'Cylinder':
      return new CylinderGeometry(radius, radius, field('height', 2), 32).rotateX(Math.PI / 2);
    case 'Capsule':
      return new CapsuleGeometry(radius, field('height', 2), 8, 24).rotateX(Math.PI / 2);
    default:
      return undefined;
  }
}

function listOf<T extends readonly number[]>(element: Element, name: string, count: number, otherwise: T): T {
  return (numbers(element.getAttribute(name), count) as T | undefined) ?? otherwise;
}
