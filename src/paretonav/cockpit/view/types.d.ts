// What the view and Python say to each other, as docs/traits.md describes it: for the type checker only, which reads these
// names in the modules' comments. The bundle leaves this file out.

/** Which way is better; null: nobody said. */
export type Better = "lower" | "higher" | null;
/** What changes are shown in. */
export type Units = "percent" | "value";
export type Split = "training" | "validation";
/** What may not be known, or be no finite number. */
export type Maybe<T> = T | null | undefined;

// What is asked for.

interface Free {
  mode: "free";
  percent?: undefined;
  value?: undefined;
}
interface Hold {
  mode: "hold";
  percent?: undefined;
  value?: undefined;
}
interface Improve {
  mode: "improve";
  percent: number;
  value?: undefined;
}
interface Limit {
  mode: "limit";
  value: number;
  percent?: undefined;
}
interface Aim {
  mode: "aim";
  value: number;
  percent?: undefined;
}
/** A wish that has an amount. */
export type Amounted = Improve | Limit | Aim;
export type Wish = Free | Hold | Amounted;
export type Mode = Wish["mode"];
export type WishOf<Chosen extends Mode> = Extract<Wish, { mode: Chosen }>;
/** By the names of quantities; what is absent is free. */
export type Wishes = Map<string, Wish>;
/** The same as JSON. */
export type Modes = Record<string, Wish>;

/** How far one can go; a null end is none. */
export interface Reach {
  end: number | null;
  reason?: string;
}
/** The scale of a slider. */
export interface Scale {
  min: number;
  max: number;
  step: number;
}

// Down: state.

/** A change since another point. */
export interface Since {
  change: number;
  error: number | null;
  noise: boolean;
}
/** What a sense of better and worse needs. */
export interface Judged {
  better: Better;
  value?: number | null;
}
export interface Quantity {
  name: string;
  kind: "loss" | "metric";
  better: Better;
  value: number;
  error: number | null;
  train: number;
  start: Since | null;
  last: Since | null;
  weight: number | null;
  conflict: string;
  price: string;
}
/** What a wish needs to know of a quantity. */
export type Sized = Pick<Quantity, "better" | "value"> & Partial<Quantity>;

export interface StepRow {
  name: string;
  kind: "loss" | "metric";
  split: Split | "";
  better: Better;
  before: number;
  /** null: free; 0: held. */
  requested: number | null;
  predicted: number;
  predicted_error: number | null;
  achieved: number | null;
  achieved_error: number | null;
  noise: boolean;
  verdict: string;
}
export interface Step {
  from: number;
  /** null: rejected. */
  to: number | null;
  asked: string;
  status: "accepted" | "shortened" | "rejected";
  reason: string;
  seconds: number;
  gradient_passes: number;
  hessian_products: number;
  words: string[];
  rows: StepRow[];
}
/** The last steps that lead here; of each quantity a number for each point, null where it is not known. */
export interface Way {
  points: number[];
  values: (number | null)[][];
  errors: (number | null)[][];
  predicted: (number | null)[][];
  predicted_errors: (number | null)[][];
}
/** An option: a preference that is proposed. */
export interface Option {
  title: string;
  train: number[];
  shown: number[];
  errors: (number | null)[] | null;
}
export interface State {
  version: number;
  title: string;
  live: boolean;
  writable: boolean;
  why_not: string;
  current: number | null;
  parent: number | null;
  after: "start" | "step" | "take" | "undo" | "go" | "cover" | "visit" | "";
  split: Split;
  objectives: number;
  quantities: Quantity[];
  caution: string;
  unsure: string;
  standing: string;
  front: { outcomes: number[][]; lines: number[][] } | null;
  step: Step | null;
  way?: Way | null;
  /** What a step is expected to take; null: not known. */
  pace?: { seconds: number; words: string } | null;
  options: Option[];
  downloads: string;
}

// Down: points, job.

/** Columns over all visited points. */
export interface Points {
  version: number;
  parent: (number | null)[];
  star: boolean[];
  name: string[];
  note: string[];
  asked: string[];
  status: string[];
  reason: string[];
  made: string[];
  seconds: number[];
  efficient: boolean[];
  train: number[][];
  validation: number[][] | null;
  metrics: number[][];
  weights: number[][];
}
export interface Job {
  id: number;
  what: "start" | "step" | "take" | "trial" | "go" | "undo" | "cover" | "visit" | "route" | "star" | "name" | "note" | "title" | "keep" | "drop" | "compare" | "download" | "";
  status: "idle" | "running" | "done" | "failed" | "cancelled" | "refused";
  by: string | null;
  seq: number | null;
  phase: string;
  fraction: number | null;
  seconds: number | null;
  left: number | null;
  losses: Record<string, number> | null;
  message: string;
}

// Down: outlook, trial, answer.

/** One row of coefficients and one square of them for each change. */
export interface Quadratic {
  linear: number[][];
  bend: number[][][] | null;
}
/** What would happen, as a function of the amounts of these modes. */
export interface WhatIf {
  base: number[];
  train: Quadratic;
  shown: Quadratic;
  errors: number[][][] | null;
  weights: number[][] | null;
  noise: number;
}
export interface Exact {
  train: number[];
  shown: number[];
  errors: (number | null)[] | null;
  weights: number[];
  attainable: boolean;
  trusted: boolean;
  requested: (number | null)[];
}
export interface Outlook {
  by: string | null;
  seq: number | null;
  point: number;
  modes: Modes;
  asked: string;
  problem: string;
  instead: { words: string; modes: Modes } | null;
  inputs: number[];
  reach: (Reach | null)[];
  /** The best value of each quantity if it alone were asked for. */
  alone?: (Reach | null)[] | null;
  map: WhatIf | null;
  exact: Exact | null;
  /** What would change further with 1 % more of a quantity, where bounds stand beside it. */
  further?: { asked: number; shown: number[]; errors: (number | null)[] } | null;
}
export interface Trial {
  by: string | null;
  seq: number | null;
  point: number;
  modes: Modes;
  shown: number[];
  errors: (number | null)[] | null;
  seconds: number;
}
export interface ComparedRow {
  name: string;
  kind: "loss" | "metric";
  split: Split | "";
  better: Better;
  values: number[];
  changes: (number | null)[];
  errors: (number | null)[];
  noise: boolean[];
}
export interface Compared {
  points: number[];
  rows: ComparedRow[];
}
export interface File64 {
  name: string;
  mime: string;
  base64: string;
}
interface Reply {
  by: string;
  seq: number;
}
/** What is at a place that somebody chose; without a way there is a problem, in words, and nothing else. */
export interface Place {
  target: Record<string, number>;
  problem: string;
  /** The point where the way begins. */
  start: number | null;
  train?: number[];
  shown?: number[];
  attainable?: boolean;
  legs?: number;
  estimate?: string;
}
export type Answer = Reply & ({ cmd: "compare"; data: Compared } | { cmd: "download"; data: File64 } | { cmd: "route"; data: Place });

// Down: spread.

/** The models that were spread along the front last, or are just now. */
export interface Spread {
  status: "running" | "done" | "cancelled" | "failed";
  wanted: number;
  points: number[];
  words: string[];
}

// Up: steer, request.

/** What a view asks for, without its sender. */
export interface Asked {
  point: number | null;
  modes: Modes;
  active: string | null;
  settled: boolean;
}
export interface Steer extends Asked {
  by: string;
  seq: number;
}
export type Command =
  | "start" | "step" | "take" | "cancel" | "undo" | "go" | "cover" | "route" | "visit" | "pace" | "star" | "name" | "note" | "title" | "keep" | "drop" | "compare" | "download";
/** What belongs to a command. */
export interface More {
  steer?: Asked & { by: string };
  option?: number;
  point?: number | null;
  points?: number[];
  on?: boolean;
  text?: string;
  what?: string;
  wish?: KeptWish | Pick<KeptWish, "point" | "modes">;
  count?: number;
  target?: Record<string, number>;
}
export interface Request extends More {
  by: string;
  seq: number;
  cmd: Command;
  expected_current: number | null;
}

// The host.

export interface Traits {
  state: State | null;
  points: Points | null;
  job: Job | null;
  outlook: Outlook | null;
  trial: Trial | null;
  answer: Answer | null;
  steer: Steer | null;
  kept: KeptWish[] | null;
  spread: Spread | null;
  request: Request | null;
}
/** A model of traits, as anywidget has it. */
export interface Model {
  get<Name extends keyof Traits>(name: Name): Maybe<Traits[Name]>;
  set<Name extends keyof Traits>(name: Name, value: Traits[Name]): void;
  save_changes(): void;
  on(event: string, heard: () => void): void;
  off(event: string, heard: () => void): void;
}

// Inside of the view.

/** A sentence above the rows. */
export interface Sentence {
  text: string;
  tone: "" | "strong" | "plain" | "warn" | "quiet";
}
/** What is predicted for what is asked now; see prediction.js. */
export interface Prediction {
  kind: "none" | "pending" | "problem" | "map" | "exact" | "option";
  problem: string;
  train?: number[];
  shown?: number[];
  errors?: (number | null)[] | null;
  noise?: boolean[];
  weights?: number[] | null;
  requested?: (number | null)[] | null;
  attainable?: boolean;
  trusted?: boolean;
  /** Of a wish that is kept. */
  title?: string;
}
/** What would change further if a quantity were to improve by one per cent more. */
export interface Further {
  asked: number;
  /** Per quantity; null: noise. */
  changes: (number | null)[];
}
/** A wish that is kept beside others, with what was predicted for it at a point. */
export interface KeptWish extends Option {
  point: number;
  modes: Modes;
  noise: boolean[];
  /** Whether the prediction is more than a guess, and of what was asked. */
  sure: boolean;
}
/** The amount of a wish as it is drawn. */
export interface Drawn {
  wish: Amounted;
  quantity: Quantity;
  reach: Reach | null;
  scale: Scale;
  /** Whether the scale was chosen for a reach. */
  scaled: boolean;
  /** Whether it is known what it would come to. */
  known: boolean;
}
/** What was measured along the way of a step, beside what was predicted. */
export interface Measured {
  change: number;
  error: number | null;
  predicted: number | null;
  predictedError: number | null;
}
/** What a row of a quantity has to tell. */
export interface RowEvents {
  mode(name: string, mode: Mode): void;
  amount(name: string, wish: Amounted, settled: boolean): void;
}
/** Of a table. */
export type Cell = string | { text: string; class?: string; title?: string | null };
/** A heading within one. */
export interface Group {
  group: string;
}

// The charts.

export type Interval = [number, number];
/** Left, top, right, bottom. */
export type Box = [number, number, number, number];
/** What a point is drawn as. */
export type PointRole = "worse" | "plain" | "star" | "start" | "current";
export type Role = PointRole | "ghost";
/** Where a prediction leads, in absolute values. */
export interface Ghost {
  train: number[];
  shown: number[];
  sure: boolean | undefined;
  /** Where the way there begins; undefined: at the current point. */
  from?: number | null;
  /** The place that somebody chose on the map. */
  target?: Record<string, number>;
}
/** A quantity on one split, as an axis. */
export interface Axis {
  key: string;
  label: string;
  name: string;
  kind: "loss" | "metric";
  better: Better;
  training: boolean;
  i: number;
  values: number[];
  value(id: number): number | null;
  ghost(ghost: Ghost): number | null;
  /** Whether values on it can be aimed at. */
  aims: boolean;
  /** Which of the front's outcomes it shows. */
  onFront: number | null;
  range: Interval | null;
}
/** An axis with a share of it for each value: 0 is best, 1 is worst. */
export interface ScaledAxis extends Axis {
  best: number;
  worst: number;
  known: boolean;
  share(value: Maybe<number>): number;
}
/** Which points are looked at. */
export interface Filter {
  /** Those that are not outperformed. */
  efficient: boolean;
  starred: boolean;
  /** These alone; null: all. */
  only: number[] | null;
  /** By the keys of axes; an end that is null is open. */
  ranges: Map<string, [number | null, number | null]>;
}
/** What charts are told. */
export interface Charted {
  state: State | null;
  points: Points | null;
  selected?: number[];
  outlook?: Outlook | null;
  units?: Units;
  filter?: Filter;
}
/** What charts draw. */
export interface Data {
  state: State;
  points: Points;
  count: number;
  current: number | null;
  split: Split;
  m: number;
  axes: Axis[];
  shown: Axis[];
  front: State["front"];
  selected: number[];
  /** By the ids of selected points, which of them each is. */
  picks: Map<number, number>;
  trail: number[];
  filter: Filter;
  /** By id whether a point is looked at; null: all. */
  passing: boolean[] | null;
  outlook: Outlook | null;
  units: Units;
  live: boolean;
  /** Which of the tints a point has, where it is coloured by a quantity. */
  tint?: (id: number) => number | null;
}
/** A row of the tree of steps. */
export interface TreeRow {
  id: number;
  lane: number;
  depth: number;
  up: number | null;
}
/** What a tip says. */
export interface Told {
  title: string;
  how?: string;
  rows?: [name: string, value: string, change: string][];
  more?: string;
  note?: string;
  hint?: string;
}
export interface Colours {
  ink: string;
  faint: string;
  line: string;
  edge: string;
  back: string;
  accent: string;
  front: string;
  start: string;
  star: string;
  ghost: string;
  better: string;
  /** From worst to best. */
  tints: string[];
  font: string;
  picks: string[];
  ramp: string[];
}
export interface LegendItem {
  /** "way": the steps that lead to the current point. */
  role?: Role | "front" | "way";
  pick?: number;
  text: string;
  lines: boolean;
}
/** A round number on an axis. */
export interface Tick {
  value: number;
  text: string;
}
/** What is drawn in a box [-1/2, 1/2]³: it does not change when that is turned. */
export interface SpaceBox {
  axes: Axis[];
  place(value: Maybe<number>, k: number): number;
  points: Float64Array;
  ticks: Tick[][];
  surface: Surface | null;
  /** The current point. */
  here: number[];
}
/** What is possible from here, as a surface in the box. */
export interface Surface {
  corners: Float64Array;
  faces: number[][];
  normals: number[][];
  lines: number[][];
}
/** From the box to the screen. */
export interface View {
  near: number[];
  size: number;
  project(a: number, b: number, c: number, out: { [k: number]: number }, k: number): void;
}
export interface BoxPlan {
  box: SpaceBox;
  view: View;
  width: number;
  height: number;
}
/** How a line is drawn. */
export interface Stroke {
  colour: string;
  width: number;
  dash?: number[];
  alpha?: number;
}
/** A point that is emphasised as a line. */
export interface Emphasis extends Stroke {
  id: number;
  text: string;
  role: "plain" | "start" | "current";
}
/** Where a radar is on its canvas. */
export interface RadarPlan {
  x: number;
  y: number;
  radius: number;
  /** The ways of the axes. */
  spokes: [number, number][];
}
/** A quantity over the steps, where it is on its canvas. */
export interface StepsPanel {
  /** Which quantity. */
  i: number;
  axis: Axis;
  box: Sides;
  top: number;
  ticks: Tick[];
  x(slot: number): number;
  y(value: number): number;
}
/** Where the axes of the lines are on their canvas. */
export interface LinesPlan {
  xs: number[];
  spacing: number;
  upright: boolean;
  names: string[][];
  long: number;
  top: number;
  bottom: number;
}
/** A place on the lines: on an axis, and a point if one is near. */
export interface Pointed {
  axis: number;
  id: number | null;
}
/** A column of the table of points. */
export interface Column {
  key: string;
  label: string;
  name: string;
  axis?: Axis;
  of(id: number): string | number | null | undefined;
}
/** The sides of a part of a canvas. */
export interface Sides {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
/** Draws on a canvas of these sizes. */
export type Painter = (brush: CanvasRenderingContext2D, width: number, height: number) => void;
/** Where the values of two axes are on a canvas. */
export interface FlatPlan {
  axes: [Axis, Axis];
  box: Sides;
  /** The front by its values on the two axes. */
  front: [number[], number[]] | null;
  ticksX: Tick[];
  ticksY: Tick[];
  x(value: number): number;
  y(value: number): number;
  valueX(x: number): number;
  valueY(y: number): number;
}
/** How a box in space is looked at. */
export interface Camera {
  yaw: number;
  pitch: number;
  zoom: number;
}
/** What can be done in a chart. */
export interface PlotActions {
  go(id: number): void;
  select(ids: number[]): void;
  aim(values: Record<string, number>, settled?: boolean): void;
  /** What is at a place? */
  place(target: Record<string, number>): void;
  star(id: number, on: boolean): void;
  name(id: number, text: string): void;
  note(id: number, text: string): void;
}
/** What charts tell each other. */
export interface ChartActions extends PlotActions {
  /** Look at other points. */
  filter(filter: Filter): void;
  /** A point is pointed at; null: none. */
  point(id: number | null): void;
}
/** One of the charts. */
export interface Chart {
  root: HTMLElement;
  draw(data: Data, same: boolean): void;
  ghost?(ghost: Ghost | null): void;
  /** A point that is pointed at in another chart. */
  link?(id: number | null): void;
  recolour?(): void;
  picture?(back: string): Promise<Blob | null>;
  destroy?(): void;
}
