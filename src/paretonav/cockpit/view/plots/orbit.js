// @ts-check
// From a box in space to the screen: turned around its vertical axis, then tipped towards the viewer.

/** @import { Camera } from "../types.js" */

const FAR = 4.5; // of the viewer, in edges of the box
const STEEPEST = 1.5;
const SIDE = 82; // pixels for the numbers and the name of the upright axis

/**
 * A view of the box [-1/2, 1/2]³ on a canvas; `centre` is what stays in the middle when it is enlarged.
 * @param {Camera} camera
 * @param {number} width
 * @param {number} height
 */
export function lookAt({ yaw, pitch, zoom }, width, height, centre = [0, 0, 0]) {
  const tip = Math.max(-STEEPEST, Math.min(STEEPEST, pitch));
  const [sinYaw, cosYaw, sinTip, cosTip] = [Math.sin(yaw), Math.cos(yaw), Math.sin(tip), Math.cos(tip)];
  const right = [-sinYaw, cosYaw, 0];
  const up = [-cosYaw * sinTip, -sinYaw * sinTip, cosTip];
  const near = [cosYaw * cosTip, sinYaw * cosTip, sinTip];
  const size = zoom * Math.max(20, Math.min(0.56 * width, 0.7 * (width - 2 * SIDE), 0.61 * (height - 50)));
  const stays = 1 - 1 / Math.max(1, zoom);
  const middle = centre.map((value) => stays * value);
  return {
    near,
    size,
    /**
     * Write [x, y, depth] into `out` at `k`; depth grows towards the viewer.
     * @param {number} a
     * @param {number} b
     * @param {number} c
     * @param {{ [k: number]: number }} out
     * @param {number} k
     */
    project(a, b, c, out, k) {
      const [u, v, w] = [a - middle[0], b - middle[1], c - middle[2]];
      const depth = u * near[0] + v * near[1] + w * near[2];
      const scale = (size * FAR) / Math.max(0.5, FAR - depth);
      out[k] = 0.5 * width + scale * (u * right[0] + v * right[1] + w * right[2]);
      out[k + 1] = 0.5 * height - 8 - scale * (u * up[0] + v * up[1] + w * up[2]);
      out[k + 2] = depth;
    },
  };
}

/**
 * A camera turned by a drag of so many pixels.
 * @param {Camera} camera
 * @param {number} dx
 * @param {number} dy
 */
export function turned(camera, dx, dy) {
  return {
    ...camera,
    yaw: camera.yaw - 0.009 * dx,
    pitch: Math.max(-STEEPEST, Math.min(STEEPEST, camera.pitch + 0.009 * dy)),
  };
}

/**
 * A camera that is so many times closer.
 * @param {Camera} camera
 * @param {number} times
 */
export function closer(camera, times) {
  return { ...camera, zoom: Math.max(0.5, Math.min(40, camera.zoom * times)) };
}
