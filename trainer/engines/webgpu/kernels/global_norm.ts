import { GLOBAL_NORM } from "../../kernel_names.ts";
import { type Info, reshaped, runShader, webgpuKernel } from "../program.ts";

/** Workgroups for each of the inputs. */
const GROUPS = 64;
const THREADS = 256;

/**
 * The norm of all inputs as one vector: their squares are summed into one row for each, whose numbers are summed at the
 * end. tfjs's sum of so many tensors in one shader is refused by most devices.
 */
export const globalNorm = webgpuKernel<Record<string, Info>, object>(GLOBAL_NORM, ({ inputs, backend }) => {
  const tensors = Object.values(inputs);
  const size = tensors.length * GROUPS;
  const partial = backend.makeTensorInfo([1, size], "float32");
  const common = { workgroupSize: [THREADS, 1, 1] as [number, number, number], declarations: DECLARATIONS };
  tensors.forEach((tensor, row) => {
    const elements = tensor.shape.reduce((product, length) => product * length, 1);
    runShader(
      backend,
      {
        ...common,
        key: "squaresOfOne",
        inputs: ["x"],
        outputShape: [1, size],
        workgroups: [GROUPS, 1, 1],
        uniforms: { elements, row },
        main: mainOf(
          `i32(workgroupId.x) * ${THREADS}`,
          GROUPS * THREADS,
          "x[i] * x[i]",
          `result[uniforms.row * ${GROUPS} + i32(workgroupId.x)] = sum`,
        ),
      },
      [reshaped(tensor, [elements])],
      partial,
    );
  });
  const norm = runShader(backend, {
    ...common,
    key: "rootOfSquares",
    inputs: ["x"],
    outputShape: [1, 1],
    workgroups: [1, 1, 1],
    uniforms: { elements: size },
    main: mainOf("0", THREADS, "x[i]", "result[0] = sqrt(sum)"),
  }, [reshaped(partial, [size])]);
  backend.disposeData(partial.dataId);
  return reshaped(norm, []);
});

const DECLARATIONS = `var<workgroup> found: array<f32, ${THREADS}>;`;

/** A sum over every `stride`th element from the workgroup's first on, by all threads of the workgroup. */
function mainOf(start: string, stride: number, term: string, store: string): string {
  return `
  var own = 0.0;
  for (var i = ${start} + i32(localIndex); i < uniforms.elements; i += ${stride}) { own += ${term}; }
  found[localIndex] = own;
  workgroupBarrier();
  if (localIndex == 0u) {
    var sum = 0.0;
    for (var thread = 0; thread < ${THREADS}; thread++) { sum += found[thread]; }
    ${store};
  }`;
}
